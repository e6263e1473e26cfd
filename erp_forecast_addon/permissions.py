"""Who sees which planning record: User Permissions on Company and Warehouse, followed into child rows.

Frappe itself applies User Permissions to the link fields of a record. Two things it does not do, and we add:
- a list leaves out an Auto Purchase Order or a Level Change Set as soon as one of its lines names a warehouse that the
  user may not see;
- a record without a warehouse (a run, an exception about a supplier) is shown only within the companies of the user's
  warehouses, even if he has no User Permission on Company at all.
Frappe expands a permission on a group warehouse to its descendants before it comes here.
"""

from collections.abc import Iterable
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.permissions import get_allowed_docs_for_doctype, get_user_permissions

from erp_forecast_addon.setup.names import AUTO_MATERIAL_REQUEST, AUTO_PURCHASE_ORDER, ORDER_DISPATCH, SUPPLIER_CHANNEL

_REQUEST_LINE = "Auto Material Request Item"
_ORDER_LINE = "Auto Purchase Order Item"
_SET, _CHANGE = "Level Change Set", "Level Change"
# Records that stand or fall with all of their lines: DocType -> its lines, the line's field that names it.
_LINES_OF = {AUTO_PURCHASE_ORDER: (_ORDER_LINE, "parent"), _SET: (_CHANGE, "change_set")}
_COMPANY_ROW = "Forecast Company Settings"
_NATIVE_LINE = "Purchase Order Item"
_RUN, _RUN_STEP = "Forecast Run", "Forecast Run Step"
_REPLAY, _REPLAY_ROW = "Policy Replay", "Policy Replay Result"
_SCENARIO = "Planning Scenario"
_EVENT = "Demand Event"
_CHANGING = ("create", "write", "delete", "submit", "cancel", "amend", "import")


def query_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """The SQL condition on a list of a planning record; "" where the user has no restriction of ours."""
    assert doctype, "Frappe passes the DocType whose list it builds"
    companies, warehouses = allowed(user, "Company", doctype), allowed(user, "Warehouse", doctype)
    conditions = []
    if companies is None and warehouses is not None:
        conditions.append(_in(doctype, "company", companies_of(warehouses)))
    if doctype in _LINES_OF and warehouses is not None:
        conditions.append(_no_line_elsewhere(doctype, warehouses))
    return _joined(conditions)


def order_line_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Lines of Auto Purchase Orders, which Frappe lists without looking at their order."""
    conditions = []
    companies = allowed(user, "Company", AUTO_PURCHASE_ORDER)
    warehouses = allowed(user, "Warehouse", AUTO_PURCHASE_ORDER)
    if companies is None and warehouses is not None:
        companies = companies_of(warehouses)
    if warehouses is not None:
        conditions.append(_in(_ORDER_LINE, "warehouse", warehouses))
    if companies is not None:
        conditions.append(_of_companies(_ORDER_LINE, AUTO_PURCHASE_ORDER, companies))
    return _joined(conditions)


def request_line_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Lines of Auto Material Requests, likewise: both warehouses of a line must be the user's."""
    conditions = []
    companies = allowed(user, "Company", AUTO_MATERIAL_REQUEST)
    warehouses = allowed(user, "Warehouse", AUTO_MATERIAL_REQUEST)
    if companies is None and warehouses is not None:
        companies = companies_of(warehouses)
    if warehouses is not None:
        conditions.append(_in(_REQUEST_LINE, "warehouse", warehouses))
        giving = _in(_REQUEST_LINE, "from_warehouse", warehouses)
        conditions.append(f"(ifnull(`tab{_REQUEST_LINE}`.`from_warehouse`, '') = '' or {giving})")
    if companies is not None:
        conditions.append(_of_companies(_REQUEST_LINE, AUTO_MATERIAL_REQUEST, companies))
    return _joined(conditions)


def dispatch_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Lists of Order Dispatch: what is said about an order is seen by who may see all its lines, as ours is."""
    warehouses, companies = allowed(user, "Warehouse", ORDER_DISPATCH), allowed_companies(user, ORDER_DISPATCH)
    conditions = [] if companies is None else [_in(ORDER_DISPATCH, "company", companies)]
    if warehouses is not None:
        conditions.append(
            f"not exists (select 1 from `tab{_NATIVE_LINE}` line where "
            f"line.`parent` = `tab{ORDER_DISPATCH}`.`purchase_order` and line.`warehouse` not in {_values(warehouses)})"
        )
    return _joined(conditions)


def channel_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Lists of Supplier Channel: those of the user's companies, and those for every company."""
    companies = allowed_companies(user, SUPPLIER_CHANNEL)
    if companies is None:
        return ""
    return f"(ifnull(`tab{SUPPLIER_CHANNEL}`.`company`, '') = '' or {_in(SUPPLIER_CHANNEL, 'company', companies)})"


def run_step_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Steps of Forecast Runs: the runs of the user's companies only."""
    companies = allowed_companies(user, _RUN)
    return "" if companies is None else _of_companies(_RUN_STEP, _RUN, companies)


def replay_row_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Results of Policy Replays: the replays of the user's companies only."""
    companies = allowed_companies(user, _REPLAY)
    return "" if companies is None else _of_companies(_REPLAY_ROW, _REPLAY, companies)


def signal_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Lists of Demand Event and Forecast Override: what names no company or warehouse concerns everyone."""
    assert doctype, "Frappe passes the DocType whose list it builds"
    return _joined(_signal_conditions(user, doctype))


def event_row_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Values and uplifts of the events that the user may see."""
    assert doctype, "Frappe passes the DocType whose list it builds"
    conditions = _joined(_signal_conditions(user, _EVENT))
    return f"`tab{doctype}`.`parent` in (select `name` from `tab{_EVENT}` where {conditions})" if conditions else ""


def _signal_conditions(user: str | None, doctype: str) -> list[str]:
    limits = {"company": allowed_companies(user, doctype), "warehouse": allowed(user, "Warehouse", doctype)}
    return [
        f"ifnull(`tab{doctype}`.`{field}`, '') = '' or {_in(doctype, field, names)}"
        for field, names in limits.items()
        if names is not None
    ]


def scenario_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Lists of Planning Scenario: those of the user's companies; who may not see all warehouses sees his own only, as
    the results of others name warehouses that he may not see."""
    companies = allowed_companies(user, _SCENARIO)
    conditions = [] if companies is None else [_in(_SCENARIO, "company", companies)]
    if allowed(user, "Warehouse", _SCENARIO) is not None:
        conditions.append(_in(_SCENARIO, "owner", [user or frappe.session.user]))
    return _joined(conditions)


def company_row_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Rows of Forecast Settings: the user's companies only."""
    companies = allowed_companies(user, "Forecast Settings")
    return "" if companies is None else _in(doctype or _COMPANY_ROW, "company", companies)


def exception_rule_conditions(user: str | None = None, doctype: str | None = None) -> str:
    """Rules of the exception queue: those of the user's companies, and those that hold for every company."""
    companies = allowed_companies(user, "Forecast Settings")
    rule = "Planning Exception Rule"
    if companies is None:
        return ""
    return f"({_in(rule, 'company', companies)} or ifnull(`tab{rule}`.company, '') = '')"


def has_permission(doc: Document, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
    """Whether the company and every warehouse of one record may be seen; never None, which denies in Frappe v16."""
    companies = allowed_companies(user, doc.doctype)
    if companies is not None and doc.get("company") and doc.company not in companies:
        return False
    warehouses = allowed(user, "Warehouse", doc.doctype)
    return warehouses is None or set(warehouses_of(doc)) <= set(warehouses)


def has_signal_permission(doc: Document, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
    """Demand Event and Forecast Override: who may see a part of the planning changes records of that part only.

    What names no company or warehouse is read by everyone, as it moves everyone's forecast; to write it, now or as it
    is stored, is for those who may see all companies or warehouses.
    """
    if not has_permission(doc, ptype, user):
        return False
    if (ptype or "read") not in _CHANGING:
        return True
    stored = (
        None if doc.is_new() else frappe.db.get_value(doc.doctype, doc.name, ["company", "warehouse"], as_dict=True)
    )
    limits = {
        "company": allowed_companies(user, doc.doctype), "warehouse": allowed(user, "Warehouse", doc.doctype),
    }  # fmt: skip
    return all(
        names is None or _place(version, field) in names
        for field, names in limits.items()
        for version in (doc, stored)
        if version is not None
    )


def has_scenario_permission(doc: Document, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
    """A Planning Scenario of the user's companies; see scenario_conditions."""
    companies = allowed_companies(user, _SCENARIO)
    if companies is not None and doc.get("company") and doc.company not in companies:
        return False
    if allowed(user, "Warehouse", _SCENARIO) is None or doc.is_new():
        return True
    return bool(doc.owner == (user or frappe.session.user))


def has_dispatch_permission(doc: Document, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
    """Whether the company of an Order Dispatch and every warehouse of its order may be seen."""
    companies = allowed_companies(user, ORDER_DISPATCH)
    if companies is not None and doc.company not in companies:
        return False
    warehouses = allowed(user, "Warehouse", ORDER_DISPATCH)
    if warehouses is None:
        return True
    lines = frappe.get_all(_NATIVE_LINE, filters={"parent": doc.purchase_order}, pluck="warehouse")
    return {warehouse for warehouse in lines if warehouse} <= set(warehouses)


def has_channel_permission(doc: Document, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
    """A Supplier Channel for every company is read by all and changed by who may see all companies."""
    companies = allowed_companies(user, SUPPLIER_CHANNEL)
    if companies is None:
        return True
    stored = None if doc.is_new() else frappe.db.get_value(SUPPLIER_CHANNEL, doc.name, "company")
    named = [doc.company or "", *([] if doc.is_new() else [stored or ""])]
    may_see = [*companies, *([] if (ptype or "read") in _CHANGING else [""])]
    return all(company in may_see for company in named)


def _place(record: Any, field: str) -> str | None:
    """The record's company or warehouse; a warehouse says whose it is."""
    if field == "company" and not record.get("company") and record.get("warehouse"):
        return frappe.get_cached_value("Warehouse", record.get("warehouse"), "company")
    return record.get(field)


def warehouses_of(doc: Document) -> list[str]:
    """The warehouses that a record or its lines name."""
    if doc.doctype == _SET:
        of_set = {"change_set": doc.name}
        found = frappe.get_all(_CHANGE, filters=of_set, pluck="warehouse", distinct=True, order_by="warehouse asc")
        return [warehouse for warehouse in found if warehouse]
    lines = doc.get("items") if doc.doctype == AUTO_PURCHASE_ORDER else None
    giving = doc.get("from_warehouse") if doc.doctype == AUTO_MATERIAL_REQUEST else None
    named = [doc.get("warehouse"), giving, *(line.warehouse for line in lines or [])]
    return [warehouse for warehouse in named if warehouse]


def allowed_companies(user: str | None, doctype: str) -> list[str] | None:
    """The companies a user may see in `doctype`, by his permissions on Company or else on Warehouse; None: all."""
    companies = allowed(user, "Company", doctype)
    if companies is not None:
        return companies
    warehouses = allowed(user, "Warehouse", doctype)
    return None if warehouses is None else companies_of(warehouses)


def allowed(user: str | None, of: str, doctype: str) -> list[str] | None:
    """What User Permissions on `of` (Company, Warehouse) allow the user to see in `doctype`; None: everything."""
    user = user or frappe.session.user
    if user == "Administrator":
        return None
    granted = get_user_permissions(user).get(of)
    return (get_allowed_docs_for_doctype(granted, doctype) or None) if granted else None


def companies_of(warehouses: Iterable[str]) -> list[str]:
    """The companies that own these warehouses."""
    rows = frappe.get_all("Warehouse", filters={"name": ("in", list(warehouses))}, pluck="company", distinct=True)
    return [company for company in rows if company]


def company_shown(filters: Any, doctype: str) -> str | None:
    """The one company whose amounts are added up, as those of several may be in different currencies.

    filters: of a card or chart, JSON or dict. The company that they name, else the user's default company, else the
    first that he may see. None: the filters name one that he may not see, or there is none.
    """
    given = frappe.parse_json(filters) if isinstance(filters, str) else filters
    named = given.get("company") if isinstance(given, dict) else None
    allowed_names = allowed_companies(None, doctype)
    within = {} if allowed_names is None else {"name": ("in", allowed_names)}
    seen = frappe.get_all("Company", filters=within, pluck="name", order_by="creation asc")
    if named:
        return named if named in seen else None
    default = frappe.defaults.get_user_default("Company")
    return default if default in seen else next(iter(seen), None)


def check_record(doctype: str, name: str, ptype: str = "read") -> Document:
    """The record, if the user has the right on it.

    frappe.PermissionError otherwise, in the same words for a record that does not exist: who may not see it does not
    learn that there is one.
    """
    frappe.has_permission(doctype, ptype, throw=True)
    record = frappe.get_doc(doctype, name) if name and frappe.db.exists(doctype, name) else None
    if record is None or not record.has_permission(ptype):
        sentence = frappe._("There is no {0} {1} on which you have the right.")
        frappe.throw(sentence.format(frappe._(doctype), frappe.bold(name)), frappe.PermissionError)
    return record


def check_company(company: str, doctype: str, ptype: str = "read") -> None:
    """Refuse (frappe.PermissionError) unless the user has the right on `doctype` and may see the company."""
    frappe.has_permission(doctype, ptype, throw=True)
    companies = allowed_companies(None, doctype)
    if not frappe.db.exists("Company", company) or (companies is not None and company not in companies):
        frappe.throw(frappe._("You may not see the planning of {0}.").format(company), frappe.PermissionError)


def _no_line_elsewhere(doctype: str, warehouses: list[str]) -> str:
    lines, link = _LINES_OF[doctype]
    return (
        f"not exists (select 1 from `tab{lines}` line where line.`{link}` = `tab{doctype}`.`name` "
        f"and line.`warehouse` not in {_values(warehouses)})"
    )


def _of_companies(child: str, parent: str, companies: list[str]) -> str:
    """Rows of a child table whose record belongs to one of the companies."""
    return f"`tab{child}`.`parent` in (select `name` from `tab{parent}` where `company` in {_values(companies)})"


def _in(doctype: str, field: str, values: list[str]) -> str:
    return f"`tab{doctype}`.`{field}` in {_values(values)}"


def _values(values: Iterable[str]) -> str:
    """An SQL list; a list of nothing matches nothing."""
    return "(" + (", ".join(frappe.db.escape(value, percent=False) for value in values) or "''") + ")"


def _joined(conditions: list[str]) -> str:
    return " and ".join(f"({condition})" for condition in conditions)


def may_open_app() -> bool:
    """Whether the app stands on the user's apps screen."""
    return bool(frappe.has_permission("Demand Forecast", "read"))
