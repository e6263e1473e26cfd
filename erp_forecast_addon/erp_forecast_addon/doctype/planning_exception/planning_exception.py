from datetime import timedelta

import frappe
from frappe import _
from frappe.model.document import Document

_CLOSED = ("Resolved", "Ignored")
_AT_WORK = ("Open", "In Progress")


class PlanningException(Document):
    def validate(self) -> None:
        if self.status == "Snoozed" and not self.snoozed_until:
            frappe.throw(_("An exception is snoozed until a day: say which."))
        if self.has_value_changed("snoozed_until") and self.snoozed_until:
            self._refuse_snooze_in_the_past()
        if self.status != "Snoozed" and self.status != "Ignored":
            self.snoozed_until = None
        if self.has_value_changed("status"):
            self._date_the_end()

    def on_update(self) -> None:
        if self.has_value_changed("status") or self.has_value_changed("responsible"):
            self.keep_todo()

    def on_trash(self) -> None:
        for todo in self._todos():
            frappe.delete_doc("ToDo", todo.name, ignore_permissions=True, force=True)

    def keep_todo(self) -> None:
        """The owner has an open ToDo while the case is to be worked on, and nobody has one once it is not.

        A ToDo that a person gave to another with Assign To stays until the case is closed.
        """
        at_work = self.status in _AT_WORK
        before = self.get_doc_before_save()
        former = before.responsible if before else None
        for todo in self._todos():
            if not at_work or (todo.allocated_to == former and former != self.responsible):
                _set_todo(todo.name, "Closed" if self.status in (*_CLOSED, "Snoozed") else "Cancelled")
        wanted = at_work and self.make_todo and self.responsible
        if wanted and self.responsible not in [todo.allocated_to for todo in self._todos()]:
            self._give_to(self.responsible)

    def _todos(self) -> list[frappe._dict]:
        about = {"reference_type": self.doctype, "reference_name": self.name, "status": "Open"}
        return frappe.get_all("ToDo", filters=about, fields=["name", "allocated_to"], order_by="creation asc")

    def _give_to(self, user: str) -> None:
        """Without a mail each: a run may raise many cases, and the list shows them."""
        frappe.get_doc(
            {
                "doctype": "ToDo",
                "allocated_to": user,
                "reference_type": self.doctype,
                "reference_name": self.name,
                "description": self.message,
                "date": frappe.utils.getdate(self.due_at) if self.due_at else None,
                "priority": {"Critical": "High", "High": "High", "Low": "Low"}.get(self.severity, "Medium"),
                "assigned_by": frappe.session.user,
            }
        ).insert(ignore_permissions=True)

    def _date_the_end(self) -> None:
        if self.status in _CLOSED:
            self.closed_at = self.closed_at or frappe.utils.now_datetime()
        else:
            self.closed_at = None

    def _refuse_snooze_in_the_past(self) -> None:
        if frappe.utils.getdate(self.snoozed_until) < frappe.utils.getdate():
            frappe.throw(
                _("An exception cannot be snoozed until {0}: that day is over.").format(
                    frappe.format(self.snoozed_until, "Date")
                )
            )

    @staticmethod
    def clear_old_logs(days: int = 180) -> None:
        """Delete closed exceptions that no run has seen for `days`; an ignored one that is still seen stays."""
        before = (frappe.utils.now_datetime() - timedelta(days=days)).date()
        closed = frappe.get_all(
            "Planning Exception", filters={"status": ("in", _CLOSED), "last_seen_on": ("<", before)}, pluck="name"
        )
        for start in range(0, len(closed), 1000):
            names = closed[start : start + 1000]
            frappe.db.delete("ToDo", {"reference_type": "Planning Exception", "reference_name": ("in", names)})
            frappe.db.delete("Planning Exception", {"name": ("in", names)})


def _set_todo(name: str, status: str) -> None:
    todo = frappe.get_doc("ToDo", name)
    todo.status = status
    todo.save(ignore_permissions=True)
