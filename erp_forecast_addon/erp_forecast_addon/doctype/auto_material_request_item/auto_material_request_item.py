from frappe.model.document import Document


class AutoMaterialRequestItem(Document):
    pass
