"""What the Item form shows of one item: history, forecast, policy, proposals and exceptions, warehouse by warehouse."""

import json
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.forecasting.explanation import sentence
from erp_forecast_addon.planning.panel import build_panel
from erp_forecast_addon.planning.tables import BUCKETS
from erp_forecast_addon.services.item_explanation import labels
from erp_forecast_addon.site import item_queries, signal_queries
from erp_forecast_addon.site.port import Site

# Two years and the month that a chart by month needs to begin with a whole one.
HISTORY_DAYS = 762
# How long an override that is over stays on the form.
OVERRIDES_SHOWN_DAYS = 180
_QTY_DECIMALS = 6


def item_view(site: Site, item_code: str, warehouses: Collection[str] | None = None) -> dict[str, Any]:
    """The item as plain JSON values. warehouses: those that may be shown; None: all.

    Keys: item_code, item_name, stock_uom; pairs: one dict per warehouse with a forecast, a policy or demand, by name:
    company, warehouse, currency, stock_uom, as_of (ISO), history {start, demand, out_of_stock: daily lists up to as_of}
    or None, forecast (fields of Demand Forecast, curve parsed, explanation: see _explanation) or None, policy (fields
    of Safety Stock Policy) or None; proposals: lines of Auto Purchase Orders that are not over, most urgent first;
    exceptions: open ones, most money first; overrides: of the last months, by their first day. Quantities in stock UOM
    (a proposal's in its own UOM), amounts in `currency` of their row.
    An item that nothing is known about has no pairs.
    """
    forecasts = _by_warehouse(site, item_queries.forecasts_of_item(site.qb, item_code))
    policies = _by_warehouse(site, item_queries.policies_of_item(site.qb, item_code))
    known = _known_warehouses(site, item_code, forecasts, policies)
    shown = sorted(known if warehouses is None else known & set(warehouses))
    facts = _plain_rows(site.fetch(item_queries.item_facts(site.qb, item_code)))
    fact = facts[0] if facts else {"item_name": item_code, "stock_uom": ""}
    homes = {row["name"]: row for row in _plain_rows(site.fetch(item_queries.companies_of_warehouses(site.qb)))}
    pairs = [
        _pair(site, item_code, warehouse, fact, homes.get(warehouse), forecasts.get(warehouse), policies.get(warehouse))
        for warehouse in shown  # the warehouses of one item
    ]
    _add_history(site, item_code, pairs)
    return {
        "item_code": item_code,
        **fact,
        "pairs": pairs,
        "proposals": _of_warehouses(site, item_queries.open_lines_of_item(site.qb, item_code), shown),
        "overrides": _of_warehouses(
            site,
            signal_queries.overrides_of_item(site.qb, item_code, site.as_of() - timedelta(days=OVERRIDES_SHOWN_DAYS)),
            [*shown, None, ""],
        ),
        "exceptions": _most_money_first(
            _of_warehouses(site, item_queries.open_exceptions_of_item(site.qb, item_code), [*shown, None, ""])
        ),
    }


def planned_warehouses(site: Site, item_code: str) -> list[tuple[str, str]]:
    """(company, warehouse) of every pair that item_view would show, for the caller to check rights on."""
    forecasts = _by_warehouse(site, item_queries.forecasts_of_item(site.qb, item_code))
    policies = _by_warehouse(site, item_queries.policies_of_item(site.qb, item_code))
    known = _known_warehouses(site, item_code, forecasts, policies)
    homes = site.fetch(item_queries.companies_of_warehouses(site.qb))
    company = dict(zip(homes["name"], homes["company"], strict=True)) if len(homes) else {}
    return [(company.get(warehouse, ""), warehouse) for warehouse in sorted(known)]


def _known_warehouses(site: Site, item_code: str, *tables: dict[str, Any]) -> set[str]:
    pairs = site.fetch(item_queries.pairs_of_item(site.qb, item_code))
    seen = set(pairs["warehouse"]) if len(pairs) else set()
    return seen.union(*tables)


def _pair(
    site: Site,
    item_code: str,
    warehouse: str,
    fact: dict[str, Any],
    home: dict[str, Any] | None,
    forecast: dict[str, Any] | None,
    policy: dict[str, Any] | None,
) -> dict[str, Any]:
    planned = forecast or policy or {}
    if forecast:
        parts = _parsed(forecast.pop("explanation_parts"))
        forecast = {**forecast, "curve": _curve(forecast["curve"]), "explanation": _explanation(site, parts, forecast)}
    return {
        "item_code": item_code,
        "company": planned.get("company") or (home or {}).get("company"),
        "warehouse": warehouse,
        "currency": (policy or {}).get("currency") or (home or {}).get("default_currency"),
        "stock_uom": planned.get("stock_uom") or fact["stock_uom"],
        "as_of": planned.get("as_of"),
        "history": None,
        "forecast": forecast if forecast and forecast["curve"] else None,
        "policy": policy,
    }


def _curve(stored: Any) -> dict[str, Any] | None:
    """The JSON field of Demand Forecast; a bulk writer may have stored it as text."""
    curve = _parsed(stored)
    return curve if curve and curve.get("starts") else None


def _parsed(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) and stored else stored


def _explanation(site: Site, parts: dict[str, float] | None, forecast: dict[str, Any]) -> dict[str, Any] | None:
    """parts: of the total over `days`, "total" among them; labels: what they are; sentence. None: written by an older
    version."""
    if not parts:
        return None
    return {
        "parts": parts,
        "labels": labels(site),
        "sentence": sentence(parts, site.translate),
        "days": forecast["horizon_days"],
    }


def _add_history(site: Site, item_code: str, pairs: list[dict[str, Any]]) -> None:
    """Fill `history`, and `as_of` where nothing was planned yet, from the demand buckets."""
    last = site.as_of()
    rows = site.fetch(item_queries.buckets_of_item(site.qb, item_code, last - timedelta(days=HISTORY_DAYS)))
    for pair in pairs:  # the warehouses of one item; each may have been planned on another day
        pair["as_of"] = pair["as_of"] or last.isoformat()
        if len(rows):
            own = BUCKETS.check(rows[rows["warehouse"] == pair["warehouse"]])
            pair["history"] = _history(own, date.fromisoformat(pair["as_of"]))


def _history(buckets: pd.DataFrame, as_of: date) -> dict[str, Any] | None:
    panel, _faults = build_panel(buckets, "day", as_of, history_days=HISTORY_DAYS)
    if not panel.n:
        return None
    first = int(panel.first[0])
    return {
        "start": np.datetime_as_string(panel.starts[first], unit="D").item(),
        "demand": np.round(panel.demand[0, first:], _QTY_DECIMALS).tolist(),
        "out_of_stock": (~panel.in_stock[0, first:]).astype(int).tolist(),
    }


def _by_warehouse(site: Site, query: Any) -> dict[str, dict[str, Any]]:
    return {row["warehouse"]: row for row in _plain_rows(site.fetch(query))}


def _of_warehouses(site: Site, query: Any, warehouses: Collection[str | None]) -> list[dict[str, Any]]:
    return [row for row in _plain_rows(site.fetch(query)) if row["warehouse"] in warehouses]


def _most_money_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: -(row["money_at_risk"] or 0.0))


def _plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of JSON values: missing is None, days are ISO text. A handful of rows of one item."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or (not isinstance(value, (str, list, dict)) and pd.isna(value)):
        return None
    if isinstance(value, (date, pd.Timestamp)):
        return pd.Timestamp(value).date().isoformat()
    return value.item() if isinstance(value, np.generic) else value
