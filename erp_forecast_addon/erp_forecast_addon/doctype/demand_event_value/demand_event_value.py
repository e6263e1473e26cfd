from frappe.model.document import Document


class DemandEventValue(Document):
    pass
