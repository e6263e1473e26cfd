from frappe.model.document import Document


class ForecastState(Document):
    pass
