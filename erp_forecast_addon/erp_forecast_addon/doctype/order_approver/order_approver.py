from frappe.model.document import Document


class OrderApprover(Document):
    pass
