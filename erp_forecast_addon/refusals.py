"""Our refusals as Frappe shows them: an error of the planner becomes a sentence for the user, in his language."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from erp_forecast_addon.planning.errors import BadInput, PlanningError
from erp_forecast_addon.site.frappe_words import translate


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Raise what the planner refuses as frappe.ValidationError, so that the request rolls back and shows why."""
    try:
        yield
    except BadInput as error:
        frappe.throw(error.sentence(translate))
    except PlanningError as error:
        frappe.throw(str(error))
