"""Sites that were installed before there were change sets get their approval workflow."""

from erp_forecast_addon.setup.workflow import LEVELS, create_workflow


def execute() -> None:
    create_workflow([LEVELS])
