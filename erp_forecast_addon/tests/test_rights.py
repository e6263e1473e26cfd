"""Every method and every DocType of ours by enumeration: a new one is held to the same as those that stand."""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import frappe

from erp_forecast_addon.api import v1
from erp_forecast_addon.erp_forecast_addon import dashboard_chart_source
from erp_forecast_addon.planning.accuracy import LAGS, STATE
from erp_forecast_addon.setup.names import MODULE
from erp_forecast_addon.tests import site_records as made

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "User", "Role"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES

# What a caller may send for a parameter that has no default; a text that names nothing for every other type.
_NONSENSE: dict[str, Any] = {"from_date": "no day", "to_date": "no day", "value": "much", "company": "Nowhere"}


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Everything of ours that may be called from outside: the API, chart sources, and DocTypes' own modules."""
    named = [f"{v1.__name__}.{module.name}" for module in iter_modules(v1.__path__)]
    named += [
        f"{dashboard_chart_source.__name__}.{module.name}.{module.name}"
        for module in iter_modules(dashboard_chart_source.__path__)
    ]
    for path in named:
        module = import_module(path)
        for name, method in inspect.getmembers(module, inspect.isfunction):
            if method in frappe.whitelisted and method.__module__ == module.__name__:
                yield f"{path.rpartition('.')[2]}.{name}", method


class TestEveryMethodAsksFirst(made.SiteTestCase):
    def test_who_has_no_role_of_planning_is_refused_before_anything_is_looked_at(self) -> None:
        """Arguments that name nothing: whoever is told that they are wrong got past the question who he is."""
        found = list(methods())
        assert len(found) >= 25
        for email in (made.user("clerk", "Sales User"), made.user("nobody", "Employee")):
            for name, method in found:
                given = {
                    parameter.name: _NONSENSE.get(parameter.name, "nothing")
                    for parameter in inspect.signature(method).parameters.values()
                    if parameter.default is inspect.Parameter.empty
                }
                with self.subTest(name, user=email), made.acting_as(email):
                    before = self.rows_of_ours()
                    with self.assertRaises(frappe.PermissionError):
                        method(**given)
                    assert self.rows_of_ours() == before

    def rows_of_ours(self) -> dict[str, int]:
        return {doctype: frappe.db.count(doctype) for doctype in doctypes_of_a_company()}


def doctypes_of_a_company() -> list[str]:
    """Our DocTypes of which each row belongs to a company."""
    ours = frappe.get_all("DocType", filters={"module": MODULE, "istable": 0, "issingle": 0}, pluck="name")
    return sorted(
        doctype
        for doctype in ours
        if any(field.fieldname == "company" and field.fieldtype == "Link" for field in frappe.get_meta(doctype).fields)
    )


class TestEveryDocTypeOfACompany(made.SiteTestCase):
    """A buyer of company A and company B, in every list, form and report."""

    @classmethod
    def make_records(cls) -> None:
        cls.a, cls.b = made.company(), made.second_company()
        cls.rows = {
            (doctype, company): cls.row(doctype, company)
            for doctype in doctypes_of_a_company()
            for company in (cls.a, cls.b)
        }
        roles = {row.role for doctype, _company in cls.rows for row in frappe.get_meta(doctype).permissions if row.read}
        cls.email = made.user("company-a", *sorted(roles - {"All", "Guest"}))
        made.limit(cls.email, Company=cls.a)

    @classmethod
    def row(cls, doctype: str, company: str) -> str:
        """A bare row: what its form asks for is not the question here."""
        doc = frappe.new_doc(doctype)
        doc.update({"company": company, "name": f"rights-{frappe.scrub(doctype)}-{frappe.scrub(company)}"[:140]})
        for field in doc.meta.get("fields", {"fieldtype": "Link", "options": "Warehouse"}):
            doc.set(field.fieldname, None)
        for field in doc.meta.get("fields", {"fieldtype": ("in", ("Data", "Select"))}):
            doc.set(field.fieldname, doc.get(field.fieldname) or "x")
        if doctype == "Forecast Accuracy":
            doc.state = frappe.as_json([[0.0] * len(STATE)] * len(LAGS), indent=None)
        # What no two rows may share (our unique keys) is different for each.
        for field in ("item_code", "supplier", "purchase_order", "identity"):
            if doc.meta.has_field(field):
                doc.set(field, f"{field} {company}")
        if doc.meta.autoname == "autoincrement":
            doc.name = None
        doc.db_insert()
        return str(doc.name)

    def test_lists_and_forms_are_those_of_his_company(self) -> None:
        assert len(self.rows) >= 30, "of fifteen DocTypes and more"
        with made.acting_as(self.email):
            for doctype in doctypes_of_a_company():
                with self.subTest(doctype):
                    if not any(row.read for row in frappe.get_meta(doctype).permissions):
                        self.assertRaises(frappe.PermissionError, frappe.get_list, doctype)
                        continue
                    listed = {str(name) for name in frappe.get_list(doctype, pluck="name", limit=0, order_by="name")}
                    own, foreign = self.rows[doctype, self.a], self.rows[doctype, self.b]
                    assert own in listed
                    assert foreign not in listed
                    assert frappe.has_permission(doctype, "read", doc=own)
                    for right in ("read", "write", "delete"):
                        assert not frappe.has_permission(doctype, right, doc=foreign), right
                    with self.assertRaises(frappe.PermissionError):
                        frappe.get_doc(doctype, foreign).check_permission("read")

    def test_what_has_no_company_of_its_own_names_no_other(self) -> None:
        """Forecast Settings holds a row per company; its own form is for who may see them all."""
        with made.acting_as(self.email):
            rows = frappe.get_list(
                "Forecast Company Settings", pluck="company", parent_doctype="Forecast Settings", limit=0,
                order_by="name",
            )  # fmt: skip
        assert self.b not in rows

    def test_no_report_tells_of_another_company(self) -> None:
        reports = frappe.get_all("Report", filters={"module": MODULE}, pluck="name", order_by="name")
        assert len(reports) >= 6
        for name in reports:
            for filters in ({"company": self.b}, {}):
                with self.subTest(name, filters=filters), made.acting_as(self.email):
                    try:
                        found = frappe.get_doc("Report", name).execute_script_report(frappe._dict(filters))
                    except (frappe.PermissionError, frappe.ValidationError):
                        continue  # refused, or it asks for a filter that names something of his
                    assert self.b not in frappe.as_json(found[1])
                    if filters:
                        assert not found[1], found[1]
