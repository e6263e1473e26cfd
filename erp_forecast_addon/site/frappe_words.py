"""Sentences on a live site: in the language of the session, with days as its System Settings write them."""

from datetime import date
from functools import lru_cache

import frappe
from frappe.utils import formatdate
from frappe.utils.data import get_user_date_format

from erp_forecast_addon.planning.messages import Template

# A run fills in a sentence per line and case, with some hundred days among them.
_DAYS_KEPT = 4096


class SiteTemplate(Template):
    __slots__ = ()

    def show_day(self, day: date) -> str:
        return show_day(day)


def translate(template: str) -> SiteTemplate:
    return SiteTemplate(frappe._(template))


def show_day(day: date) -> str:
    return _formatted(day, get_user_date_format(), frappe.local.lang or "")


@lru_cache(maxsize=_DAYS_KEPT)
def _formatted(day: date, date_format: str, language: str) -> str:
    """The format and the language are those of the session, and say what the answer is kept for."""
    return str(formatdate(day, date_format))
