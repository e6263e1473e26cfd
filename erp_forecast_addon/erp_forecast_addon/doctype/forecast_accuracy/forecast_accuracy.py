from datetime import timedelta

import frappe
from frappe.model.document import Document


class ForecastAccuracy(Document):
    @staticmethod
    def clear_old_logs(days: int = 730) -> None:
        """Delete rows of items that were last judged more than `days` ago."""
        before = (frappe.utils.now_datetime() - timedelta(days=days)).date()
        frappe.db.delete("Forecast Accuracy", {"measured_until": ("<", before)})
