from frappe.model.document import Document


class PolicyReplayResult(Document):
    pass
