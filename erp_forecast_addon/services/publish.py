"""A plan's forecasts and policies as records: one row per item and warehouse, updated by every run.

Nobody edits these rows, so they are written by multi-row SQL in chunks; each chunk is committed, and rows of pairs that
are no longer planned are deleted last. A run that dies in between leaves every row whole, old or new; the next run
writes the rest.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting import explanation
from erp_forecast_addon.planning.forecasting.day_shares import day_shares
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.progress import Progress, silent
from erp_forecast_addon.planning.replenishment import packed
from erp_forecast_addon.site import doctypes, order_reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

FORECAST, POLICY = "Demand Forecast", "Safety Stock Policy"
ROWS_AT_ONCE = 2000
# What a curve shows beside the mean: a band of 80% and one of 95%. All levels of a run would triple the table.
CURVE_LEVELS = (0.025, 0.1, 0.9, 0.975)
_DIGITS = 3
_DAYS_AHEAD = (7, 30, 90)
_PAIR = ["item_code", "warehouse"]
WRITTEN = _("{done} of {count}")


@dataclass(frozen=True)
class Published:
    forecasts: int
    policies: int
    deleted: int


def publish(
    site: Site, run: str, plan: Plan, settings: CompanySettings, items: pd.DataFrame, positions: pd.DataFrame
) -> Published:
    """Write both and commit. items: table ITEMS, for names and units; positions: table POSITIONS, for who orders."""
    forecasts, gone = publish_forecasts(site, run, plan, settings, items)
    policies, gone_policies = publish_policies(site, run, plan, settings, items, positions)
    return Published(forecasts, policies, gone + gone_policies)


def publish_forecasts(
    site: Site, run: str, plan: Plan, settings: CompanySettings, items: pd.DataFrame, progress: Progress = silent
) -> tuple[int, int]:
    """Demand Forecast rows; -> (written, deleted). Commits after every ROWS_AT_ONCE rows and then tells progress."""
    chunks = forecast_rows(plan.forecasts, run, settings, items, site.translate)
    return write_rows(site, FORECAST, settings.company, run, _counted(chunks, plan.forecasts.n, progress))


def publish_policies(
    site: Site,
    run: str,
    plan: Plan,
    settings: CompanySettings,
    items: pd.DataFrame,
    positions: pd.DataFrame,
    progress: Progress = silent,
) -> tuple[int, int]:
    """Safety Stock Policy rows; -> (written, deleted). Commits and tells progress as publish_forecasts does."""
    chunks = policy_rows(plan, run, settings, items, positions, site.translate)
    return write_rows(site, POLICY, settings.company, run, _counted(chunks, len(plan.policies), progress))


def _counted(chunks: Iterator[pd.DataFrame], count: int, progress: Progress) -> Iterator[pd.DataFrame]:
    """The chunks; when one is asked for, write_rows has committed those before it."""
    done = 0
    for rows in chunks:
        if done:
            progress(done / count, WRITTEN, done=done, count=count)
        yield rows
        done += len(rows)


def write_rows(site: Site, doctype: str, company: str, run: str, chunks: Iterator[pd.DataFrame]) -> tuple[int, int]:
    """Rows of a record that only runs write; what other runs left of the company goes. -> (written, deleted)"""
    written = 0
    for rows in chunks:
        written += site.upsert_rows(doctype, rows, doctypes.UNIQUE_KEYS[doctype])
        site.commit()
    gone = site.fetch(order_reads.rows_of_other_runs(site.qb, doctype, company, run))["name"].tolist()
    deleted = site.delete_rows(doctype, gone) if gone else 0
    site.commit()
    return written, deleted


def forecast_rows(
    forecasts: ForecastSet, run: str, settings: CompanySettings, items: pd.DataFrame, translate: Callable[[str], str]
) -> Iterator[pd.DataFrame]:
    """Rows of Demand Forecast, ROWS_AT_ONCE at a time so that the curves of 30,000 series are never all in memory."""
    known = _item_texts(items)
    days = max(*_DAYS_AHEAD, settings.plan.horizon_days)
    daily = forecasts.daily_mean(forecasts.as_of, days)
    totals = np.cumsum(daily, axis=1)
    ahead = {f"next_{n}_days_qty": totals[:, n - 1] for n in _DAYS_AHEAD}
    starts = np.datetime_as_string(forecasts.starts.astype("datetime64[D]")).tolist()
    levels, columns = _curve_levels(forecasts.quantile_levels)
    accuracy = forecasts.accuracy
    shares = day_shares(forecasts.starts, forecasts.period, forecasts.as_of, settings.plan.horizon_days)
    in_horizon = shares.sum(axis=1)
    for at in range(0, forecasts.n, ROWS_AT_ONCE):
        block = slice(at, min(at + ROWS_AT_ONCE, forecasts.n))
        rows = _heads(forecasts.keys.iloc[block], known, settings.company, run, forecasts.as_of)
        yield rows.assign(
            period=forecasts.period.capitalize(),
            demand_class=forecasts.demand_class[block],
            model=forecasts.model[block],
            daily_mean_qty=_rounded(totals[block, settings.plan.horizon_days - 1] / settings.plan.horizon_days),
            **{name: _rounded(values[block]) for name, values in ahead.items()},
            horizon_days=settings.plan.horizon_days,
            horizon_qty=_rounded(totals[block, settings.plan.horizon_days - 1]),
            wape_pct=(accuracy["wape"].to_numpy()[block] * 100.0).round(2),
            bias_pct=(accuracy["bias"].to_numpy()[block] * 100.0).round(2),
            **{name: accuracy[name].to_numpy()[block].round(4) for name in ("mase", "rmsse", "pinball")},
            reason=_reasons(forecasts, block, translate),
            explanation_parts=_parts(forecasts, block, in_horizon),
            curve=_curves(starts, forecasts.mean[block], levels, forecasts.quantiles[block][:, :, columns]),
        )


def policy_rows(
    plan: Plan,
    run: str,
    settings: CompanySettings,
    items: pd.DataFrame,
    positions: pd.DataFrame,
    translate: Callable[[str], str],
) -> Iterator[pd.DataFrame]:
    """Rows of Safety Stock Policy, ROWS_AT_ONCE at a time. Columns of the table POLICIES carry the fieldnames."""
    known, terms = _item_texts(items), _next_order_terms(plan)
    for at in range(0, len(plan.policies), ROWS_AT_ONCE):
        block = plan.policies.iloc[at : at + ROWS_AT_ONCE]
        rows = _heads(block[_PAIR], known, settings.company, run, plan.forecasts.as_of)
        texts = ("item_code", "warehouse", "explanation_template", "explanation_values")
        own = block.drop(columns=list(texts)).reset_index(drop=True)
        yield pd.concat([rows, own], axis=1).assign(
            currency=settings.plan.currency,
            who_orders=_who_orders(block, positions),
            next_order_terms=terms.reindex(pd.MultiIndex.from_frame(block[_PAIR])).fillna("").to_numpy(),
            explanation=_sentences(
                block["explanation_template"].to_numpy(), block["explanation_values"].to_numpy(), translate
            ),
        )


def _next_order_terms(plan: Plan) -> pd.Series:
    """By pair, what its next order depends on, as text; nothing of pairs that only a plan can look at."""
    if plan.ready is None:
        return pd.Series([], index=pd.MultiIndex.from_arrays([[], []], names=_PAIR), dtype=object)
    index = pd.MultiIndex.from_arrays([plan.ready.item_code, plan.ready.warehouse], names=_PAIR)
    return pd.Series(packed(plan.ready), index=index, dtype=object)


def _who_orders(policies: pd.DataFrame, positions: pd.DataFrame) -> np.ndarray:
    """A pair without a position (history only) is ours: no reorder row of ERPNext can stand for it."""
    ours = positions.set_index(_PAIR)["we_order"].reindex(pd.MultiIndex.from_frame(policies[_PAIR]))
    return np.where(ours.ne(False).to_numpy(), "Forecast Addon", "ERPNext")


def _item_texts(items: pd.DataFrame) -> pd.DataFrame:
    return items.set_index("item_code")[["item_name", "item_group", "stock_uom"]]


def _heads(keys: pd.DataFrame, known: pd.DataFrame, company: str, run: str, as_of: date) -> pd.DataFrame:
    """What both records start with."""
    of_item = known.reindex(keys["item_code"]).fillna("").reset_index(drop=True)
    heads = pd.concat([keys[_PAIR].reset_index(drop=True), of_item], axis=1)
    return heads.assign(company=company, forecast_run=run, as_of=pd.Timestamp(as_of))


def _reasons(forecasts: ForecastSet, block: slice, translate: Callable[[str], str]) -> list[str]:
    """Why this model, and what the item's life did to its forecast."""
    reasons = _sentences(forecasts.reason_template[block], forecasts.reason_values[block], translate)
    if forecasts.finished is None:
        return reasons
    notes = _sentences(forecasts.finished.template[block], forecasts.finished.values[block], translate)
    return [f"{reason} {note}".rstrip() for reason, note in zip(reasons, notes, strict=True)]


def _sentences(templates: np.ndarray, values: np.ndarray, translate: Callable[[str], str]) -> list[str]:
    """A loop over rows: each has its own values. A template is translated once, line by line: a line is a sentence."""
    translated = {template: [translate(sentence) for sentence in template.split("\n")] for template in set(templates)}
    return [
        " ".join(sentence.format(**given) for sentence in translated[template])
        for template, given in zip(templates, values, strict=True)
    ]


def _parts(forecasts: ForecastSet, rows: slice, weights: np.ndarray) -> list[str]:
    """What the horizon's total is made of, as JSON. weights: (h,) how much of each period lies in the horizon."""
    stages, factors = (
        {name: values[rows] for name, values in kept.items()} for kept in (forecasts.stages, forecasts.factors)
    )
    parts = explanation.explain(stages, factors, periods.SEASON_LENGTH[forecasts.period])
    return [_compact(total) for total in explanation.totals(parts, weights)]


def _curve_levels(levels: np.ndarray) -> tuple[list[float], np.ndarray]:
    """The levels nearest to CURVE_LEVELS among those at hand, and their columns."""
    nearest = np.abs(np.asarray(levels)[None, :] - np.array(CURVE_LEVELS)[:, None]).argmin(axis=1)
    columns = np.unique(nearest)
    return np.asarray(levels, dtype=float)[columns].round(6).tolist(), columns


def _curves(starts: list[str], mean: np.ndarray, levels: list[float], quantiles: np.ndarray) -> list[str]:
    """One compact JSON text per row. mean: (m, h); quantiles: (m, h, q), written level by level.

    A loop over rows, as each is a document of its own; what repeats (days, levels) is encoded once.
    """
    opening = f'{{"starts":{_compact(starts)},"levels":{_compact(levels)},"mean":'
    means = _rounded(mean).tolist()
    by_level = _rounded(np.moveaxis(quantiles, 2, 1)).tolist()
    return [f'{opening}{_compact(m)},"quantiles":{_compact(q)}}}' for m, q in zip(means, by_level, strict=True)]


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _rounded(values: np.ndarray) -> np.ndarray:
    """To _DIGITS significant digits: a forecast is not better than that, and the text half as long."""
    wide = np.asarray(values, dtype=float)
    exponent = np.floor(np.log10(np.where(np.abs(wide) > 0.0, np.abs(wide), 1.0)))
    scale = 10.0 ** (_DIGITS - 1 - exponent)
    return np.round(wide * scale) / scale


def accuracy_summary(forecasts: ForecastSet) -> dict[str, float]:
    """The run's accuracy: WAPE and bias weighted by demand, MASE as the mean over series; only what was measured.

    WAPE = Σ|error| / Σ|actual|, so the weight of a series is its volume (Hyndman & Athanasopoulos, Forecasting:
    Principles and Practice, 3rd ed., section 5.8, for MASE).
    """
    if not forecasts.n:
        return {}
    volume = forecasts.mean.sum(axis=1) / len(forecasts.starts) / periods.MEAN_DAYS[forecasts.period]
    found = {}
    for field, column, scale in (("wape_pct", "wape", 100.0), ("bias_pct", "bias", 100.0), ("mase", "mase", 1.0)):
        values = forecasts.accuracy[column].to_numpy(dtype=float)
        weight = np.where(np.isfinite(values), 1.0 if column == "mase" else volume, 0.0)
        if weight.sum() > 0.0:
            found[field] = round(float(np.average(np.nan_to_num(values), weights=weight)) * scale, 2)
    return found
