from frappe.model.document import Document


class ForecastRunStep(Document):
    pass
