from frappe.model.document import Document


class PlanningSnooze(Document):
    pass
