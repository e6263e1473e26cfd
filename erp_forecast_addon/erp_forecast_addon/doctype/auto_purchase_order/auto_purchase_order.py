from frappe.model.document import Document


class AutoPurchaseOrder(Document):
    pass
