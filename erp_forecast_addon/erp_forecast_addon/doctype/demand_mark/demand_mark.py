from frappe.model.document import Document


class DemandMark(Document):
    pass
