from frappe.model.document import Document


class OrderApprovalTime(Document):
    pass
