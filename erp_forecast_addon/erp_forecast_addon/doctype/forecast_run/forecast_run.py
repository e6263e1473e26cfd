from frappe.model.document import Document


class ForecastRun(Document):
    pass
