from frappe.model.document import Document


class DriverUplift(Document):
    pass
