from frappe.model.document import Document


class DemandPair(Document):
    pass
