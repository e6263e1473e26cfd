"""What a run is told: one frozen record per company, validated when it is made."""

from dataclasses import dataclass, field
from typing import Literal

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.position import FORECAST_KINDS

Period = Literal["day", "week", "month"]
Tier = Literal["fast", "full"]
# Fixed is no default for a company: each of its levels belongs to an item, so it stands in planning rules.
POLICY_METHODS = (
    "Textbook",
    "Cycle Service Level",
    "Fill Rate",
    "Least Cost",
    "Buffers",
    "Simulated Cycle Service Level",
    "Simulated Fill Rate",
    "Simulated Least Cost",
)
UNMET_DEMAND = ("Waits", "Is Lost")
AS_DELIVERED = "As Suppliers Deliver"
ARRIVAL_DATES = (AS_DELIVERED, "As Agreed")
Review = Literal["Continuous", "Periodic"]
UnmetDemand = Literal["Waits", "Is Lost"]
DEFAULT_QUANTILES = (0.005, 0.025, 0.1, 0.165, 0.25, 0.5, 0.75, 0.835, 0.9, 0.95, 0.975, 0.995)
_LOWEST_DAYS = (
    ("horizon_days", 1), ("history_days", 1), ("review_period_days", 0), ("approval_days", 0),
    ("consume_back_days", 0), ("consume_forward_days", 0), ("demand_fence_days", 0), ("production_horizon_days", 0),
)  # fmt: skip


@dataclass(frozen=True)
class PlanSettings:
    """company, currency: of the run. Days are calendar days; service levels are shares in (0, 1), of order cycles or of
    demand as the method has it. What is said here holds for every pair to which no planning rule says otherwise.
    """

    company: str
    currency: str = ""
    period: Period = "day"
    horizon_days: int = 90
    history_days: int = 730
    review_period_days: int = 7  # how long an order is meant to last beyond its arrival
    approval_days: int = 2  # orders are drafted so many days before they have to be placed
    default_lead_time_days: float = 14.0
    service_level_by_class: dict[str, float] = field(default_factory=lambda: {"A": 0.98, "B": 0.95, "C": 0.90})
    abc_thresholds: tuple[float, float] = (0.80, 0.95)
    xyz_thresholds: tuple[float, float] = (0.5, 1.0)  # coefficients of variation at which class Y and Z begin
    margin_pct: float = 30.0
    policy_method: str = "Fill Rate"  # one of inventory.methods.METHODS
    review: Review = "Continuous"  # Periodic: orders leave every review_period_days only
    unmet_demand: UnmetDemand = "Waits"  # what simulated levels take a shortage for; the formulas take it to wait
    arrival_dates: str = AS_DELIVERED  # one of ARRIVAL_DATES: when open orders are taken to arrive
    holding_rate_per_year: float = 0.25  # share of a unit's cost
    order_cost: float = 0.0  # of placing an order line, company currency
    # of a demand that is not served in full, of items asked for now and then; 0: a unit short costs its margin
    occasion_cost: float = 0.0
    alternative_suppliers: str = "Offer"  # Offer | Take: whether a cheaper or faster supplier is only named
    alternative_saving: float = 0.02  # least share of the total cost that another supplier must save to be named
    alternative_on_time: float = 0.8  # least on-time share of a supplier that is taken by itself
    ship_to: str = "Joined"  # one of tables.SHIP_TO_RULES
    pull_forward_days: int = 7  # how far ahead lines are ordered now to fill a supplier's minimum or truck
    take_price_breaks: bool = True
    weekly_budget: float = 0.0  # company currency that may be ordered in a week; 0: any
    weekly_cash_limit: float = 0.0  # company currency that may fall due for payment in one week; 0: any
    level_band: float = 0.0  # levels that would move by no more than this share stay as they are
    quantile_levels: tuple[float, ...] = DEFAULT_QUANTILES
    outlier_limit: float = 6.0
    tier: Tier = "fast"  # full: with the gradient-boosting model, for a company whose runs may take minutes
    arima_items: int = 0  # how many of the items that move most money are tried with ARIMA
    arima_seconds: float = 60.0  # what a run may spend on that
    seed: int = 0
    # forecast against firm demand, see purchasing.position
    consume_back_days: int = 0  # how far an order reaches back for forecast beyond its own week
    consume_forward_days: int = 0
    demand_fence_days: int = 0  # so many days from tomorrow only firm demand counts
    production_horizon_days: int = 0  # so far exploded demand replaces a component's forecast
    forecast_kinds: tuple[str, ...] = FORECAST_KINDS  # firm demand that the demand history, so the forecast, contains
    # within the company, see purchasing.transfers
    transfer_days: float = 1.0  # until goods of another warehouse of the company are there
    transfer_cost: float = 0.0  # of a line moved between warehouses, company currency

    def __post_init__(self) -> None:
        if self.period not in ("day", "week", "month"):
            raise BadInput(
                _("{company}: the period must be day, week or month, not {period}."),
                company=self.company,
                period=self.period,
            )
        for name, level in self.service_level_by_class.items():
            if not 0.0 < level < 1.0:
                raise BadInput(
                    _(
                        "{company}: the service level of class {abc_class} is {percent}%. It must lie above 0 and "
                        "below 100%: no finite stock can promise 100%, and 0% needs no planning."
                    ),
                    company=self.company,
                    abc_class=name,
                    percent=round(level * 100, 4),
                )
        self._check_policy()
        for name, low in _LOWEST_DAYS:
            if getattr(self, name) < low:
                raise BadInput(
                    _("{company}: {name} must be at least {low}, not {value}."),
                    company=self.company,
                    name=name,
                    low=low,
                    value=getattr(self, name),
                )

    def _check_policy(self) -> None:
        if self.policy_method not in POLICY_METHODS:
            raise BadInput(
                _("{company}: there is no policy method {method}; there are {methods}."),
                company=self.company,
                method=self.policy_method,
                methods=", ".join(POLICY_METHODS),
            )
        if self.review not in ("Continuous", "Periodic"):
            raise BadInput(
                _("{company}: the review is Continuous or Periodic, not {review}."),
                company=self.company,
                review=self.review,
            )
        if self.unmet_demand not in UNMET_DEMAND:
            raise BadInput(
                _("{company}: unmet demand Waits or Is Lost, not {unmet_demand}."),
                company=self.company,
                unmet_demand=self.unmet_demand,
            )
        self._check_choice("arrival_dates", ARRIVAL_DATES)
        self._check_choice("alternative_suppliers", ("Offer", "Take"))
        self._check_choice("ship_to", ("Joined", "Per Warehouse"))
        amounts = (
            "holding_rate_per_year", "order_cost", "level_band", "weekly_budget", "weekly_cash_limit", "transfer_days",
            "transfer_cost", "occasion_cost",
        )  # fmt: skip
        for name in (*amounts, "alternative_saving", "alternative_on_time", "pull_forward_days"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise BadInput(
                    _("{company}: {name} must be at least {low}, not {value}."),
                    company=self.company,
                    name=name,
                    low=0,
                    value=getattr(self, name),
                )
        y_from, z_from = self.xyz_thresholds
        if not 0.0 < y_from < z_from:
            raise BadInput(
                _("{company}: class Y begins at {y_from} and class Z at {z_from}; they must rise from above 0."),
                company=self.company,
                y_from=y_from,
                z_from=z_from,
            )

    def _check_choice(self, name: str, known: tuple[str, ...]) -> None:
        if getattr(self, name) not in known:
            raise BadInput(
                _("{company}: {name} is one of {known}, not {value}."),
                company=self.company,
                name=name,
                known=", ".join(known),
                value=getattr(self, name),
            )
