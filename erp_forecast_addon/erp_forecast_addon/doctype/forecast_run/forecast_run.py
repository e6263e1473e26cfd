from datetime import timedelta

import frappe
from frappe.model.document import Document


class ForecastRun(Document):
    @staticmethod
    def clear_old_logs(days: int = 180) -> None:
        """Delete runs that ended more than `days` ago and that no proposal, exception or forecast refers to."""
        before = frappe.utils.now_datetime() - timedelta(days=days)
        old = frappe.get_all(
            "Forecast Run",
            filters={"creation": ("<", before), "status": ("not in", ("Queued", "Running"))},
            pluck="name",
        )
        gone = sorted(set(old) - _referred_to())
        for start in range(0, len(gone), 1000):
            piece = gone[start : start + 1000]
            frappe.db.delete("Forecast Run Step", {"parenttype": "Forecast Run", "parent": ("in", piece)})
            frappe.db.delete("Forecast Run", {"name": ("in", piece)})


def _referred_to() -> set[str]:
    doctypes = ("Auto Purchase Order", "Planning Exception", "Demand Forecast", "Safety Stock Policy")
    return {
        run
        for doctype in doctypes
        for run in frappe.get_all(doctype, filters={"forecast_run": ("is", "set")}, pluck="forecast_run", distinct=True)
    }
