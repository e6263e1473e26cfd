"""A live site's own email: print format, Email Template, Communication and Email Queue of ERPNext.

Frappe's queue sends a message again by itself after an error and after a quarter of an hour without an end, whether it
left or not. Ours is therefore put into the queue as held ("Send After" far away), which its flush never picks up, and
sent from there by us, once; what became of it stands in the queue like any other.
"""

import smtplib
from collections.abc import Mapping
from typing import Any, Final

import frappe
from frappe import _
from frappe.utils import cint, cstr, escape_html, split_emails, strip_html

from erp_forecast_addon.site.dispatch_reads import CHANNEL, Channel

_QUEUE: Final = "Email Queue"
_ORDER: Final = "Purchase Order"
_HELD_UNTIL: Final = "2199-01-01 00:00:00"
_SHOWN_CHARACTERS: Final = 500
# The mail server took nothing: it said so, or nobody spoke to it.
_REFUSED_BY_SERVER: Final = (
    smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPHeloError, smtplib.SMTPNotSupportedError,
    smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError, smtplib.SMTPResponseException,
    frappe.OutgoingEmailError,
)  # fmt: skip
_GREYLISTED: Final = range(400, 500)


class FrappeMail:
    """See services.dispatch.Mail; answers are made by `answer`, so that this layer need not know the services."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def send(self, row: Mapping[str, Any], channel: Channel) -> Any:
        if _is_switched_off():
            return self._said("held", _("Email is switched off on this site; it waits."), arrived=False)
        try:
            queued = self._queue(row, channel)
        except Exception as error:  # nothing has left: a missing account, a print format that fails, a bad address
            frappe.db.rollback()
            frappe.clear_messages()
            frappe.log_error(title=f"Order Dispatch {row['name']}", message=frappe.get_traceback())
            outcome = "refused" if isinstance(error, frappe.ValidationError) else "retry"
            return self._said(outcome, _sentence(error), arrived=False)
        frappe.db.commit()
        return self._hand_over(queued)

    def what_became_of(self, row: Mapping[str, Any]) -> Any:
        """Of a message whose sender died: it left if the queue says so, it did not if it never came into the queue or
        was not touched there; in between nobody knows."""
        queued = {"name": row["email_queue"] or "nothing was queued"}
        found = frappe.db.get_value(_QUEUE, queued, ["status", "retry"], as_dict=True)
        if not row["email_queue"] or (found and found.status == "Not Sent" and not found.retry):
            return self._said("retry", _("The worker was stopped before it sent the email."), arrived=False)
        if found and found.status == "Sent":
            return self._said("received", _("Sent."))
        return self._said(
            "unclear",
            _("The worker was stopped while it sent the email. Ask the supplier before you send it again."),
        )

    def withdraw(self, row: Mapping[str, Any]) -> None:
        """The old message is taken out of the queue, so that nobody sends it from there beside the new one."""
        unsent = {"name": row["email_queue"], "status": ("!=", "Sent")}
        if row["email_queue"] and frappe.db.exists(_QUEUE, unsent):
            frappe.db.delete("Email Queue Recipient", {"parent": row["email_queue"]})
            frappe.db.delete(_QUEUE, unsent)

    # ---- making the message ------------------------------------
    def _queue(self, row: Mapping[str, Any], channel: Channel) -> Any:
        self.withdraw(row)
        order = frappe.get_doc(_ORDER, row["purchase_order"])
        settings = frappe.get_doc(CHANNEL, channel.name)
        recipients = recipients_of(order, settings)
        if not recipients:
            nobody = _("{0} has no email address: neither the channel, its contact nor the order names one.")
            frappe.throw(nobody.format(row["supplier"]))
        said = _subject_and_text(order, settings, row)
        communication = self._communication(row, recipients, *said)
        queued = frappe.sendmail(
            recipients=recipients,
            subject=said[0],
            message=said[1],
            attachments=[_printed(order, settings)] if row["event"] == "Order" else None,
            reference_doctype=_ORDER,
            reference_name=order.name,
            communication=communication,
            message_id=message_id(row),
            send_after=_HELD_UNTIL,
            expose_recipients="header",
            add_unsubscribe_link=0,
            delayed=True,
        )
        if not queued:
            unusable = _("{0} cannot be sent email: the address is invalid or has unsubscribed.")
            frappe.throw(unusable.format(", ".join(recipients)))
        values = {"email_queue": queued.name, "communication": communication, "sent_to": ", ".join(recipients)}
        frappe.db.set_value("Order Dispatch", row["name"], values)
        return queued

    def _communication(self, row: Mapping[str, Any], recipients: list[str], subject: str, text: str) -> str:
        """The email on the order's timeline; the one of an earlier attempt is written anew."""
        earlier = row["communication"]
        earlier = earlier if earlier and frappe.db.exists("Communication", earlier) else None
        doc = frappe.get_doc("Communication", earlier) if earlier else frappe.new_doc("Communication")
        doc.update({
            "communication_type": "Communication", "communication_medium": "Email", "sent_or_received": "Sent",
            "subject": subject, "content": text, "recipients": ", ".join(recipients),
            "reference_doctype": _ORDER, "reference_name": row["purchase_order"], "message_id": message_id(row),
        })  # fmt: skip
        doc.flags.skip_add_signature = True
        doc.save(ignore_permissions=True)
        return str(doc.name)

    # ---- sending it ------------------------------------
    def _hand_over(self, queued: Any) -> Any:
        try:
            queued.send()
        except Exception as error:
            frappe.log_error(title=f"Email Queue {queued.name}", message=frappe.get_traceback())
            return self._what_went_wrong(error, queued)
        if frappe.db.get_value(_QUEUE, queued.name, "status") != "Sent":
            return self._said("held", _("Email is switched off on this site; it waits."), arrived=False)
        frappe.db.set_value(_QUEUE, queued.name, "send_after", None)
        return self._said("received", _("Sent."))

    def _what_went_wrong(self, error: Exception, queued: Any) -> Any:
        """Frappe speaks to the server once for each recipient; what one has been sent must not be sent again by us."""
        taken = frappe.get_all("Email Queue Recipient", {"parent": queued.name, "status": "Sent"}, pluck="recipient")
        if taken:
            sentence = _("Only {0} was sent it: {1}").format(", ".join(taken), _sentence(error))
            return self._said("unclear", sentence, code=_code(error))
        if isinstance(error, _REFUSED_BY_SERVER):
            return self._said(_outcome_of(error), _sentence(error), arrived=False, code=_code(error))
        if isinstance(error, frappe.ValidationError):  # Frappe's words for a server that cannot be reached
            return self._said("retry", _sentence(error), arrived=False)
        return self._said("unclear", _("It is not known whether the email left: {0}").format(_sentence(error)))

    def _said(self, outcome: str, text: str, arrived: bool = True, code: int | None = None) -> Any:
        return self._answer(outcome, text, code=code, may_have_arrived=arrived)


def message_id(row: Mapping[str, Any]) -> str:
    """The same for every attempt of a version: a mailbox that got it twice shows it once."""
    return f"{row['idempotency_key']}@{frappe.local.site}"


def recipients_of(order: Any, settings: Any) -> list[str]:
    """The channel's addresses, else its contact's, else the order's contact's, else the supplier's own."""
    named = split_emails(settings.email_to or "")
    if named:
        return [address.strip() for address in named]
    of_contact = frappe.db.get_value("Contact", settings.contact, "email_id") if settings.contact else None
    address = of_contact or order.get("contact_email") or frappe.db.get_value("Supplier", order.supplier, "email_id")
    return [address] if address else []


def _subject_and_text(order: Any, settings: Any, row: Mapping[str, Any]) -> tuple[str, str]:
    if row["event"] == "Cancellation":
        subject = _("Purchase Order {0} of {1} is cancelled").format(order.name, order.company)
        text = _("We cancel our Purchase Order {0} of {1}. Please do not deliver it.")
        return subject, f"<p>{text.format(escape_html(order.name), frappe.format(order.transaction_date, 'Date'))}</p>"
    if settings.email_template:
        template = frappe.get_doc("Email Template", settings.email_template)
        made = template.get_formatted_email(order.as_dict())
        return made["subject"], made["message"]
    subject = _("Purchase Order {0} of {1}").format(order.name, order.company)
    if cint(row["version"]) > 1:
        subject = _("{0} (version {1})").format(subject, row["version"])
    text = _("Please find attached our Purchase Order {0}. Please confirm it.").format(escape_html(order.name))
    if cint(row["version"]) > 1:
        text += " " + _("It takes the place of what we sent you before.")
    return subject, f"<p>{text}</p>"


def _printed(order: Any, settings: Any) -> dict[str, Any]:
    """The order as it is now, PDF or HTML as the Print Settings say; frozen in the message."""
    language = settings.language or order.get("language") or frappe.local.lang
    return frappe.attach_print(
        _ORDER, order.name, doc=order, print_format=settings.print_format or None, lang=language,
        letterhead=settings.letter_head or None,
    )  # fmt: skip


def _is_switched_off() -> bool:
    return bool(frappe.are_emails_muted()) or cint(frappe.db.get_default("suspend_email_queue")) == 1


def _outcome_of(error: Exception) -> str:
    """A server that says "later" (4xx: greylisting, a full queue) is asked again; a no is a no."""
    code = _code(error)
    return "retry" if code is None or code in _GREYLISTED else "refused"


def _code(error: Exception) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _text in error.recipients.values()]
        return max(codes, default=None)
    return getattr(error, "smtp_code", None)


def _sentence(error: Exception) -> str:
    """As text: it is shown to people, and part of it is the mail server's."""
    plain = strip_html(cstr(error)).replace("<", "‹").replace(">", "›")
    text = " ".join(plain.split()) or type(error).__name__
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
