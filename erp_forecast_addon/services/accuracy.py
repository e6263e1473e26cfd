"""Keeping what a run forecast, judging it when the weeks are over, and telling where forecasts drift.

Rows are written by multi-row SQL in chunks that are committed; a process that dies in between leaves whole rows, and
the next run does the rest: a snapshot is keyed by its week, and a row of Forecast Accuracy names the last week in it.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import accuracy, drift
from erp_forecast_addon.planning.accuracy import LAGS, LEVELS, STATE, Snapshot
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel, build_panel
from erp_forecast_addon.planning.wording import readable
from erp_forecast_addon.site import accuracy_queries, doctypes, reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

SNAPSHOT, ACCURACY, WEEK = "Forecast Snapshot", "Forecast Accuracy", "Forecast Accuracy Week"
OVERRIDE = "Forecast Override"
ROWS_AT_ONCE = 4000
# A week is judged once so many days more are over: what was posted late is in by then.
SETTLING_DAYS = 2
# A site that was not planned for longer starts over.
MOST_WEEKS = 26
# The scales come from a year of history before the week that is judged.
_HISTORY_WEEKS = 54
_PAIR = ["item_code", "warehouse"]
_NO_CLASS = "No Demand"
# What an error costs is told for as long as it takes to notice and act on it.
_WEEKS_OF_MONEY = 4
# Learned models are due for another look once so much of the demand drifts.
_DRIFTING_SHARE = 0.05

DEMAND_HIGHER = _(
    "More is asked for than was forecast, beyond chance: {demand} a week against {forecast} forecast one week ahead, "
    "noticed in the week of {since}. If the level has moved for good, an override helps until the models have followed."
)
DEMAND_LOWER = _(
    "Less is asked for than was forecast, beyond chance: {demand} a week against {forecast} forecast one week ahead, "
    "noticed in the week of {since}. If the level has moved for good, an override helps until the models have followed."
)
ERRORS_LARGER = _(
    "The forecast misses by more than its intervals promised: {error} a week on average at a demand of {demand}, "
    "noticed in the week of {since}. Look for promotions, large single customers or wrong bookings."
)
_SENTENCES = {drift.HIGHER: DEMAND_HIGHER, drift.LOWER: DEMAND_LOWER, drift.WIDER: ERRORS_LARGER}


@dataclass(frozen=True)
class Measured:
    """weeks: how many whole weeks were judged; rows: accuracy rows written."""

    weeks: int = 0
    rows: int = 0


# ---- keeping ---------------------------------------------------------------------------------------------------------
def record_forecasts(
    site: Site, company: str, forecasts: ForecastSet, naive: np.ndarray, without_override: np.ndarray | None = None
) -> int:
    """Keep the weekly totals of a run's forecasts; returns the rows written. Commits after every ROWS_AT_ONCE rows.

    naive: (n, h) accuracy.seasonal_naive of the same panel; without_override: (n, h) means before overrides, None if
    there are none. The last run before a week begins is what is judged: a later run of the same week replaces it, a
    run of the past or one made after the week began does not. Series without any demand are not kept.
    """
    kept = accuracy.snapshot(forecasts, naive, without_override)
    wanted = (forecasts.demand_class != _NO_CLASS) & ~_settled(site, company, kept)
    rows = _snapshot_rows(kept, np.flatnonzero(wanted), company)
    return _upsert(site, SNAPSHOT, rows)


def _settled(site: Site, company: str, kept: Snapshot) -> np.ndarray:
    """Pairs whose snapshot of this week stays as it is. (n,) bool"""
    there = site.fetch(accuracy_queries.kept_as_of(site.qb, company, kept.week_start))
    if site.as_of() < kept.week_start:
        there = there[there["as_of"] > pd.Timestamp(kept.as_of)]
    return pd.MultiIndex.from_frame(kept.keys).isin(pd.MultiIndex.from_frame(there[_PAIR]))


def _snapshot_rows(kept: Snapshot, at: np.ndarray, company: str) -> pd.DataFrame:
    rows = kept.keys.iloc[at][_PAIR].reset_index(drop=True)
    return rows.assign(
        company=company, week_start=pd.Timestamp(kept.week_start), as_of=pd.Timestamp(kept.as_of),
        figures=_texts(kept, at),
    )  # fmt: skip


def _texts(kept: Snapshot, at: np.ndarray) -> list[str]:
    """Per pair a flat list: per lag mean, naive, quantiles; at the end the means without overrides if they differ."""
    per_lag = np.concatenate([kept.mean[at, :, None], kept.naive[at, :, None], kept.quantiles[at]], axis=2)
    plain = per_lag.reshape(len(at), len(LAGS) * _PER_LAG)
    texts = _lists(plain)
    changed = ~np.isclose(kept.without_override[at], kept.mean[at], rtol=1e-6, atol=1e-9).all(axis=1)
    longer = _lists(np.concatenate([plain[changed], kept.without_override[at][changed]], axis=1))
    for row, text in zip(np.flatnonzero(changed), longer, strict=True):  # overridden pairs, which are few
        texts[row] = text
    return texts


_PER_LAG = 2 + len(LEVELS)


def _parsed(rows: pd.DataFrame, week_start: date) -> Snapshot:
    """Rows of Forecast Snapshot of one origin week."""
    lists = json.loads("[" + ",".join(rows["figures"]) + "]")
    plain = np.array([values[: len(LAGS) * _PER_LAG] for values in lists], dtype=float)
    figures = plain.reshape(len(lists), len(LAGS), _PER_LAG)
    without = figures[:, :, 0].copy()
    for row, values in enumerate(lists):
        if len(values) > len(LAGS) * _PER_LAG:
            without[row] = values[len(LAGS) * _PER_LAG :]
    return Snapshot(
        keys=rows[_PAIR].reset_index(drop=True), week_start=week_start, as_of=rows["as_of"].max().date(),
        mean=figures[:, :, 0], naive=figures[:, :, 1], without_override=without, quantiles=figures[:, :, 2:],
    )  # fmt: skip


# ---- judging ---------------------------------------------------------------------------------------------------------
def measure(site: Site, company: str, as_of: date, buckets: pd.DataFrame | None = None) -> Measured:
    """Judge every whole week up to as_of that was forecast and not judged yet, oldest first. Commits in chunks.

    buckets: table BUCKETS with the last 80 weeks of the company or more; None: read here, if there is a week to judge.
    Weeks in which a shelf was mostly empty are not judged for that pair.
    """
    weeks = _weeks_to_judge(site, company, as_of)
    if not weeks:
        return Measured()
    days = (as_of - weeks[0]).days + 7 * _HISTORY_WEEKS
    if buckets is None:
        buckets = reads.buckets(site, company, as_of - timedelta(days=days))
    weekly, _faults = build_panel(buckets, "week", as_of, company=company, history_days=days)
    judgement = _Judgement(site, company)
    for week_start in weeks:
        came = accuracy.week_of_demand(weekly, week_start)
        if came is not None:
            judgement.judge(week_start, came)
    rows = judgement.write()
    _judge_overrides(site, company, weekly)
    return Measured(len(weeks), rows)


def _weeks_to_judge(site: Site, company: str, as_of: date) -> list[date]:
    first = _day(site, accuracy_queries.first_snapshot(site.qb, company))
    if first is None:
        return []
    done = _day(site, accuracy_queries.last_judged_week(site.qb, company))
    last = accuracy.last_whole_week(as_of - timedelta(days=SETTLING_DAYS))
    begin = first if done is None else max(first, done + timedelta(days=7))
    begin = max(begin, last - timedelta(days=7 * (MOST_WEEKS - 1)))
    return [begin + timedelta(days=7 * number) for number in range((last - begin).days // 7 + 1)]


def _day(site: Site, query: object) -> date | None:
    found = site.fetch(query)["week_start"]
    return None if found.empty or pd.isna(found.iloc[0]) else pd.Timestamp(found.iloc[0]).date()


class _Judgement:
    """Running sums of all pairs and lags of a company while weeks are added to them."""

    def __init__(self, site: Site, company: str) -> None:
        self.site, self.company = site, company
        self.facts = site.fetch(accuracy_queries.classes(site.qb, company)).set_index(_PAIR)
        self.by_week: list[pd.DataFrame] = []
        self.kept: dict[date, Snapshot | None] = {}
        held = site.fetch(accuracy_queries.states(site.qb, company))
        self.pairs = pd.MultiIndex.from_frame(held[_PAIR])
        self._reset(len(held))
        if len(held):
            self.sums[:] = _parsed_sums(held["state"])
            self.until[:] = held["measured_until"].to_numpy().astype("datetime64[D]")
            self.drift[:] = held["drift"].fillna("").to_numpy()
            self.since[:] = held["drift_since"].to_numpy().astype("datetime64[D]")

    def _reset(self, n: int) -> None:
        self.sums = np.zeros((n, len(LAGS), len(STATE)))
        self.until = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        self.drift = np.full(n, "", dtype=object)
        self.since = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        self.touched = np.zeros(n, dtype=bool)

    def judge(self, week_start: date, came: accuracy.WeekOfDemand) -> None:
        """Every lag's forecast of this week. A pair whose row has the week already stays as it is: a process that was
        killed had written it.
        """
        week = np.datetime64(week_start, "D")
        had_it = pd.Index(self.pairs[self.until >= week])
        for at, lag in enumerate(LAGS):
            kept = self._snapshot(week_start - timedelta(days=7 * (lag - 1)))
            if kept is not None:
                judged = accuracy.judge(kept, lag, came)
                self._sum_up(kept, judged, lag, week_start)
                fresh = ~pd.MultiIndex.from_frame(kept.keys).isin(had_it)
                self._add(kept.keys, at, judged.assign(judged=judged["judged"] & fresh), week)

    def _snapshot(self, origin: date) -> Snapshot | None:
        if origin not in self.kept:
            rows = self.site.fetch(accuracy_queries.snapshots(self.site.qb, self.company, origin))
            self.kept[origin] = _parsed(rows, origin) if len(rows) else None
        for old in [each for each in self.kept if each < origin - timedelta(days=7 * max(LAGS))]:
            del self.kept[old]
        return self.kept[origin]

    def _rows_of(self, keys: pd.DataFrame) -> np.ndarray:
        """Positions of the pairs, those not known yet added at the end."""
        wanted = pd.MultiIndex.from_frame(keys[_PAIR])
        new = wanted.difference(self.pairs, sort=False)
        if len(new):
            before = (self.sums, self.until, self.drift, self.since, self.touched)
            self.pairs = self.pairs.append(new)
            self._reset(len(self.pairs))
            for now, old in zip((self.sums, self.until, self.drift, self.since, self.touched), before, strict=True):
                now[: len(old)] = old
        return self.pairs.get_indexer(wanted)

    def _add(self, keys: pd.DataFrame, at: int, judged: pd.DataFrame, week: np.datetime64) -> None:
        rows = self._rows_of(keys)
        new = accuracy.add_week(self.sums[rows, at], judged, LAGS[at])
        counted = rows[judged["judged"].to_numpy(dtype=bool)]
        self.sums[rows, at] = new
        self.until[counted] = week
        self.touched[counted] = True
        if LAGS[at] == accuracy.DRIFT_LAG:
            told = drift.verdict(new[:, -len(drift.SCORES) :], new[:, 0])
            changed = told != self.drift[rows]
            self.since[rows[changed]] = np.where(told[changed] == "", np.datetime64("NaT"), week)
            self.drift[rows] = told

    def _sum_up(self, kept: Snapshot, judged: pd.DataFrame, lag: int, week_start: date) -> None:
        pairs = pd.MultiIndex.from_frame(kept.keys[_PAIR])
        classes = self.facts["demand_class"].reindex(pairs).fillna(_NO_CLASS).to_numpy()
        groups = pd.DataFrame({"warehouse": kept.keys["warehouse"].to_numpy(), "demand_class": classes})
        sums = accuracy.by_week(judged, groups)
        self.by_week.append(sums.assign(company=self.company, lag_weeks=lag, week_start=pd.Timestamp(week_start)))

    def write(self) -> int:
        """Pairs first, weeks last: a week that stands there is wholly done."""
        at = np.flatnonzero(self.touched)
        pieces = range(0, len(at), ROWS_AT_ONCE)
        written = sum(_upsert(self.site, ACCURACY, self._rows(at[begin : begin + ROWS_AT_ONCE])) for begin in pieces)
        if self.by_week:
            written += _upsert(self.site, WEEK, pd.concat(self.by_week, ignore_index=True))
        return written

    def _rows(self, at: np.ndarray) -> pd.DataFrame:
        facts = self.facts.reindex(self.pairs[at]).fillna("").reset_index()
        further = {
            f"wape_{lag}_pct": accuracy.figures(self.sums[at, number])["wape_pct"].round(2).to_numpy()
            for number, lag in enumerate(LAGS)
            if lag != accuracy.DRIFT_LAG
        }
        near = accuracy.figures(self.sums[at, LAGS.index(accuracy.DRIFT_LAG)]).round(4)
        return pd.concat([facts, near], axis=1).assign(
            company=self.company, measured_until=self.until[at].astype("datetime64[ns]"), drift=self.drift[at],
            drift_since=self.since[at].astype("datetime64[ns]"), state=_sums_as_text(self.sums[at]), **further,
        )  # fmt: skip


def _sums_as_text(sums: np.ndarray) -> list[str]:
    """(n, lags, len(STATE)) as a flat list per pair."""
    return _lists(sums.reshape(len(sums), len(LAGS) * len(STATE)))


def _parsed_sums(texts: pd.Series) -> np.ndarray:
    plain = np.array(json.loads("[" + ",".join(texts) + "]"), dtype=float)
    return plain.reshape(len(texts), len(LAGS), len(STATE))


def sums_at(texts: pd.Series, lag: int) -> np.ndarray:
    """Forecast Accuracy.state of some rows as the running sums of one lag, for accuracy.figures."""
    return _parsed_sums(texts)[:, LAGS.index(lag)] if len(texts) else np.zeros((0, len(STATE)))


# ---- overrides -------------------------------------------------------------------------------------------------------
def _judge_overrides(site: Site, company: str, weekly: Panel) -> None:
    """Forecast Override: the error one week ahead with and without it, over the weeks that it touched. Commits."""
    since = weekly.starts[max(0, weekly.t - MOST_WEEKS)].astype("datetime64[D]").item()
    made = site.fetch(accuracy_queries.overrides(site.qb, company, since))
    if made.empty:
        return
    kept = site.fetch(accuracy_queries.snapshots_of_items(site.qb, company, made["item_code"].unique().tolist(), since))
    lists = [json.loads(text) for text in kept["figures"]]
    overridden = np.array([len(values) > len(LAGS) * _PER_LAG for values in lists], dtype=bool)
    near = LAGS.index(accuracy.DRIFT_LAG)
    kept = kept[overridden].assign(
        with_qty=[values[near * _PER_LAG] for values in lists if len(values) > len(LAGS) * _PER_LAG],
        without_qty=[values[len(LAGS) * _PER_LAG + near] for values in lists if len(values) > len(LAGS) * _PER_LAG],
    )
    touched = made.rename(columns={"warehouse": "meant"}).merge(kept, on="item_code")
    everywhere = touched["meant"].fillna("") == ""
    ends = touched["week_start"] + pd.Timedelta(days=6)
    inside = (touched["from_date"] <= ends) & (touched["to_date"] >= touched["week_start"])
    touched = touched[inside & (everywhere | (touched["meant"] == touched["warehouse"]))]
    for name, errors in _with_demand(touched, weekly).groupby("name"):  # overrides, which are few
        demand, with_it, without = (float(errors[column].sum()) for column in ("demand", "with_error", "without_error"))
        values: dict[str, float] = {}
        if demand > 0:
            values |= {"wape_with": 100.0 * with_it / demand, "wape_without": 100.0 * without / demand}
        if without > 0:
            values["value_added"] = 100.0 * (1.0 - with_it / without)
        if values:
            site.set_fields(OVERRIDE, str(name), values)
    site.commit()


def _with_demand(touched: pd.DataFrame, weekly: Panel) -> pd.DataFrame:
    """The rows whose week's demand is known: demand, with_error and without_error added."""
    row = pd.MultiIndex.from_frame(weekly.keys[_PAIR]).get_indexer(pd.MultiIndex.from_frame(touched[_PAIR]))
    week = pd.Index(weekly.starts).get_indexer(touched["week_start"])
    known = (row >= 0) & (week >= 0)
    known[known] = weekly.observed[row[known], week[known]]
    rows = touched[known].assign(demand=weekly.demand[row[known], week[known]])
    return rows.assign(
        with_error=(rows["with_qty"] - rows["demand"]).abs(), without_error=(rows["without_qty"] - rows["demand"]).abs()
    )


# ---- drift -----------------------------------------------------------------------------------------------------------
def drifted(site: Site, company: str, as_of: date) -> pd.DataFrame:
    """Pairs whose forecasts drift now: item_code, warehouse, drift, drift_since, weeks, mean_demand_qty,
    mean_forecast_qty, mae_qty, stock_uom. Pairs that have not been judged for a quarter are past.
    """
    rows = site.fetch(accuracy_queries.drifting(site.qb, company))
    return rows[rows["measured_until"] >= pd.Timestamp(as_of - timedelta(days=91))].reset_index(drop=True)


def drift_faults(site: Site, company: str, as_of: date, positions: pd.DataFrame, items: pd.DataFrame) -> list[Fault]:
    """A Forecast Drift per drifting pair; its money is the error of four weeks at the valuation rate, or else at the
    selling rate. positions, items: tables POSITIONS and ITEMS.
    """
    rows = drifted(site, company, as_of)
    if rows.empty:
        return []
    moved = rows["drift"] != drift.WIDER
    wrong = (rows["mean_forecast_qty"] - rows["mean_demand_qty"]).abs().where(moved, rows["mae_qty"])
    money = wrong.to_numpy() * _WEEKS_OF_MONEY * _unit_values(rows, positions, items)
    told = ("mean_demand_qty", "mean_forecast_qty", "mae_qty")
    demand, forecast, error = (readable(rows[name].to_numpy()) for name in told)
    return [
        Fault(
            "Forecast Drift",
            _SENTENCES[row.drift],
            {"demand": demand[at], "forecast": forecast[at], "error": error[at], "since": row.drift_since.date()},
            item_code=row.item_code,
            warehouse=row.warehouse,
            money_at_risk=float(money[at]),
        )
        for at, row in enumerate(rows.itertuples(index=False))  # a sentence per case; they are few
    ]


def _unit_values(rows: pd.DataFrame, positions: pd.DataFrame, items: pd.DataFrame) -> np.ndarray:
    pairs = pd.MultiIndex.from_frame(rows[_PAIR])
    valued = positions.set_index(_PAIR)["valuation_rate"].reindex(pairs).to_numpy(dtype=float)
    selling = items.set_index("item_code")["selling_rate"].reindex(rows["item_code"]).to_numpy(dtype=float)
    return np.nan_to_num(np.where(valued > 0, valued, selling))


def retraining_due(site: Site, settings: CompanySettings, as_of: date, learned_on: date | None) -> bool:
    """Whether models learned on that day should be learned anew: pairs that began to drift since then hold 5% of the
    demand judged in the last quarter. Never without the company's setting; always where nothing was learned yet.
    """
    if learned_on is None:
        return True
    if not settings.retrain_on_drift:
        return False
    since = as_of - timedelta(days=91)
    rows = site.fetch(accuracy_queries.judged_demand(site.qb, settings.company, since))
    new = (rows["drift"].fillna("") != "") & (rows["drift_since"] >= pd.Timestamp(learned_on))
    total = rows["mean_demand_qty"].sum()
    return bool(total > 0 and rows.loc[new, "mean_demand_qty"].sum() >= _DRIFTING_SHARE * total)


# ---- writing ---------------------------------------------------------------------------------------------------------
def _upsert(site: Site, doctype: str, rows: pd.DataFrame) -> int:
    for at in range(0, len(rows), ROWS_AT_ONCE):
        site.upsert_rows(doctype, rows.iloc[at : at + ROWS_AT_ONCE], doctypes.UNIQUE_KEYS[doctype])
        site.commit()
    return len(rows)


def _lists(values: np.ndarray) -> list[str]:
    """(n, k) as n JSON lists, to five significant digits: quantities need no more, and the text is half as long."""
    form = "[" + ",".join(["%.5g"] * values.shape[1]) + "]"
    return [form % tuple(row) for row in values.tolist()]
