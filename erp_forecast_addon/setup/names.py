"""What this app is called inside a site: one place for the names that setup creates and removes."""

APP = "erp_forecast_addon"
MODULE = "ERP Forecast Addon"

PLANNER = "Forecast Planner"
APPROVER = "Forecast Approver"
ROLES = (PLANNER, APPROVER)

AUTO_PURCHASE_ORDER = "Auto Purchase Order"
WORKFLOW = "Auto Purchase Order Approval"
