from datetime import timedelta

import frappe
from frappe.model.document import Document


class ForecastAccuracyWeek(Document):
    @staticmethod
    def clear_old_logs(days: int = 730) -> None:
        """Delete weeks that began more than `days` ago."""
        before = (frappe.utils.now_datetime() - timedelta(days=days)).date()
        frappe.db.delete("Forecast Accuracy Week", {"week_start": ("<", before)})
