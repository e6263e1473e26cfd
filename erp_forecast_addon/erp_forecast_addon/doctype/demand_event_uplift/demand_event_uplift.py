from frappe.model.document import Document


class DemandEventUplift(Document):
    pass
