"""What this app is called inside a site: one place for the names that setup creates and removes."""

APP = "erp_forecast_addon"
MODULE = "ERP Forecast Addon"

PLANNER = "Forecast Planner"
APPROVER = "Forecast Approver"
ROLES = (PLANNER, APPROVER)

AUTO_PURCHASE_ORDER = "Auto Purchase Order"
AUTO_MATERIAL_REQUEST = "Auto Material Request"
ORDER_DISPATCH = "Order Dispatch"
SUPPLIER_CHANNEL = "Supplier Channel"
WORKFLOW = "Auto Purchase Order Approval"
LEVEL_CHANGE_SET = "Level Change Set"
LEVELS_WORKFLOW = "Level Change Set Approval"
