from frappe.model.document import Document


class OrderEdit(Document):
    pass
