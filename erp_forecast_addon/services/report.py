"""What stands in a site's planning records, gathered for people: the HTML report and the terminal's summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import SUPPLY_KINDS
from erp_forecast_addon.reporting import wording
from erp_forecast_addon.reporting.charts import DemandCurve, StockPath, stock_path
from erp_forecast_addon.reporting.contents import ItemPicture, ReportContents
from erp_forecast_addon.reporting.page import render_page
from erp_forecast_addon.services.item_view import item_view
from erp_forecast_addon.services.replay import last_replay
from erp_forecast_addon.services.run import interrupted_runs, running_job
from erp_forecast_addon.site import item_queries, reads, report_queries
from erp_forecast_addon.site.port import RunningJob, Site

MOST_PICTURES = 24
UNDECIDED = ("Proposed",)
_HISTORY_PERIODS = {"day": 120, "week": 52, "month": 36}
_FORECAST_PERIODS = {"day": 60, "week": 26, "month": 12}
# The stock chart ends soon after an order of the next review could arrive: beyond it, later orders decide.
_DAYS_BEYOND = 3
_INTERVAL = (0.1, 0.9)
_FREQUENCY = {"day": "D", "week": "W-SUN", "month": "M"}
_PAIR = ["item_code", "warehouse"]

NO_COMPANY = _("There is no company {company}. Known: {known}.")
NONE_ENABLED = _("No company is planned: enable one in Forecast Settings first.")
WHICH_COMPANY = _("Several companies are planned; name one of them: {companies}.")
NO_ITEM = _("There is no item {item_code}.")
NEVER_RUN = _("{company} has not been planned yet, so there is nothing to report. Run the plan first.")


def collect(site: Site, company: str, most_pictures: int = MOST_PICTURES) -> ReportContents:
    """Everything the report shows of a company's last run. most_pictures: how many items are charted.

    Raises Refused where the company was never planned.
    """
    runs = site.fetch(report_queries.last_runs(site.qb, company, 1))
    if runs.empty:
        raise Refused(site.translate(NEVER_RUN).format(company=company))
    run: dict[str, Any] = {str(name): value for name, value in runs.iloc[0].items()}
    policies = _named(site.fetch(report_queries.policies(site.qb, company)))
    forecasts = _named(site.fetch(report_queries.forecasts(site.qb, company)))
    lines = _named(site.fetch(report_queries.lines(site.qb, company, UNDECIDED)))
    lines["quantity"] = [
        f"{wording.quantity(qty)} {uom or ''}".strip() for qty, uom in zip(lines["qty"], lines["uom"], strict=True)
    ]
    asked = _named(site.fetch(report_queries.request_lines(site.qb, company, UNDECIDED)))
    asked["quantity"] = [
        f"{wording.quantity(qty)} {uom or ''}".strip()
        for qty, uom in zip(asked["qty"], asked["stock_uom"], strict=True)
    ]
    return ReportContents(
        company=company,
        currency=reads.company_settings(site, company).plan.currency,
        written_at=site.now(),
        run=run,
        steps=site.fetch(report_queries.steps(site.qb, run["name"])),
        orders=site.fetch(report_queries.orders(site.qb, company, UNDECIDED)),
        lines=lines,
        exceptions=site.fetch(report_queries.exceptions(site.qb, company)),
        policies=policies,
        forecasts=forecasts,
        accuracy=accuracy_by_class(forecasts),
        pictures=_pictures(site, company, policies, lines, most_pictures),
        replay=last_replay(site, company),
        requests=asked,
    )


def write_html(site: Site, company: str, path: Path, most_pictures: int = MOST_PICTURES) -> Path:
    """Write the report as one self-contained file; makes the folder. Raises Refused where it cannot be written."""
    page = render_page(collect(site, company, most_pictures))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        template = site.translate(_("The report cannot be written to {path}: {reason}"))
        raise Refused(template.format(path=path, reason=error.strerror)) from error
    return path.resolve()


def accuracy_by_class(forecasts: pd.DataFrame) -> pd.DataFrame:
    """demand_class, forecasts, wape_pct and mase (medians), bias_pct (mean), models (the most chosen first).

    Rows are bulk-written, where a missing number is stored as 0: an error of exactly 0 is taken as not measured.
    """
    if forecasts.empty:
        return pd.DataFrame(columns=["demand_class", "forecasts", "wape_pct", "bias_pct", "mase", "models"])
    measured = forecasts.assign(
        wape_pct=forecasts["wape_pct"].replace(0.0, np.nan), mase=forecasts["mase"].replace(0.0, np.nan)
    )
    by_class = measured.groupby("demand_class", sort=True)
    table = by_class.agg(
        forecasts=("item_code", "size"), wape_pct=("wape_pct", "median"), bias_pct=("bias_pct", "mean"),
        mase=("mase", "median"), models=("model", _most_chosen),
    )  # fmt: skip
    return table.reset_index().sort_values("forecasts", ascending=False, kind="stable", ignore_index=True)


def _most_chosen(models: pd.Series) -> str:
    counts = models.value_counts()
    shown = ", ".join(f"{name} ({count})" for name, count in counts.head(4).items())
    return f"{shown} …" if len(counts) > 4 else shown


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """`item`: the code, and the name where it says more."""
    names = rows["item_name"].fillna("")
    same = (names == "") | (names == rows["item_code"])
    return rows.assign(item=rows["item_code"].where(same, rows["item_code"] + " · " + names))


# ---- pictures: one item in one warehouse each, a few dozen at most --------------------------------------------------
def _pictures(site: Site, company: str, policies: pd.DataFrame, lines: pd.DataFrame, most: int) -> list[ItemPicture]:
    if policies.empty or most <= 0:
        return []
    chosen = most_telling(policies, lines).head(most)
    dated = reads.dated(site, company)
    views = {item: item_view(site, item) for item in chosen["item_code"].unique()}
    return [
        _picture(policy, _pair_of(views[policy["item_code"]], policy["warehouse"]), dated)
        for policy in chosen.to_dict("records")
    ]


def most_telling(policies: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The policies, those with most money at risk in drafted lines first, then those with the most value in demand."""
    risk = lines.groupby(_PAIR)["money_at_risk"].sum() if len(lines) else pd.Series(dtype=float)
    pairs = pd.MultiIndex.from_frame(policies[_PAIR])
    ranked = policies.assign(
        risk=risk.reindex(pairs).fillna(0.0).to_numpy() if len(lines) else 0.0,
        class_rank=policies["abc_class"].map({"A": 0, "B": 1, "C": 2}).fillna(3),
    )
    return ranked.sort_values(
        ["risk", "class_rank", "safety_stock_value", "item_code"], ascending=[False, True, False, True], kind="stable"
    )


def _pair_of(view: dict[str, Any], warehouse: str) -> dict[str, Any] | None:
    return next((pair for pair in view["pairs"] if pair["warehouse"] == warehouse), None)


def _picture(policy: dict[str, Any], pair: dict[str, Any] | None, dated: pd.DataFrame) -> ItemPicture:
    forecast = pair["forecast"] if pair else None
    demand, stock = None, None
    if pair and forecast:
        as_of = date.fromisoformat(pair["as_of"])
        demand, stock = demand_curve(pair["history"], forecast, as_of), _stock(policy, forecast, dated, as_of)
    return ItemPicture(
        item_code=str(policy["item_code"]), item_name=str(policy["item_name"] or ""),
        warehouse=str(policy["warehouse"]), stock_uom=str(policy["stock_uom"] or ""),
        abc_class=str(policy["abc_class"] or ""), demand_class=str(policy["demand_class"] or ""),
        model=str((forecast or {}).get("reason") or ""), on_hand_qty=float(policy["on_hand_qty"]),
        safety_stock_qty=float(policy["safety_stock_qty"]), reorder_point_qty=float(policy["reorder_point_qty"]),
        lead_time_days=float(policy["lead_time_days"]),
        demand=demand, stock=stock,
    )  # fmt: skip


def demand_curve(history: dict[str, Any] | None, forecast: dict[str, Any], as_of: date) -> DemandCurve:
    """History in the forecast's own periods (the unfinished one left out), and the forecast with its interval.

    history, forecast: as item_view gives them.
    """
    period = str(forecast["period"] or "Day").lower()
    starts, demand, out = _in_periods(history, period, as_of)
    curve, ahead = forecast["curve"], _FORECAST_PERIODS[period]
    levels = np.asarray(curve["levels"], dtype=float)
    quantiles = np.asarray(curve["quantiles"], dtype=float)
    low_at, high_at = (int(np.abs(levels - wanted).argmin()) for wanted in _INTERVAL)
    return DemandCurve(
        history_starts=starts, history=demand, out_of_stock=out,
        starts=np.array(curve["starts"][:ahead], dtype="datetime64[D]"),
        mean=np.asarray(curve["mean"], dtype=float)[:ahead], low=quantiles[low_at, :ahead],
        high=quantiles[high_at, :ahead], period=period,
        interval=f"{(levels[high_at] - levels[low_at]) * 100:.0f}% interval",
    )  # fmt: skip


def _in_periods(history: dict[str, Any] | None, period: str, as_of: date) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """starts, demand, share of days out of stock of the last complete periods."""
    if history is None:
        return np.empty(0, dtype="datetime64[D]"), np.empty(0), np.empty(0)
    days = np.datetime64(history["start"], "D") + np.arange(len(history["demand"]))
    frame = pd.DataFrame({"demand": history["demand"], "out": history["out_of_stock"]})
    if period == "day":
        kept = slice(-_HISTORY_PERIODS[period], None)
        return days[kept], frame["demand"].to_numpy(dtype=float)[kept], frame["out"].to_numpy(dtype=float)[kept]
    of_period = pd.DatetimeIndex(days).to_period(_FREQUENCY[period])
    sums = frame.groupby(of_period).agg({"demand": "sum", "out": "mean"})
    complete = sums[sums.index.end_time.normalize() <= pd.Timestamp(as_of)].tail(_HISTORY_PERIODS[period])
    starts = complete.index.start_time.to_numpy().astype("datetime64[D]")
    return starts, complete["demand"].to_numpy(dtype=float), complete["out"].to_numpy(dtype=float)


def _stock(policy: dict[str, Any], forecast: dict[str, Any], dated: pd.DataFrame, as_of: date) -> StockPath:
    daily = daily_means(forecast, as_of)[: int(np.ceil(policy["protection_days"])) + _DAYS_BEYOND]
    own = dated[(dated["item_code"] == policy["item_code"]) & (dated["warehouse"] == policy["warehouse"])]
    supply = own[own["kind"].isin(SUPPLY_KINDS) & (own["kind"] != "our_draft")]
    drafts = own[own["kind"] == "our_draft"]
    return stock_path(
        as_of, float(policy["on_hand_qty"]), daily, by_day(supply, as_of, len(daily)),
        by_day(drafts, as_of, len(daily)), float(policy["safety_stock_qty"]), float(policy["reorder_point_qty"]),
    )  # fmt: skip


def daily_means(forecast: dict[str, Any], as_of: date) -> np.ndarray:
    """Expected demand of each day from as_of + 1 to the end of the shown forecast: a period's total over its days."""
    period = str(forecast["period"] or "Day").lower()
    curve, ahead = forecast["curve"], _FORECAST_PERIODS[period]
    starts = np.array(curve["starts"], dtype="datetime64[D]")
    ends = np.append(starts[1:], _after(starts[-1], period))
    per_day = np.asarray(curve["mean"], dtype=float) / (ends - starts).astype(float)
    first, last = np.datetime64(as_of, "D") + 1, ends[min(ahead, len(ends)) - 1]
    days = np.arange(first, max(last, first + 1))
    at = np.clip(np.searchsorted(starts, days, side="right") - 1, 0, len(starts) - 1)
    return np.asarray(per_day[at])


def _after(start: np.datetime64, period: str) -> np.datetime64:
    if period == "month":
        return (start.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return start + (7 if period == "week" else 1)


def by_day(rows: pd.DataFrame, as_of: date, days: int) -> np.ndarray:
    """(days,) quantity arriving on each day from as_of + 1; what is overdue arrives on the first. Later: left out."""
    at = np.maximum((rows["day"] - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=np.int64) - 1, 0)
    inside = at < days
    return np.bincount(at[inside], rows["qty"].to_numpy(dtype=float)[inside], minlength=days)[:days].astype(float)


# ---- companies, states, lists ---------------------------------------------------------------------------------------
def planned_companies(site: Site, wanted: Sequence[str] = ()) -> list[str]:
    """The companies to plan or report on: those asked for, else all that are enabled in Forecast Settings.

    Raises Refused for a company that does not exist, and where none is enabled.
    """
    known = reads.companies(site)
    unknown = next((company for company in wanted if company not in known), None)
    if unknown is not None:
        raise Refused(site.translate(NO_COMPANY).format(company=unknown, known=", ".join(known) or wording.NOTHING))
    if wanted:
        return list(wanted)
    enabled = [company for company in known if reads.company_settings(site, company).enabled]
    if not enabled:
        raise Refused(site.translate(NONE_ENABLED))
    return enabled


def one_company(site: Site, wanted: str | None) -> str:
    """The company asked for, or the only one that is planned. Raises Refused where there is a choice."""
    companies = planned_companies(site, [wanted] if wanted else [])
    if len(companies) > 1:
        raise Refused(site.translate(WHICH_COMPANY).format(companies=", ".join(companies)))
    return companies[0]


@dataclass(frozen=True)
class CompanyState:
    """last_run: fields of the latest Forecast Run, None before the first; running: who holds the company now."""

    company: str
    enabled: bool
    last_run: dict[str, Any] | None
    running: RunningJob | None
    undecided_orders: int


def company_states(site: Site, wanted: Sequence[str] = ()) -> list[CompanyState]:
    """One per company, planned or not. Runs whose process is gone are marked as interrupted first."""
    interrupted_runs(site)
    companies = planned_companies(site, wanted) if wanted else reads.companies(site)
    return [_state(site, company) for company in companies]


def _state(site: Site, company: str) -> CompanyState:
    runs = site.fetch(report_queries.last_runs(site.qb, company, 1))
    return CompanyState(
        company=company,
        enabled=reads.company_settings(site, company).enabled,
        last_run=None if runs.empty else {str(name): value for name, value in runs.iloc[0].items()},
        running=running_job(site, company),
        undecided_orders=len(site.fetch(report_queries.orders(site.qb, company, UNDECIDED))),
    )


def undecided_orders(site: Site, companies: Sequence[str] = ()) -> pd.DataFrame:
    """Auto Purchase Orders that wait for a decision; columns report_queries.ORDER_FIELDS and company."""
    found = [
        site.fetch(report_queries.orders(site.qb, company, UNDECIDED)).assign(company=company)
        for company in (planned_companies(site, companies) if companies else reads.companies(site))
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["company"])


def refuse_unknown_item(site: Site, item_code: str) -> None:
    """Raises Refused where the site has no such Item."""
    if site.fetch(item_queries.item_facts(site.qb, item_code)).empty:
        raise Refused(site.translate(NO_ITEM).format(item_code=item_code))
