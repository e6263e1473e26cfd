"""What a site gets by installing, that doing it twice changes nothing, and that uninstalling leaves nothing of ours."""

import io
from contextlib import redirect_stdout
from typing import Any

import frappe
from frappe.installer import install_app, remove_app

from erp_forecast_addon.services import write_back
from erp_forecast_addon.services.refresh import refresh_demand
from erp_forecast_addon.setup import install
from erp_forecast_addon.setup.company_rows import ensure_company_row
from erp_forecast_addon.setup.names import APP, LEVELS_WORKFLOW, MODULE, ROLES, WORKFLOW
from erp_forecast_addon.setup.our_fields import FIELDS, LAYOUT
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.doctypes import INDEXES, UNIQUE_KEYS
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made

SETUP_RECORDS = (
    "Custom Field", "Workflow", "Workflow State", "Workflow Action Master", "Role", "Custom DocPerm", "Property Setter",
    "Notification", "Scheduled Job Type",
)  # fmt: skip
ERPNEXT_TABLES = (
    "tabPurchase Order", "tabItem", "tabSupplier", "tabWarehouse", "tabMaterial Request",
    *(f"tab{each}" for each in INDEXES if each not in UNIQUE_KEYS),
)  # fmt: skip


def setup_state() -> dict[str, Any]:
    """Everything that installing may touch, with the time of its last change."""
    state: dict[str, Any] = {
        doctype: frappe.get_all(doctype, fields=["name", "modified"], order_by="name", as_list=True)
        for doctype in SETUP_RECORDS
    }
    for table in (*ERPNEXT_TABLES, *(f"tab{doctype}" for doctype in UNIQUE_KEYS)):
        state[table] = (indexes(table), columns(table))
    row_fields = ["name", "company", "modified"]
    state["rows"] = frappe.get_all("Forecast Company Settings", fields=row_fields, order_by="name", as_list=True)
    return state


def indexes(table: str) -> set[tuple[str, str]]:
    return {(row.Key_name, row.Column_name) for row in frappe.db.sql(f"show index from `{table}`", as_dict=True)}


def columns(table: str) -> list[str]:
    return [row[0] for row in frappe.db.sql(f"show columns from `{table}`")]


class TestInstall(made.SiteTestCase):
    def test_twice_changes_nothing_twice(self) -> None:
        install.after_install()
        before = setup_state()
        install.after_install()
        install.after_migrate()
        assert setup_state() == before

    def test_fields_carry_our_module_and_stand_where_they_belong(self) -> None:
        fields = frappe.get_all("Custom Field", filters={"module": MODULE}, pluck="name", order_by="name")
        data = [name for name in fields if frappe.db.get_value("Custom Field", name, "fieldtype") not in LAYOUT]
        assert data == [
            "Item Group-forecast_planner", "Item-forecast_planner", "Item-replaced_by", "Item-volume_per_unit",
            "Material Request-auto_material_request", "Purchase Order-auto_purchase_order", "Supplier-forecast_buyer",
            "Supplier-min_order_amount", "Supplier-min_order_currency", "Supplier-order_weekdays",
            "Supplier-payment_days", "Supplier-ship_to_rule", "Supplier-supplier_holiday_list",
            "Supplier-truck_fill_pct", "Supplier-truck_qty", "Supplier-truck_volume", "Supplier-truck_weight",
            "Supplier-truck_weight_uom", "Warehouse-exclude_from_planning", "Warehouse-planning_group",
            "Warehouse-supplying_warehouse", "Warehouse-transfer_days",
        ]  # fmt: skip
        link = frappe.get_meta("Purchase Order").get_field("auto_purchase_order")
        assert (link.options, link.read_only, link.no_copy) == ("Auto Purchase Order", 1, 1)
        assert [field.fieldname for field in frappe.get_meta("Item").fields][-2:] == ["forecast_tab", "forecast_html"]

    def test_a_field_that_the_site_made_itself_stays_its_own(self) -> None:
        frappe.db.set_value("Custom Field", "Warehouse-planning_group", {"module": None, "label": "Our Own Group"})
        install.after_install()
        kept = frappe.db.get_value("Custom Field", "Warehouse-planning_group", ["module", "label"])
        assert kept == (None, "Our Own Group")

    def test_tables_have_their_unique_keys(self) -> None:
        for doctype, key in UNIQUE_KEYS.items():
            rows = frappe.db.sql(f"show index from `tab{doctype}` where Non_unique = 0", as_dict=True)
            assert {row.Column_name for row in rows if row.Key_name != "PRIMARY"} == set(key), doctype

    def test_a_new_companys_row_starts_with_the_times_of_the_settings_not_of_the_clock(self) -> None:
        frappe.db.delete("Forecast Company Settings", {"company": made.company()})
        ensure_company_row(made.company())
        cut_off = frappe.db.get_value("Forecast Company Settings", {"company": made.company()}, "approval_cut_off")
        assert str(cut_off) == "14:00:00"

    def test_a_workflow_that_the_site_changed_is_left_alone(self) -> None:
        workflow = frappe.get_doc("Workflow", WORKFLOW)
        workflow.transitions[0].allowed = "Purchase Manager"
        workflow.is_active = 0
        workflow.save()
        install.after_install()
        workflow.reload()
        assert (workflow.transitions[0].allowed, workflow.is_active) == ("Purchase Manager", 0)

    def test_what_the_site_deleted_stays_deleted_on_migrate(self) -> None:
        frappe.delete_doc("Workflow", WORKFLOW)
        made.settings_row()
        frappe.db.delete("Forecast Company Settings")
        install.after_migrate()
        assert not frappe.db.exists("Workflow", WORKFLOW)
        assert frappe.db.count("Forecast Company Settings") == 0

    def test_every_hook_names_something_that_exists(self) -> None:
        hooks = frappe.get_hooks(app_name=APP)
        names = [*hooks.after_install, *hooks.before_uninstall, *hooks.after_uninstall, *hooks.after_migrate]
        names += [name for events in hooks.doc_events.values() for listed in events.values() for name in _flat(listed)]
        for table in (hooks.override_doctype_dashboards, hooks.permission_query_conditions, hooks.has_permission):
            names += [name for listed in table.values() for name in _flat(listed)]
        names += [name for listed in hooks.scheduler_events.values() for name in listed]
        assert len(names) > 25
        for name in names:
            assert callable(frappe.get_attr(name)), name

    def test_links_stand_on_the_forms_of_erpnext(self) -> None:
        for doctype in ("Item", "Supplier", "Purchase Order"):
            groups = frappe.get_meta(doctype, cached=False).get_dashboard_data().transactions
            assert "Forecast" in [group.get("label") for group in groups], doctype

    def test_old_runs_are_cleared_unless_something_refers_to_them(self) -> None:
        old, needed, fresh = (self.ended_run() for _each in range(3))
        for name in (old, needed):
            frappe.db.set_value("Forecast Run", name, "creation", "2020-01-01", update_modified=False)
        made.planned("FC-LOG", made.warehouse("Forecast Log"))
        frappe.db.set_value("Demand Forecast", {"item_code": "FC-LOG"}, "forecast_run", needed)
        clear_runs(30)
        assert [bool(frappe.db.exists("Forecast Run", name)) for name in (old, needed, fresh)] == [False, True, True]

    def ended_run(self) -> str:
        doc = {"doctype": "Forecast Run", "company": made.company(), "status": "Completed", "triggered_by": "Command"}
        return frappe.get_doc(doc).insert(ignore_permissions=True).name


class TestUninstall(made.SiteTestCase):
    """The real thing: the app leaves the site and comes back."""

    def tearDown(self) -> None:
        """Uninstalling commits: there is nothing to go back to."""
        frappe.db.rollback()

    @classmethod
    def tearDownClass(cls) -> None:
        frappe.db.rollback()
        if APP not in frappe.get_installed_apps():
            come_back()
        for doctype, name in (
            ("Purchase Order", cls.order), ("Item", "FC-LEAVE"), ("Item", "FC-OVERWRITE"), ("User", cls.email),
        ):  # fmt: skip
            frappe.delete_doc(doctype, name, force=True, ignore_missing=True)
        frappe.db.commit()
        super().tearDownClass()

    @classmethod
    def make_records(cls) -> None:
        cls.house = made.warehouse("Forecast Leaving")
        cls.erpnext = cls.of_erpnext()
        cls.email = made.user("leaver", *ROLES, "Purchase User")
        made.settings_row(who_orders="ERPNext", draft_orders=1, write_back_levels=1)
        cls.level("FC-LEAVE", 10, 25)
        cls.level("FC-OVERWRITE", 1, 2)
        cls.write_back_one("FC-OVERWRITE")
        cls.order = made.proposal(("FC-LEAVE", cls.house, 5)).purchase_order
        cls.records_about_ours()
        made.settings_row(who_orders="Forecast Addon")

    @classmethod
    def of_erpnext(cls) -> dict[str, Any]:
        """What belongs to the site, without us."""
        ours = {field["fieldname"] for _doctype, fields in FIELDS for field in fields}
        return {
            table: ([c for c in columns(table) if c not in ours], {i for i in indexes(table) if i[1] not in ours})
            for table in ERPNEXT_TABLES
        }

    @classmethod
    def level(cls, item_code: str, level: float, qty: float) -> None:
        doc = frappe.get_doc("Item", made.item(item_code))
        row = {"warehouse": cls.house, "warehouse_reorder_level": level, "warehouse_reorder_qty": qty}
        doc.append("reorder_levels", {**row, "material_request_type": "Purchase"})
        doc.save()

    @classmethod
    def write_back_one(cls, item_code: str) -> None:
        run = {"doctype": "Forecast Run", "company": made.company(), "status": "Running", "triggered_by": "Command"}
        name = frappe.get_doc(run).insert(ignore_permissions=True).name
        made.planned(item_code, cls.house, forecast_run=name, reorder_point_qty=12, order_up_to_qty=30)
        site = FrappeSite()
        assert write_back.write_back(site, name, reads.company_settings(site, made.company())) == 1

    @classmethod
    def records_about_ours(cls) -> None:
        """What people make about our DocTypes."""
        frappe.get_doc(
            {
                "doctype": "Notification",
                "name": "Forecast Test Notification",
                "subject": "New",
                "document_type": "Planning Exception",
                "event": "New",
                "channel": "System Notification",
                "message": "New",
                "enabled": 0,
                "recipients": [{"receiver_by_role": ROLES[0]}],
            }
        ).insert(set_name="Forecast Test Notification")
        frappe.permissions.add_permission("Planning Exception", "Stock User")
        channel = {"doctype": "Supplier Channel", "supplier": made.supplier("Forecast Test Supplier")}
        secret = {"channel": "Webhook", "url": "https://api.supplier.example/", "secret": "long enough to be one"}
        frappe.get_doc({**channel, **secret}).insert()
        frappe.get_doc(
            {
                "doctype": "Workflow Action",
                "reference_doctype": "Auto Purchase Order",
                "reference_name": frappe.db.get_value("Auto Purchase Order", {"purchase_order": cls.order}),
                "workflow_state": "Proposed",
                "status": "Open",
                "permitted_roles": [{"role": ROLES[1]}],
            }
        ).insert(ignore_permissions=True)

    def reorder_row(self, item_code: str) -> tuple[float, float]:
        (row,) = frappe.get_doc("Item", item_code).reorder_levels
        return (row.warehouse_reorder_level, row.warehouse_reorder_qty)

    def test_nothing_of_ours_is_left_and_it_can_come_back(self) -> None:
        assert frappe.get_doc("Item", "FC-LEAVE").reorder_levels == []
        record = frappe.db.get_value("Auto Purchase Order", {"purchase_order": self.order})
        for status in ("Open", "Closed"):
            reminder = {"reference_type": "Auto Purchase Order", "reference_name": record, "status": status}
            frappe.get_doc({"doctype": "ToDo", "description": "A reminder", **reminder}).insert()
        frappe.db.commit()
        self.rebuilt_by_a_refresh()
        assert made.company() not in self.rebuilt_by_a_refresh()
        assert singles_of_ours() == {"Demand Watermark", "Forecast Settings"}
        assert frappe.db.count("Workflow Action Permitted Role", {"role": ("in", ROLES)}) >= 1
        said = io.StringIO()
        with redirect_stdout(said):
            remove_app(APP, yes=True, no_backup=True)
        self.assert_nothing_left()
        assert self.order in said.getvalue()
        assert made.docstatus_of(self.order) == 0
        assert self.reorder_row("FC-LEAVE") == (10, 25)
        assert self.reorder_row("FC-OVERWRITE") == (1, 2)
        assert self.of_erpnext() == self.erpnext
        for doctype, fields in FIELDS:
            ours = {field["fieldname"] for field in fields if field["fieldtype"] not in LAYOUT}
            assert not ours & set(columns(f"tab{doctype}")), doctype
        frappe.get_doc("Purchase Order", self.order).submit()
        frappe.get_doc("Purchase Order", self.order).cancel()
        with redirect_stdout(said):
            come_back()
        frappe.db.commit()
        assert frappe.db.count("Workflow", {"name": ("in", (WORKFLOW, LEVELS_WORKFLOW))}) == 2
        assert frappe.db.count("Forecast Company Settings") == frappe.db.count("Company")
        assert made.company() in self.rebuilt_by_a_refresh()
        assert made.company() not in self.rebuilt_by_a_refresh()

    def rebuilt_by_a_refresh(self) -> tuple[str, ...]:
        return refresh_demand(FrappeSite()).rebuilt

    def assert_nothing_left(self) -> None:
        named = f"%{APP}%"
        for doctype, filters in (
            ("DocType", {"module": MODULE}),
            ("Module Def", {"app_name": APP}),
            ("Custom Field", {"module": MODULE}),
            (
                "Custom Field",
                {"fieldname": ("in", [field["fieldname"] for _doctype, fields in FIELDS for field in fields])},
            ),
            ("ToDo", {"reference_type": ("in", ("Auto Purchase Order", "Planning Exception"))}),
            ("Comment", {"reference_doctype": ("in", ("Auto Purchase Order", "Planning Exception"))}),
            ("Workflow", {"name": ("in", (WORKFLOW, LEVELS_WORKFLOW))}),
            ("Workflow Action", {"reference_doctype": "Auto Purchase Order"}),
            ("Workflow Action Permitted Role", {"role": ("in", ROLES)}),
            ("Workflow State", {"name": ("in", ("Proposed", "Withdrawn", "Partly Applied"))}),
            ("Role", {"name": ("in", ROLES)}),
            ("Has Role", {"role": ("in", ROLES)}),
            ("Custom DocPerm", {"parent": "Planning Exception"}),
            ("DocPerm", {"role": ("in", ROLES)}),
            ("Notification", {"document_type": "Planning Exception"}),
            ("Workspace", {"module": MODULE}),
            ("Report", {"module": MODULE}),
            ("Number Card", {"module": MODULE}),
            ("Dashboard Chart", {"module": MODULE}),
            ("Scheduled Job Type", {"method": ("like", named)}),
            ("DefaultValue", {"defkey": ("like", named)}),
            ("Logs To Clear", {"ref_doctype": ("in", ("Forecast Run", "Planning Exception"))}),
        ):
            assert frappe.get_all(doctype, filters=filters, pluck="name") == [], (doctype, filters)
        assert not frappe.db.sql("select name from `__Auth` where doctype = 'Supplier Channel'")
        assert singles_of_ours() == set()
        tables = {row[0] for row in frappe.db.sql("show tables")}
        words = ("Forecast", "Demand", "demand_", "Auto Purchase", "Safety Stock", "Planning Exc", "Reorder Level B")
        words += ("Order Dispatch", "Supplier Channel", "Planning Scenario")
        assert not [table for table in tables if any(word in table for word in words)]


def come_back() -> None:
    """Install, and let this process see our document events again: it keeps those of the time without us."""
    install_app(APP)
    frappe.local.doc_events_hooks = None


def singles_of_ours() -> set[str]:
    """DocTypes of ours that have rows in Singles; by name, as after uninstalling there is no DocType to ask."""
    rows = frappe.db.sql("select distinct doctype from tabSingles")
    return {name for (name,) in rows if name.startswith(("Forecast ", "Demand "))}


def clear_runs(days: int) -> None:
    from frappe.model.base_document import get_controller

    get_controller("Forecast Run").clear_old_logs(days=days)


def _flat(listed: str | list[str]) -> list[str]:
    return [listed] if isinstance(listed, str) else listed
