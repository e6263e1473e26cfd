from frappe.model.document import Document


class DemandWatermark(Document):
    pass
