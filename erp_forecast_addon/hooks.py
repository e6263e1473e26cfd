"""A routing table: what Frappe calls, and where it lives."""

app_name = "erp_forecast_addon"
app_title = "ERP Forecast Addon"
app_publisher = "ERP Forecast Addon contributors"
app_description = "Demand forecasts, safety stock and purchase proposals inside ERPNext"
app_email = "maintainers@erp-forecast-addon.example"
app_license = "gpl-3.0"
required_apps = ["erpnext"]

export_python_type_annotations = True
require_type_annotated_api_methods = True

after_install = "erp_forecast_addon.setup.install.after_install"
after_migrate = "erp_forecast_addon.setup.install.after_migrate"
before_uninstall = "erp_forecast_addon.setup.uninstall.before_uninstall"
after_uninstall = "erp_forecast_addon.setup.uninstall.after_uninstall"

add_to_apps_screen = [
    {
        "name": "erp_forecast_addon",
        "logo": "/assets/erp_forecast_addon/images/logo.svg",
        "title": "Forecast",
        "route": "/app/demand-forecast",
        "has_permission": "erp_forecast_addon.permissions.may_open_app",
    }
]

doctype_js = {
    "Item": "public/js/item.js",
    "Material Request": "public/js/material_request.js",
    "Purchase Order": "public/js/purchase_order.js",
}

_print_formats = "erp_forecast_addon.erp_forecast_addon.print_format"
jinja = {
    "methods": [
        f"{_print_formats}.evidence.evidence_cards",
        f"{_print_formats}.evidence.evidence_sections",
    ],
}

override_doctype_dashboards = {
    "Item": ["erp_forecast_addon.setup.dashboards.item"],
    "Supplier": ["erp_forecast_addon.setup.dashboards.supplier"],
    "Purchase Order": ["erp_forecast_addon.setup.dashboards.purchase_order"],
}

scheduler_events = {
    "all": ["erp_forecast_addon.events.dispatch.send_due"],
    "hourly": [
        "erp_forecast_addon.events.schedule.hourly",
        "erp_forecast_addon.events.change_sets.resume_lost",
        "erp_forecast_addon.events.approval_reminders.remind",
    ],
    "daily_long": ["erp_forecast_addon.events.stock.compare_nightly"],
}

_dispatch = "erp_forecast_addon.events.dispatch"
_requests = "erp_forecast_addon.events.material_request"
_renames = "erp_forecast_addon.events.renames"
_stock = "erp_forecast_addon.events.stock"
doc_events = {
    "Stock Ledger Entry": {
        "on_submit": f"{_stock}.mark_ledger_entry",
        "on_trash": f"{_stock}.mark_ledger_entry",
    },
    "Repost Item Valuation": {
        "on_change": f"{_stock}.mark_repost",
    },
    "Purchase Order": {
        "before_insert": "erp_forecast_addon.events.purchase_order.before_insert",
        "after_insert": "erp_forecast_addon.events.purchase_order.after_insert",
        "on_update": [
            "erp_forecast_addon.events.order_edits.draft_saved",
            "erp_forecast_addon.events.purchase_order.on_update",
        ],
        "before_submit": "erp_forecast_addon.events.purchase_order.before_submit",
        "on_submit": [
            "erp_forecast_addon.events.purchase_order.on_submit",
            "erp_forecast_addon.events.approvals.order_submitted",
            f"{_dispatch}.order_submitted",
        ],
        "on_update_after_submit": f"{_dispatch}.order_changed",
        "on_cancel": ["erp_forecast_addon.events.purchase_order.on_cancel", f"{_dispatch}.order_cancelled"],
        "on_change": "erp_forecast_addon.events.purchase_order.on_change",
        "on_discard": "erp_forecast_addon.events.purchase_order.on_discard",
        "on_trash": "erp_forecast_addon.events.purchase_order.on_trash",
    },
    "Material Request": {
        "before_insert": f"{_requests}.before_insert",
        "after_insert": f"{_requests}.after_insert",
        "on_submit": f"{_requests}.on_submit",
        "on_cancel": f"{_requests}.on_cancel",
        "on_discard": f"{_requests}.on_discard",
        "on_trash": f"{_requests}.on_trash",
    },
    "Item": {
        "before_rename": f"{_renames}.before_rename",
        "after_rename": f"{_renames}.after_rename",
        "after_delete": f"{_renames}.after_delete",
    },
    "Warehouse": {
        "before_rename": f"{_renames}.before_rename",
        "after_rename": f"{_renames}.after_rename",
        "after_delete": f"{_renames}.after_delete",
    },
    "Supplier": {
        "before_rename": f"{_renames}.before_rename",
        "after_rename": f"{_renames}.after_rename",
        "after_delete": f"{_renames}.after_delete",
    },
    "Company": {
        "after_insert": "erp_forecast_addon.events.company.after_insert",
        "before_rename": f"{_renames}.before_rename",
        "after_rename": f"{_renames}.after_rename",
        "after_delete": f"{_renames}.after_delete",
    },
}

_our_lists = (
    "Approval Delegation",
    "Auto Material Request",
    "Auto Purchase Order",
    "Demand Forecast",
    "Driver Uplift",
    "Forecast Accuracy",
    "Forecast Accuracy Week",
    "Forecast Run",
    "Level Change",
    "Level Change Set",
    "Order Edit",
    "Planning Exception",
    "Policy Replay",
    "Safety Stock Policy",
    "Supplier Lead Time",
)
_signals = ("Demand Event", "Forecast Override", "Planning Rule", "Planning Snooze")
permission_query_conditions = {
    **dict.fromkeys(_our_lists, "erp_forecast_addon.permissions.query_conditions"),
    **dict.fromkeys(_signals, "erp_forecast_addon.permissions.signal_conditions"),
    "Demand Event Uplift": "erp_forecast_addon.permissions.event_row_conditions",
    "Demand Event Value": "erp_forecast_addon.permissions.event_row_conditions",
    "Auto Material Request Item": "erp_forecast_addon.permissions.request_line_conditions",
    "Auto Purchase Order Item": "erp_forecast_addon.permissions.order_line_conditions",
    "Forecast Company Settings": "erp_forecast_addon.permissions.company_row_conditions",
    "Forecast Run Step": "erp_forecast_addon.permissions.run_step_conditions",
    "Order Approver": "erp_forecast_addon.permissions.company_row_conditions",
    "Planning Exception Rule": "erp_forecast_addon.permissions.exception_rule_conditions",
    "Policy Replay Result": "erp_forecast_addon.permissions.replay_row_conditions",
    "Order Dispatch": "erp_forecast_addon.permissions.dispatch_conditions",
    "Planning Scenario": "erp_forecast_addon.permissions.scenario_conditions",
    "Supplier Channel": "erp_forecast_addon.permissions.channel_conditions",
}
has_permission = {
    "Order Dispatch": "erp_forecast_addon.permissions.has_dispatch_permission",
    "Planning Scenario": "erp_forecast_addon.permissions.has_scenario_permission",
    "Supplier Channel": "erp_forecast_addon.permissions.has_channel_permission",
    **dict.fromkeys(_our_lists, "erp_forecast_addon.permissions.has_permission"),
    **dict.fromkeys(_signals, "erp_forecast_addon.permissions.has_signal_permission"),
}

# Our records never keep a person from deleting his own: they are removed or outlive what they name.
ignore_links_on_delete = [
    *_our_lists,
    *_signals,
    "Demand Bucket",
    "Demand Mark",
    "Demand Pair",
    "Forecast Settings",
    "Forecast Snapshot",
    "Order Approval Time",
    "Order Dispatch",
    "Planning Scenario",
    "Reorder Level Backup",
    "Supplier Channel",
]

default_log_clearing_doctypes = {
    "Approval Delegation": 730,
    "Auto Material Request": 730,
    "Auto Purchase Order": 730,
    "Forecast Accuracy": 730,
    "Forecast Accuracy Week": 730,
    "Forecast Run": 180,
    "Forecast Snapshot": 730,
    "Level Change Set": 365,
    "Order Edit": 1095,
    "Order Approval Time": 730,
    "Planning Exception": 180,
    "Planning Snooze": 730,
    "Policy Replay": 365,
}
