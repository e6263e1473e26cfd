from frappe.model.document import Document


class PlanningException(Document):
    pass
