from frappe.model.document import Document


class SafetyStockPolicy(Document):
    pass
