"""What a run is told: one frozen record per company, validated when it is made."""

from dataclasses import dataclass, field
from typing import Literal

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

Period = Literal["day", "week", "month"]
Tier = Literal["fast", "full"]
DEFAULT_QUANTILES = (0.005, 0.025, 0.1, 0.165, 0.25, 0.5, 0.75, 0.835, 0.9, 0.95, 0.975, 0.995)


@dataclass(frozen=True)
class PlanSettings:
    """company, currency: of the run. Days are calendar days; service levels are cycle service levels in (0, 1)."""

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
    margin_pct: float = 30.0
    quantile_levels: tuple[float, ...] = DEFAULT_QUANTILES
    outlier_limit: float = 6.0
    tier: Tier = "fast"  # full: with the gradient-boosting model, for a company whose runs may take minutes
    arima_items: int = 0  # how many of the items that move most money are tried with ARIMA
    arima_seconds: float = 60.0  # what a run may spend on that
    seed: int = 0

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
        for name, low in (("horizon_days", 1), ("history_days", 1), ("review_period_days", 0), ("approval_days", 0)):
            if getattr(self, name) < low:
                raise BadInput(
                    _("{company}: {name} must be at least {low}, not {value}."),
                    company=self.company,
                    name=name,
                    low=low,
                    value=getattr(self, name),
                )
