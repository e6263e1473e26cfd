"""A company's row of Forecast Settings as a frozen record."""

from dataclasses import dataclass, field
from datetime import time

from erp_forecast_addon.planning.purchasing.approval_level import ApprovalRules
from erp_forecast_addon.planning.purchasing.reminders import ReminderRules
from erp_forecast_addon.planning.settings import PlanSettings


@dataclass(frozen=True)
class ApprovalSettings:
    """Who has to approve, until when, and who is reminded. cut_off: an order approved by then leaves on that day;
    tolerated_loss_share: of the order's amount, what waiting may cost before it counts.
    """

    rules: ApprovalRules = field(default_factory=ApprovalRules)
    reminders: ReminderRules = field(default_factory=ReminderRules)
    remind: bool = True
    cut_off: time = time(14, 0)
    tolerated_loss_share: float = 0.01
    edit_reason_required: bool = False


@dataclass(frozen=True)
class CompanySettings:
    """plan: what the planner is told. The rest: what the services may do. Amounts in the company's currency."""

    company: str
    plan: PlanSettings
    enabled: bool = True
    run_hour: int = 2
    demand_manufacture: bool = False
    demand_subcontract: bool = False
    demand_material_issue: bool = True
    we_order: bool = False  # who_orders == "Forecast Addon"
    draft_orders: bool = True
    run_when_due: bool = False  # look every hour, and run where something has to be ordered that no draft covers
    submit_on_approval: bool = True  # on_approval == "Submit Purchase Order"
    auto_approve_limit: float = 0.0  # 0: off
    rejected_for_days: int = 14
    approval: ApprovalSettings = field(default_factory=ApprovalSettings)
    write_back_levels: bool = False
    write_back_safety_stock: bool = False
    by_change_set: bool = True  # write_back_by == "Change Set"; else every run writes by itself
    change_tolerance: float = 0.05  # smaller shares of the standing value are not proposed
    max_exceptions: int = 200
    exception_owner: str | None = None
    retrain_on_drift: bool = True
    use_holidays: bool = True
    holiday_country: str = ""  # "": the company's own
    holiday_subdivision: str = ""
    draft_requests: bool = True  # draft Material Requests for what is not bought
