from frappe.model.document import Document


class ForecastSettings(Document):
    pass
