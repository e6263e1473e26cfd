"""One item from the stock ledger to a submitted Purchase Order, through the browser.

    python -m erp_forecast_addon.tests.browser.follow_one_item --site SITE --url http://127.0.0.1:8000 [--pictures DIR]

Run by the bench's Python from the bench's `sites` folder, beside a server of that site. It loads the wholesaler of
retail_documents.py once, undoes what an earlier pass decided, and runs the job that the scheduler runs.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frappe

from erp_forecast_addon.events.schedule import run_company_job
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.tests.browser.desk import Person, browser
from erp_forecast_addon.tests.retail_data import SUPPLIERS
from erp_forecast_addon.tests.retail_documents import CUSTOMER, load_retail

PASSWORD = "Follow-one-item-2026"
APPROVER = "forecast.approver@example.com"
BUYER = "plain.buyer@example.com"
SELLER = "plain.seller@example.com"
_ROLES = {
    APPROVER: ["Forecast Approver", "Forecast Planner", "Stock User", "Purchase User"],
    BUYER: ["Purchase Manager", "Stock User"],
    SELLER: ["Sales User"],
}
# Bootstrap marks the body before a dialog is shown and until its shade is gone, and ignores a click on Close while the
# dialog fades in.
_AT_REST = """() => {
    if (!document.body.classList.contains("modal-open")) return "closed";
    const shown = $(".modal.show").last().data("bs.modal");
    return shown && !shown._isTransitioning && "open";
}"""
_REASON = "The supplier closes for the holidays."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", required=True)
    parser.add_argument("--url", required=True, help="where that site is served")
    parser.add_argument("--company", help="default: the site's default company")
    parser.add_argument("--warehouse", help="default: the company's Stores")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots; none are taken without it")
    options = parser.parse_args()
    frappe.init(options.site)
    frappe.connect()
    frappe.set_user("Administrator")
    try:
        follow(options)
    finally:
        frappe.destroy()


def follow(options: argparse.Namespace) -> None:
    company = options.company or frappe.db.get_single_value("Global Defaults", "default_company")
    warehouse = options.warehouse or _stores_of(company)
    timed("documents", lambda: load_retail(company, warehouse))
    prepare(company)
    timed("run", lambda: run_company_job(company, "Scheduler", "Administrator"))
    frappe.set_user("Administrator")
    chosen, other = proposals(company)
    with browser() as chromium:

        def person(user: str) -> Person:
            return Person(chromium, options.url, user, PASSWORD, options.pictures)

        timed("seller sees no forecast", lambda: sees_no_forecast(person(SELLER), chosen))
        approver = person(APPROVER)
        timed("forecast tab", lambda: looks_at_item(approver, chosen, warehouse))
        timed("evidence", lambda: reads_evidence(approver, chosen))
        timed("buyer is refused", lambda: is_refused(person(BUYER), chosen))
        timed("approval", lambda: approves(approver, chosen))
        timed("rejection", lambda: rejects(approver, other))
        timed("lists", lambda: looks_around(approver))
        approver.leave()
    print("One item was followed from the ledger to a submitted Purchase Order.")


def timed(what: str, do: Callable[[], Any]) -> None:
    began = time.perf_counter()
    do()
    print(f"{what}: {time.perf_counter() - began:.1f} s", flush=True)


# ---- before the browser ---------------------------------------------------------------------------------------------
def _stores_of(company: str) -> str:
    abbreviation = frappe.get_cached_value("Company", company, "abbr")
    return f"Stores - {abbreviation}"


def prepare(company: str) -> None:
    """Users, settings, and the state before any decision of an earlier pass."""
    for user, roles in _ROLES.items():
        _ensure_user(user, roles)
    settings = frappe.get_doc("Forecast Settings")
    settings.enabled = 1
    row = next((row for row in settings.companies if row.company == company), None)
    row = row or settings.append("companies", {"company": company})
    row.update({"enabled": 1, "draft_orders": 1, "on_approval": "Submit Purchase Order", "auto_approve_limit": 0})
    settings.save()
    _undo_decisions(company)
    frappe.db.commit()


def _ensure_user(user: str, roles: list[str]) -> None:
    if not frappe.db.exists("User", user):
        first, last = user.split("@")[0].title().split(".")
        values = {"email": user, "first_name": first, "last_name": last, "send_welcome_email": 0, "enabled": 1}
        frappe.get_doc({"doctype": "User", "new_password": PASSWORD, **values}).insert()
    document = frappe.get_doc("User", user)
    document.set("roles", [])
    document.add_roles(*roles)


def _undo_decisions(company: str) -> None:
    """Cancel what an earlier pass bought and forget what it rejected, so that the same needs are proposed again."""
    ours = {"company": company, "decided_by": APPROVER, "supplier": ("in", [each.name for each in SUPPLIERS])}
    for record in frappe.get_all(
        "Auto Purchase Order", filters=ours, fields=["name", "status", "purchase_order"], order_by="creation asc"
    ):
        if record.status == "Approved":
            frappe.get_doc("Purchase Order", record.purchase_order).cancel()
        elif record.status == "Rejected":
            frappe.delete_doc("Auto Purchase Order", record.name, force=True)
    _undo_forgotten_orders(company)


def _undo_forgotten_orders(company: str) -> None:
    """Cancel orders of an earlier pass whose proposals are gone: another test uninstalls the app, the orders stay.

    They are younger than the documents that were loaded; left standing, they would seem to cover the needs.
    """
    loaded = frappe.get_all("Delivery Note", filters={"customer": CUSTOMER, "docstatus": 1}, pluck="posting_date")
    theirs = {
        "company": company, "docstatus": 1, "transaction_date": (">", max(loaded)),
        "auto_purchase_order": ("is", "not set"),
        "supplier": ("in", [each.name for each in SUPPLIERS]),
    }  # fmt: skip
    for name in frappe.get_all("Purchase Order", filters=theirs, pluck="name"):
        frappe.get_doc("Purchase Order", name).cancel()


def proposals(company: str) -> tuple[Any, Any]:
    """Two undecided proposals of different suppliers, most money at risk first, each with its most telling line."""
    records = frappe.get_all(
        "Auto Purchase Order",
        filters={"company": company, "status": "Proposed", "supplier": ("in", [each.name for each in SUPPLIERS])},
        order_by="money_at_risk desc, name asc",
        pluck="name",
    )
    assert len(records) >= 2, f"The run should have proposed orders to two suppliers or more, not {len(records)}."
    return frappe.get_doc("Auto Purchase Order", records[0]), frappe.get_doc("Auto Purchase Order", records[1])


# ---- in the browser -------------------------------------------------------------------------------------------------
def sees_no_forecast(seller: Person, order: Any) -> None:
    """Without read on Demand Forecast there is no tab, and the method behind it answers no."""
    item_code = order.items[0].item_code
    page = seller.open_form("Item", item_code)
    assert not page.locator(".form-tabs .nav-link:visible", has_text="Forecast").count(), "A seller sees the tab."
    status, _text = seller.call("erp_forecast_addon.api.v1.item.view", item_code=item_code)
    assert status == 403, f"A seller reads a forecast: {status}"
    seller.leave()


def looks_at_item(approver: Person, order: Any, warehouse: str) -> None:
    line = order.items[0]
    page = approver.open_form("Item", line.item_code)
    page.locator(".form-tabs .nav-link:visible", has_text="Forecast").click()
    chart = page.locator(".ef-chart svg.ef-svg[aria-label^='Demand and forecast']")
    chart.wait_for()
    assert chart.locator("rect.ef-bar").count() >= 10, "The history has bars."
    assert chart.locator("polygon.ef-band").count() == 2, "The forecast has two bands."
    text = page.locator(".ef").inner_text()
    for words in ("Safety Stock", "Reorder Point", "Order-up-to Level", "Lead Time", warehouse, order.supplier_name):
        assert words in text, f"The tab does not show {words}."
    page.locator(".ef-chart svg.ef-svg[aria-label^='What the forecast']").wait_for()
    for unit in ("day", "month", "week"):
        page.locator(f".ef-unit[data-unit={unit}]").click()
        page.locator(f".ef-unit.btn-primary[data-unit={unit}]").wait_for()
        assert chart.locator("polyline.ef-forecast").count() == 1, f"The forecast is drawn by {unit}."
    box = chart.bounding_box()
    chart.hover(position={"x": box["width"] * 0.75, "y": box["height"] * 0.5})
    assert "interval" in page.locator(".ef-tip:visible").inner_text(), "The tooltip tells the interval."
    page.mouse.move(0, 0)
    levels = _levels(line)
    page.locator(".ef-forecast-now").click()
    page.locator(".desk-alert", has_text="was forecast").wait_for()
    approver.settle()
    assert _levels(line) == levels, "Nothing has changed since the run, so forecasting at once changes nothing."
    _close_messages(page)
    approver.picture("item-forecast", height=1240)


def _levels(line: Any) -> tuple[float, ...]:
    frappe.db.rollback()
    pair = {"item_code": line.item_code, "warehouse": line.warehouse}
    fields = ["safety_stock_qty", "reorder_point_qty", "order_up_to_qty", "daily_demand_mean", "daily_demand_std"]
    found = frappe.db.get_value("Safety Stock Policy", pair, fields)
    return tuple(round(value, 6) for value in found)


def reads_evidence(approver: Person, order: Any) -> None:
    line = order.items[0]
    page = approver.page
    page.locator(f".ef-table a[href$='{order.name}']").first.click()
    page.wait_for_function("name => window.cur_frm && cur_frm.doc.name === name", arg=order.name)
    card = page.locator(".ef-card", has_text=line.item_code).first
    # The calculation comes from the server, after the card.
    card.locator("[data-steps] table").wait_for()
    text = card.inner_text()
    for words in ("Net position", "Order-up-to level", "Lead time", "Order by", "Money at risk", "equal.", line.reason):
        assert words in text, f"The evidence does not show {words}."
    assert page.locator(".ef-card").count() == len(order.items), "Every line has its card."
    for each in order.items:
        computed = recompute(frappe.parse_json(each.evidence))
        assert abs(computed - each.stock_qty) < 1e-6, f"{each.item_code}: evidence gives {computed}"
    approver.picture("proposal", height=1260)


def is_refused(buyer: Person, order: Any) -> None:
    """A Purchase Manager without the role reads the proposal and decides nothing, by no door."""
    page = buyer.open_form("Auto Purchase Order", order.name)
    page.locator(".ef-card").first.wait_for()
    assert not page.locator(".actions-btn-group:visible").count(), "A buyer is offered actions."
    status, text = buyer.call("erp_forecast_addon.api.v1.orders.approve", name=order.name)
    assert status in (403, 417), f"approve answers {status}: {text[:200]}"
    form = buyer.open_form("Purchase Order", order.purchase_order)
    form.locator(".form-message", has_text="planner drafted").wait_for()
    form.locator(".primary-action:visible", has_text="Submit").click()
    form.locator(".modal:visible .btn-primary:visible", has_text="Yes").click()
    form.locator(".msgprint:visible").wait_for()
    buyer.picture("refused")
    frappe.db.rollback()
    assert frappe.db.get_value("Purchase Order", order.purchase_order, "docstatus") == 0, "A buyer submitted it."
    assert frappe.db.get_value("Auto Purchase Order", order.name, "status") == "Proposed"
    buyer.leave()


def approves(approver: Person, order: Any) -> None:
    frappe.db.rollback()
    before = _ordered_qty(order)
    page = approver.open_form("Auto Purchase Order", order.name)
    page.locator(".actions-btn-group:visible button").first.click()
    page.locator(".actions-btn-group a:visible", has_text="Approve").click()
    page.wait_for_function("() => cur_frm.doc.status === 'Approved'")
    approver.settle()
    approver.picture("approved")
    frappe.db.rollback()
    native = frappe.get_doc("Purchase Order", order.purchase_order)
    assert native.docstatus == 1, "The Purchase Order is submitted."
    assert {(r.item_code, r.qty) for r in native.items} == {(r.item_code, r.qty) for r in order.items}
    gained = _ordered_qty(order) - before
    assert abs(gained - sum(line.stock_qty for line in order.items)) < 1e-6, f"On order grew by {gained}."
    assert frappe.db.get_value("Auto Purchase Order", order.name, "decided_by") == APPROVER
    page = approver.open_form("Purchase Order", order.purchase_order)
    page.locator(".form-message", has_text="approved").wait_for()


def _ordered_qty(order: Any) -> float:
    lines = {(line.item_code, line.warehouse) for line in order.items}
    items = {"item_code": ("in", [item_code for item_code, _warehouse in lines])}
    found = frappe.get_all("Bin", filters=items, fields=["item_code", "warehouse", "ordered_qty"])
    return sum(row.ordered_qty for row in found if (row.item_code, row.warehouse) in lines)


def rejects(approver: Person, order: Any) -> None:
    page = approver.open_form("Auto Purchase Order", order.name)
    page.locator(".actions-btn-group:visible button").first.click()
    page.locator(".actions-btn-group a:visible", has_text="Reject").click()
    dialog = page.locator(".modal:visible", has_text="Reject this proposal")
    dialog.locator("[data-fieldname=reason] textarea").fill(_REASON)
    dialog.locator(".btn-primary:visible", has_text="Reject").click()
    page.wait_for_function("() => cur_frm.doc.status === 'Rejected'")
    frappe.db.rollback()
    record = frappe.get_doc("Auto Purchase Order", order.name)
    assert record.rejection_reason == _REASON
    assert record.rejected_until, "It says until when it is not proposed again."
    assert not frappe.db.exists("Purchase Order", order.purchase_order), "The draft is gone."


def looks_around(approver: Person) -> None:
    page = approver.open("forecasting")
    page.locator(".number-widget-box .number").nth(3).wait_for()
    # A chart whose proposals have all been decided says so instead.
    page.locator(".dashboard-widget-box .frappe-chart, .chart-loading-state:visible:has-text('No Data')").nth(
        1
    ).wait_for()
    approver.settle()
    approver.picture("workspace")
    page = approver.open("planning-exception")
    page.locator(".list-row-container").first.wait_for()
    approver.picture("exceptions")
    for report in ("Stock Position against Policy", "Forecast Accuracy"):
        page = approver.open("query-report", report)
        page.locator(".dt-row[data-row-index='0'], .dt-row-0").first.wait_for()


def _close_messages(page: Any) -> None:
    """Close every message that is open or about to open."""
    while page.wait_for_function(_AT_REST).json_value() == "open":
        page.locator(".modal.show").last.locator(".btn-modal-close").click()


if __name__ == "__main__":
    main()
