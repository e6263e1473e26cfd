from datetime import timedelta

import frappe
from frappe.model.document import Document


class PolicyReplay(Document):
    @staticmethod
    def clear_old_logs(days: int = 365) -> None:
        """Delete replays that ended more than `days` ago, with their rows."""
        before = frappe.utils.now_datetime() - timedelta(days=days)
        old = frappe.get_all(
            "Policy Replay",
            filters={"creation": ("<", before), "status": ("not in", ("Queued", "Running"))},
            pluck="name",
        )
        for start in range(0, len(old), 1000):
            piece = old[start : start + 1000]
            frappe.db.delete("Policy Replay Result", {"parenttype": "Policy Replay", "parent": ("in", piece)})
            frappe.db.delete("Policy Replay", {"name": ("in", piece)})
