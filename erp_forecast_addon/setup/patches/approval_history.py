"""Sites that were installed before approval times were kept get what Frappe's Versions still know."""

from erp_forecast_addon.setup.approval_history import read_approval_history


def execute() -> None:
    read_approval_history()
