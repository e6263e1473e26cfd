from frappe.model.document import Document


class ReorderLevelBackup(Document):
    pass
