from frappe.model.document import Document


class AutoPurchaseOrderItem(Document):
    pass
