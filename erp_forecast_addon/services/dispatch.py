"""Orders on their way to suppliers: one row per version of an order and channel, written in the transaction that
submits the order, and worked off by jobs that may die at any point.

A row moves from Waiting to Sending before anything leaves, and on from there by what came back. Two workers never send
for one order at once: who sends holds a lock that the database frees when he dies. A webhook that was begun and not
ended is sent again with the same key; an email is not, unless it is certain that it never left.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from erp_forecast_addon.planning.errors import BadInput, Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import dispatch_message as message
from erp_forecast_addon.services import dispatch_schedule as schedule
from erp_forecast_addon.services import webhook
from erp_forecast_addon.services.dispatch_address import allowed_hosts
from erp_forecast_addon.services.webhook import Answer
from erp_forecast_addon.site import dispatch_reads as reads
from erp_forecast_addon.site.dispatch_reads import DISPATCH, Channel
from erp_forecast_addon.site.port import Site

WEBHOOK, EMAIL = "Webhook", "Email"
WAITING, SENDING, SENT, UNCLEAR, FAILED, CANCELLED = "Waiting", "Sending", "Sent", "Unclear", "Failed", "Cancelled"
# What a person works off: the dead letters, and what nobody knows about.
DEAD: Final = (FAILED, UNCLEAR)
# An outcome besides those of schedule.py: nothing left, and it was nobody's fault (the site's email is switched off).
HELD: Final = "held"
_HELD_SECONDS: Final = 900.0
# Longer than any attempt takes; the lock tells whether it really ended.
_BEGUN_SECONDS: Final = 180
_LOOKED_AT: Final = 2000
_AT_ONCE: Final = 100
_AT_ONCE_PER_SUPPLIER: Final = 10

SUPERSEDED = _("Version {version} of the order took its place.")
ORDER_GONE = _("The order is no longer placed, so it was not sent.")
ORDER_CLOSED = _("The order is closed, so it was not sent.")
ORDER_ON_HOLD = _("The order is on hold; it is sent once that is over.")
NOT_TOLD = _("The order was cancelled after it had been sent by email. Tell the supplier, or send the cancellation.")
NO_CHANNEL = _("{supplier} has no channel for {company} any more.")
OTHER_CHANNEL = _("{supplier} gets its orders by {kind} now. Send it again to use that, or settle it.")
NO_SECRET = _("The channel of {supplier} has no secret that can be read, so its messages cannot be signed.")
GIVEN_UP = _("Given up after {attempts} attempts. {answer}")
NO_END = _("None of them came to an end.")
NO_EMAIL_HERE = _("This site sends no email.")
NO_ROW = _("There is no Order Dispatch {name}.")
NOT_AGAIN = _("{name} is {status}; only what is waiting, unclear or failed can be sent again.")
NOT_SETTLED = _("{name} is {status}; only what is waiting, unclear or failed can be settled by a person.")
OUT_OF_DATE = _("{name} is version {version} of {order}; version {latest} has taken its place.")
NOT_PLACED = _("{order} is not placed any more, so {name} cannot be sent again.")
SETTLED_BY = _("{user} says that the supplier has it.")
DROPPED_BY = _("{user} says that it need not be sent.")


class Mail(Protocol):
    """The site's own email."""

    def send(self, row: Mapping[str, Any], channel: Channel) -> Answer:
        """Send the row's message once; never raises for what a mail server does."""

    def what_became_of(self, row: Mapping[str, Any]) -> Answer:
        """Of a message that a process began to send and that died."""

    def withdraw(self, row: Mapping[str, Any]) -> None:
        """See to it that nobody sends an unsent message of this row any more."""


# ---- what is to be said ------------------------------------
def note_order(
    site: Site, order: Mapping[str, Any], channel: Channel, auto_purchase_order: str | None = None
) -> str | None:
    """A Purchase Order was submitted or its lines were changed: the row that will tell the supplier, None if the
    latest version says the same. In the caller's transaction; what was not sent yet of earlier versions is dropped.

    order: the Purchase Order's fields with its lines under `items`.
    """
    content = message.order_content(order)
    known = reads.read_versions(site, str(order["name"]))
    if (
        len(known)
        and known["event"].iloc[0] == message.ORDER
        and message.content_of(known["payload"].iloc[0]) == content
    ):
        return None
    version = _next_version(known)
    _supersede(site, str(order["name"]), version)
    return _insert(site, order, content, message.ORDER, version, channel.kind, auto_purchase_order)


def note_cancellation(site: Site, order: Mapping[str, Any], channel: Channel | None) -> str | None:
    """A Purchase Order was cancelled: the row that tells a supplier who may know of the order, None if he cannot.

    A webhook is sent; whether an email is, a person decides.
    """
    known = reads.read_versions(site, str(order["name"]))
    if known.empty or known["event"].iloc[0] == message.CANCELLATION:
        return None
    version = _next_version(known)
    if not _drop_unsent(site, str(order["name"]), version):
        return None
    kind = channel.kind if channel is not None and channel.kind in (WEBHOOK, EMAIL) else str(known["channel"].iloc[0])
    content = message.order_content(order)
    values = {} if kind == WEBHOOK else {
        "status": UNCLEAR, "next_attempt_at": None, "last_answer": site.translate(NOT_TOLD),
    }  # fmt: skip
    return _insert(site, order, content, message.CANCELLATION, version, kind, None, values)


def is_known(site: Site, purchase_order: str) -> bool:
    """Whether a supplier was or is to be told about this order."""
    return len(reads.read_versions(site, purchase_order)) > 0


def _drop_unsent(site: Site, purchase_order: str, version: int) -> bool:
    """Cancel what was not sent yet; whether the supplier may know of the order all the same.

    Told by what the statements touched, not by what this transaction read before: a worker may have sent since.
    """
    now, why = site.now(), site.translate(ORDER_GONE)
    which = reads.below(site.qb, purchase_order, version)
    arrived = site.execute(reads.move(site.qb, which, (WAITING, *DEAD), CANCELLED, why, now, may_have_arrived=True))
    site.execute(reads.move(site.qb, which, (WAITING, *DEAD), CANCELLED, why, now))
    known = site.execute(reads.touch(site.qb, which, (SENDING, SENT), now))
    return bool(arrived or known)


def _says(known: Any, event: str, content: Mapping[str, Any]) -> bool:
    """Whether the latest version is this event with this content."""
    if known.empty or known["event"].iloc[0] != event:
        return False
    return message.content_of(known["payload"].iloc[0]) == content


def _next_version(known: Any) -> int:
    return int(known["version"].max()) + 1 if len(known) else 1


def _supersede(site: Site, purchase_order: str, version: int) -> None:
    why = site.translate(SUPERSEDED).format(version=version)
    which = reads.below(site.qb, purchase_order, version)
    site.execute(reads.move(site.qb, which, (WAITING, *DEAD), CANCELLED, why, site.now()))


def _insert(
    site: Site, order: Mapping[str, Any], content: Mapping[str, Any], event: str, version: int, kind: str,
    auto_purchase_order: str | None, more: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    key = str(uuid.uuid4())
    said = message.payload(content, event, version, key)
    values = {
        "purchase_order": order["name"], "version": version, "event": event, "channel": kind, "status": WAITING,
        "company": order["company"], "supplier": order["supplier"], "auto_purchase_order": auto_purchase_order,
        "next_attempt_at": site.now(), "attempts": 0, "tries": 0, "idempotency_key": key, "payload": said,
        "payload_hash": message.payload_hash(said),
    }  # fmt: skip
    return site.insert_document(DISPATCH, {**values, **(more or {})})


# ---- sending ------------------------------------
def due(site: Site) -> list[str]:
    """Names of the rows whose next attempt is due, those left behind by a dead worker among them.

    A few of each supplier: one whose server hangs must not keep the workers from the others.
    """
    now = site.now()
    found = site.fetch(reads.due(site.qb, now, now - timedelta(seconds=_BEGUN_SECONDS), _LOOKED_AT))
    return found.groupby("supplier", sort=False).head(_AT_ONCE_PER_SUPPLIER)["name"].head(_AT_ONCE).tolist()


def send(site: Site, name: str, mail: Mail | None = None, patience: webhook.Patience = webhook.PATIENCE) -> str | None:
    """Make the next attempt of a row if it is due; its state afterwards. None: another worker sends for this order.

    Commits before the message leaves and after its answer is known.
    """
    row = _row(site, name)
    with site.lock(f"order_dispatch:{row['purchase_order']}") as got:
        if not got:
            return None
        site.commit()  # what others did until now is seen from here on
        row = _row(site, name)
        if row["status"] == SENDING:
            row = _pick_up(site, row, mail)
        channel = reads.read_channel(site, row["supplier"], row["company"], with_secret=True)
        if row["status"] != WAITING or not _is_due(site, row) or (channel is not None and not channel.sending):
            return str(row["status"])
        return _attempt(site, row, channel, mail, patience)


def _is_due(site: Site, row: Mapping[str, Any]) -> bool:
    return row["next_attempt_at"] is not None and row["next_attempt_at"] <= site.now()


def _pick_up(site: Site, row: dict[str, Any], mail: Mail | None) -> dict[str, Any]:
    """A worker died over this row: nobody else holds its lock."""
    if row["channel"] == EMAIL and mail is not None:
        _settle(site, row, mail.what_became_of(row), 0)
    else:
        # The message may be there. It is sent again: the key is the same.
        values = {"status": WAITING, "next_attempt_at": site.now(), "may_have_arrived": 1}
        site.execute(reads.change(site.qb, row["name"], [SENDING], values, site.now()))
    site.commit()
    return _row(site, row["name"])


def _attempt(
    site: Site, row: dict[str, Any], channel: Channel | None, mail: Mail | None, patience: webhook.Patience
) -> str:
    over = _why_not_wanted(site, row)
    if over:
        return _end(site, row, {"status": CANCELLED, "last_answer": over, "next_attempt_at": None}, [WAITING])
    if _is_on_hold(site, row):
        again = site.now() + timedelta(seconds=_HELD_SECONDS)
        values = {"next_attempt_at": again, "last_answer": site.translate(ORDER_ON_HOLD)}
        return _end(site, row, values, [WAITING])
    wrong = _what_is_wrong(site, row, channel) or _died_too_often(site, row, channel)
    if wrong or channel is None:
        values = {"status": FAILED, "last_answer": wrong, "last_answer_code": 0, "next_attempt_at": None}
        return _end(site, row, values, [WAITING])
    begun = {
        "status": SENDING,
        "attempts": row["attempts"] + 1,
        "tries": row["tries"] + 1,
        "last_attempt_at": site.now(),
    }
    if not site.execute(reads.change(site.qb, row["name"], [WAITING], begun, site.now())):
        site.commit()
        return str(_row(site, row["name"])["status"])
    site.commit()
    row = _row(site, row["name"])
    answer = _deliver(site, row, channel, mail, patience)
    _settle(site, row, answer, channel.max_attempts)
    site.commit()
    return str(_row(site, row["name"])["status"])


def _deliver(
    site: Site, row: Mapping[str, Any], channel: Channel, mail: Mail | None, patience: webhook.Patience
) -> Answer:
    if row["channel"] == EMAIL:
        none_here = Answer(schedule.REFUSED, site.translate(NO_EMAIL_HERE), may_have_arrived=False)
        return none_here if mail is None else mail.send(row, channel)
    try:
        allowed = allowed_hosts(channel.private_hosts)
    except BadInput as error:
        return Answer(schedule.REFUSED, error.sentence(site.translate), may_have_arrived=False)
    body = str(row["payload"]).encode()
    key = str(row["idempotency_key"])
    return webhook.post(channel.url, body, key, channel.secret, allowed, patience, site.translate)


def _why_not_wanted(site: Site, row: Mapping[str, Any]) -> str | None:
    known = reads.read_versions(site, row["purchase_order"])
    latest = int(known["version"].max())
    if latest > row["version"]:
        return site.translate(SUPERSEDED).format(version=latest)
    if row["event"] == message.CANCELLATION:
        return None
    order = site.fetch(reads.order_state(site.qb, row["purchase_order"]))
    if order.empty or order["docstatus"].iloc[0] != 1:
        return site.translate(ORDER_GONE)
    return site.translate(ORDER_CLOSED) if order["status"].iloc[0] == "Closed" else None


def _is_on_hold(site: Site, row: Mapping[str, Any]) -> bool:
    order = site.fetch(reads.order_state(site.qb, row["purchase_order"]))
    return row["event"] == message.ORDER and len(order) > 0 and order["status"].iloc[0] == "On Hold"


def _what_is_wrong(site: Site, row: Mapping[str, Any], channel: Channel | None) -> str | None:
    if channel is None or channel.kind not in (WEBHOOK, EMAIL):
        return site.translate(NO_CHANNEL).format(supplier=row["supplier"], company=row["company"])
    if channel.kind != row["channel"]:
        return site.translate(OTHER_CHANNEL).format(supplier=row["supplier"], kind=site.translate(channel.kind))
    if channel.kind == WEBHOOK and not channel.secret:
        return site.translate(NO_SECRET).format(supplier=row["supplier"])
    return None


def _died_too_often(site: Site, row: Mapping[str, Any], channel: Channel | None) -> str | None:
    """Every worker that took it up died over it: an answer would have ended the attempts before."""
    if channel is None or row["tries"] < channel.max_attempts:
        return None
    return site.translate(GIVEN_UP).format(attempts=row["tries"], answer=site.translate(NO_END))


def _settle(site: Site, row: Mapping[str, Any], answer: Answer, max_attempts: int) -> None:
    """Write what came of an attempt; max_attempts 0: this is no reason to give up."""
    now = site.now()
    values: dict[str, Any] = {
        "last_answer": answer.text, "last_answer_code": answer.code or 0, "next_attempt_at": None,
        "may_have_arrived": int(bool(row["may_have_arrived"]) or answer.may_have_arrived),
        **({"sent_to": answer.sent_to} if answer.sent_to else {}),
        **_next_state(site, row, answer, max_attempts, now),
    }  # fmt: skip
    site.execute(reads.change(site.qb, row["name"], [SENDING], values, now))


def _next_state(site: Site, row: Mapping[str, Any], answer: Answer, max_attempts: int, now: datetime) -> dict[str, Any]:
    if answer.outcome == schedule.RECEIVED:
        return {"status": SENT, "sent_at": now}
    if answer.outcome == schedule.UNCLEAR:
        return {"status": UNCLEAR}
    if answer.outcome == schedule.REFUSED:
        return {"status": FAILED}
    if answer.outcome == HELD:
        again = now + timedelta(seconds=_HELD_SECONDS)
        return {"status": WAITING, "next_attempt_at": again, "tries": max(row["tries"] - 1, 0)}
    if max_attempts and row["tries"] >= max_attempts:
        given_up = site.translate(GIVEN_UP).format(attempts=row["tries"], answer=answer.text)
        return {"status": FAILED, "last_answer": given_up}
    wait = schedule.wait_seconds(row["tries"], str(row["idempotency_key"]), answer.asked_wait_seconds)
    return {"status": WAITING, "next_attempt_at": now + timedelta(seconds=wait)}


def _end(site: Site, row: Mapping[str, Any], values: dict[str, Any], states: list[str]) -> str:
    site.execute(reads.change(site.qb, row["name"], states, values, site.now()))
    site.commit()
    return str(_row(site, row["name"])["status"])


# ---- what a person decides ------------------------------------
def send_again(site: Site, name: str, mail: Mail | None = None) -> None:
    """Let a row be sent again at once, with its key, by the channel that the supplier has now.

    Raises Refused: it is sent or cancelled, out of date, or its order is no longer placed. The caller commits.
    """
    row = _row(site, name)
    _refuse_unless(site, row, (WAITING, *DEAD), NOT_AGAIN)
    known = reads.read_versions(site, row["purchase_order"])
    latest = int(known["version"].max())
    if latest > row["version"]:
        sentence = site.translate(OUT_OF_DATE)
        raise Refused(sentence.format(name=name, version=row["version"], order=row["purchase_order"], latest=latest))
    if _why_not_wanted(site, row):
        raise Refused(site.translate(NOT_PLACED).format(order=row["purchase_order"], name=name))
    channel = reads.read_channel(site, row["supplier"], row["company"])
    kind = channel.kind if channel is not None and channel.kind in (WEBHOOK, EMAIL) else row["channel"]
    if row["channel"] == EMAIL and mail is not None:
        mail.withdraw(row)
    values = {"status": WAITING, "next_attempt_at": site.now(), "tries": 0, "channel": kind}
    _change(site, row, (WAITING, *DEAD), values, NOT_AGAIN)


def confirm(site: Site, name: str) -> None:
    """A person knows that the supplier has it (he called): Sent. Raises Refused where that is not open."""
    _settle_by_hand(site, name, SENT, SETTLED_BY, {"sent_at": site.now()})


def drop(site: Site, name: str, mail: Mail | None = None) -> None:
    """A person says that it need not be sent: Cancelled. Raises Refused where that is not open."""
    row = _settle_by_hand(site, name, CANCELLED, DROPPED_BY, {})
    if row["channel"] == EMAIL and mail is not None:
        mail.withdraw(row)


def _settle_by_hand(site: Site, name: str, to: str, sentence: str, more: Mapping[str, Any]) -> dict[str, Any]:
    row = _row(site, name)
    _refuse_unless(site, row, (WAITING, *DEAD), NOT_SETTLED)
    said = site.translate(sentence).format(user=site.user)
    values = {"status": to, "next_attempt_at": None, "settled_by": site.user, "last_answer": said, **more}
    _change(site, row, (WAITING, *DEAD), values, NOT_SETTLED)
    return row


def _change(site: Site, row: Mapping[str, Any], states: tuple[str, ...], values: dict[str, Any], template: str) -> None:
    if not site.execute(reads.change(site.qb, row["name"], states, values, site.now())):
        raise Refused(site.translate(template).format(name=row["name"], status=site.translate(SENDING)))
    site.touch_documents(DISPATCH, [row["name"]])


def _refuse_unless(site: Site, row: Mapping[str, Any], states: tuple[str, ...], template: str) -> None:
    if row["status"] not in states:
        raise Refused(site.translate(template).format(name=row["name"], status=site.translate(row["status"])))


def _row(site: Site, name: str) -> dict[str, Any]:
    row = site.get_document(DISPATCH, name)
    if row is None:
        raise Refused(site.translate(NO_ROW).format(name=name))
    return row
