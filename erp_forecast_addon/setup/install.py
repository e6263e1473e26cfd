"""What a site gets when the app is installed or migrated. All of it can run twice and then changes nothing."""

from erp_forecast_addon.setup.approval_history import read_approval_history
from erp_forecast_addon.setup.company_rows import ensure_company_rows
from erp_forecast_addon.setup.custom_fields import ensure_custom_fields
from erp_forecast_addon.setup.exception_rules import ensure_exception_rules
from erp_forecast_addon.setup.roles import ensure_roles
from erp_forecast_addon.setup.workflow import create_workflow
from erp_forecast_addon.site.frappe_site import ensure_indexes


def after_install() -> None:
    """The workflow and the companies' rows are made here only: what a site deletes of them stays deleted."""
    after_migrate()
    read_approval_history()
    create_workflow()
    ensure_company_rows()


def after_migrate() -> None:
    ensure_roles()
    ensure_custom_fields()
    ensure_exception_rules()
    ensure_indexes()
