from frappe.model.document import Document


class ForecastCompanySettings(Document):
    pass
