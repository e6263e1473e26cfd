from frappe.model.document import Document


class PlanningExceptionRule(Document):
    pass
