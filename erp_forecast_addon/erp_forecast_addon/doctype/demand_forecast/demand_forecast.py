from frappe.model.document import Document


class DemandForecast(Document):
    pass
