from frappe.model.document import Document


class DemandBucket(Document):
    pass
