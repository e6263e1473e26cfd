from frappe.model.document import Document


class SupplierLeadTime(Document):
    pass
