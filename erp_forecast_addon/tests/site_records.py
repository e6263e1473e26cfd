"""Records on a bench site that the tests of approval, permissions, renames and reorder rows work with.

Everything is inserted through the document API and rolled back with the test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, today

from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.site.port import OrderLine

PLANNER, APPROVER = "Forecast Planner", "Forecast Approver"
_BEFORE_TEST = "before_test"


class SiteTestCase(FrappeTestCase):
    """Records made once per class, each test undone to where they stood."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        frappe.set_user("Administrator")
        cls.make_records()

    @classmethod
    def make_records(cls) -> None:
        """What every test of the class finds."""

    def setUp(self) -> None:
        frappe.db.savepoint(_BEFORE_TEST)

    def tearDown(self) -> None:
        frappe.set_user("Administrator")
        frappe.db.rollback(save_point=_BEFORE_TEST)
        forget_caches()


class UncommittedSite(FrappeSite):
    """The live site within the test's transaction; killed at the n-th commit, it loses what came since."""

    commits_left: int | None = None

    def commit(self) -> None:
        if self.commits_left == 0:
            frappe.db.rollback(save_point="committed")
            raise KeyboardInterrupt
        frappe.db.savepoint("committed")
        if self.commits_left is not None:
            self.commits_left -= 1


def forget_caches() -> None:
    """What a rollback does not undo: caches outside the database."""
    frappe.cache.delete_value(["workflow", "user_permissions"])
    frappe.local.role_permissions = {}
    frappe.clear_document_cache("Forecast Settings", "Forecast Settings")


def company() -> str:
    """The site's first company."""
    return frappe.get_all("Company", pluck="name", order_by="creation asc", limit=1)[0]


def second_company() -> str:
    """Another company, in another currency than the first.

    It takes seconds and every cache to make one, so it stays on the site, unless that would keep what is to be undone.
    """
    name = "Forecast Other Company"
    if not frappe.db.exists("Company", name):
        may_stay = not frappe.db.transaction_writes
        first = frappe.get_doc("Company", company())
        currency = "EUR" if first.default_currency != "EUR" else "USD"
        frappe.db.set_value("Currency", currency, "enabled", 1)
        frappe.get_doc(
            {
                "doctype": "Company",
                "company_name": name,
                "abbr": "FOC",
                "default_currency": currency,
                "country": first.country,
                "chart_of_accounts": "Standard",
            }
        ).insert()
        if may_stay:
            frappe.db.commit()
    return name


def settings_row(of: str | None = None, **values: Any) -> Document:
    """The company's row of Forecast Settings with these values, saved as a person saves it."""
    settings = frappe.get_doc("Forecast Settings")
    wanted = of or company()
    row = next((row for row in settings.companies if row.company == wanted), None)
    row = row or settings.append("companies", {"company": wanted})
    row.update(values)
    settings.save()
    return row


def warehouse(name: str, of: str | None = None, parent: str | None = None, is_group: int = 0) -> str:
    owner = of or company()
    full = f"{name} - {frappe.get_cached_value('Company', owner, 'abbr')}"
    roots = {"company": owner, "is_group": 1, "parent_warehouse": ("is", "not set")}
    if not frappe.db.exists("Warehouse", full):
        frappe.get_doc(
            {
                "doctype": "Warehouse",
                "warehouse_name": name,
                "company": owner,
                "parent_warehouse": parent or frappe.db.get_value("Warehouse", roots),
                "is_group": is_group,
            }
        ).insert()
    return full


def item(item_code: str, **values: Any) -> str:
    if not frappe.db.exists("Item", item_code):
        frappe.get_doc(
            {
                "doctype": "Item",
                "item_code": item_code,
                "item_name": item_code,
                "item_group": frappe.db.get_value("Item Group", {"is_group": 0}),
                "stock_uom": "Nos",
                "is_stock_item": 1,
                **values,
            }
        ).insert()
    return item_code


def supplier(name: str) -> str:
    if not frappe.db.exists("Supplier", name):
        group = frappe.db.get_value("Supplier Group", {"is_group": 0})
        frappe.get_doc({"doctype": "Supplier", "supplier_name": name, "supplier_group": group}).insert()
    return name


def user(name: str, *roles: str) -> str:
    """A desk user with these roles and nothing else."""
    email = f"{name}@forecast.test"
    rows = [{"role": role} for role in roles]
    if not frappe.db.exists("User", email):
        values = {"email": email, "first_name": name, "send_welcome_email": 0, "user_type": "System User"}
        frappe.get_doc({"doctype": "User", **values, "roles": rows}).insert(ignore_permissions=True)
    else:
        doc = frappe.get_doc("User", email)
        if {row.role for row in doc.roles} != set(roles):
            doc.set("roles", rows)
            doc.save(ignore_permissions=True)
    frappe.clear_cache(user=email)
    return email


def limit(email: str, **allowed: str) -> None:
    """User Permissions: limit(email, Company="A", Warehouse="W")."""
    for doctype, value in allowed.items():
        frappe.get_doc(
            {
                "doctype": "User Permission",
                "user": email,
                "allow": doctype,
                "for_value": value,
                "apply_to_all_doctypes": 1,
            }
        ).insert(ignore_permissions=True)
    frappe.clear_cache(user=email)


def rename(doctype: str, old: str, new: str, merge: bool = False) -> None:
    """As a person renames or merges it."""
    with _definitions_kept():
        frappe.rename_doc(doctype, old, new, merge=merge, force=True, show_alert=False, rebuild_search=False)


@contextmanager
def _definitions_kept() -> Iterator[None]:
    """Renaming clears all caches. No DocType has changed with a record, and to read them all again takes seconds."""
    key = frappe.cache.make_key("doctype_meta")
    held = frappe.cache.execute_command("HGETALL", key)
    yield
    if held:
        frappe.cache.execute_command("HSET", key, *(part for pair in held.items() for part in pair))


@contextmanager
def acting_as(email: str) -> Iterator[None]:
    before = frappe.session.user
    frappe.set_user(email)
    try:
        yield
    finally:
        frappe.set_user(before)


def proposal(
    *lines: tuple[str, str, float], of: str | None = None, by: str = "Forecast Test Supplier", rate: float = 10.0
) -> Document:
    """A proposed order with its native draft, as a run leaves it; lines: item, warehouse, quantity."""
    site, owner = FrappeSite(), of or company()
    currency = frappe.get_cached_value("Company", owner, "default_currency")
    amount = sum(qty for _item, _warehouse, qty in lines) * rate
    name = site.insert_document(
        "Auto Purchase Order",
        {
            "title": f"{by} · {len(lines)}",
            "supplier": supplier(by),
            "company": owner,
            "currency": currency,
            "company_currency": currency,
            "status": "Proposed",
            "total_amount": amount,
            "base_total_amount": amount,
            "items": [_record_line(*line, rate) for line in lines],
        },
    )
    order_lines = [
        OrderLine(code, house, qty, "Nos", 1.0, rate, frappe.utils.getdate(add_days(today(), 7)))
        for code, house, qty in lines
    ]
    order = site.insert_order(owner, by, currency, frappe.utils.getdate(), order_lines, name)
    site.update_document("Auto Purchase Order", name, {"purchase_order": order.name})
    return frappe.get_doc("Auto Purchase Order", name)


def _record_line(item_code: str, house: str, qty: float, rate: float) -> dict[str, Any]:
    return {
        "item_code": item(item_code),
        "item_name": item_code,
        "warehouse": house,
        "schedule_date": add_days(today(), 7),
        "qty": qty,
        "uom": "Nos",
        "conversion_factor": 1,
        "stock_qty": qty,
        "stock_uom": "Nos",
        "rate": rate,
        "amount": qty * rate,
        "base_amount": qty * rate,
    }


def planned(item_code: str, house: str, of: str | None = None, **policy: Any) -> None:
    """A Demand Forecast and a Safety Stock Policy for the pair."""
    pair = {"item_code": item(item_code), "warehouse": house, "company": of or company()}
    for doctype, values in (("Demand Forecast", {"model": "Test"}), ("Safety Stock Policy", policy)):
        frappe.get_doc({"doctype": doctype, **pair, **values}).insert(ignore_permissions=True)


def case(kind: str = "No Supplier", of: str | None = None, **links: str) -> Document:
    """An open Planning Exception, its identity as a run makes it."""
    from erp_forecast_addon.services.exceptions import identity

    owner = of or company()
    parts = (links.get("item_code"), links.get("warehouse"), links.get("supplier"))
    return frappe.get_doc(
        {
            "doctype": "Planning Exception",
            "exception_type": kind,
            "company": owner,
            "message": "A case of a test.",
            "identity": identity(kind, owner, *parts),
            **links,
        }
    ).insert(ignore_permissions=True)


def status_of(record: Document) -> str:
    return str(frappe.db.get_value("Auto Purchase Order", record.name, "status"))


def docstatus_of(purchase_order: str) -> int | None:
    return frappe.db.get_value("Purchase Order", purchase_order, "docstatus")
