"""The two charts of an item in a warehouse: demand with its forecast, and stock as it is expected to run."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.reporting import svg, wording
from erp_forecast_addon.reporting.svg import Scale

WIDTH, DEMAND_HEIGHT, STOCK_HEIGHT = 560.0, 190.0, 150.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 8.0, 10.0, 22.0
_MONTHS_SHOWN = 9
_WEEKLY_UP_TO_DAYS = 62


@dataclass(frozen=True)
class DemandCurve:
    """history_starts (t,), history (t,): periods and what went out; starts (h,), mean, low, high (h,): the forecast
    and its interval; out_of_stock (t,): the share of each period with an empty shelf; days: (t + h,) of each period;
    units per period, stock UOM.
    """

    history_starts: np.ndarray
    history: np.ndarray
    out_of_stock: np.ndarray
    starts: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    period: str
    interval: str


@dataclass(frozen=True)
class StockPath:
    """days (d,) datetime64[D]; as_things_stand, with_drafts (d,): expected stock at the end of each day."""

    days: np.ndarray
    as_things_stand: np.ndarray
    with_drafts: np.ndarray
    safety_stock_qty: float
    reorder_point_qty: float


def demand_chart(curve: DemandCurve, uom: str) -> str:
    """Bars up to today, then the expected demand as a line in its band."""
    past, ahead = len(curve.history), len(curve.mean)
    x = Scale(0, max(past + ahead, 1), _LEFT, WIDTH - _RIGHT)
    top = max(_finite_max(curve.history), _finite_max(curve.high), 1e-9)
    ticks = svg.nice_ticks(0.0, top)
    y = Scale(0.0, ticks[-1], DEMAND_HEIGHT - _BOTTOM, _TOP)
    middle = [x(past + i + 0.5) for i in range(ahead)]
    parts = [
        _grid(ticks, y),
        _month_axis(np.concatenate([curve.history_starts, curve.starts]), x, DEMAND_HEIGHT),
        _shades(curve, x),
        _bars(curve, x, y, uom),
        svg.band(middle, [y(v) for v in curve.low], [y(v) for v in curve.high], class_="band"),
        svg.polyline(zip(middle, (y(v) for v in curve.mean), strict=True), class_="mean"),
        _today(x(past), DEMAND_HEIGHT),
    ]
    ahead_total = wording.quantity(float(np.nansum(curve.mean)))
    label = f"Demand per {curve.period}, and a forecast of {ahead_total} {uom} for the {ahead} {curve.period}s ahead"
    return svg.document(WIDTH, DEMAND_HEIGHT, "".join(parts), label)


def stock_chart(path: StockPath, uom: str) -> str:
    """Expected stock, without and with the drafted orders, against safety stock and reorder point."""
    values = np.concatenate([path.as_things_stand, path.with_drafts, [path.reorder_point_qty, path.safety_stock_qty]])
    ticks = svg.nice_ticks(min(0.0, float(np.nanmin(values))), max(_finite_max(values), 1e-9))
    x = Scale(0, max(len(path.days) - 1, 1), _LEFT, WIDTH - _RIGHT)
    y = Scale(ticks[0], ticks[-1], STOCK_HEIGHT - _BOTTOM, _TOP)
    xs = [x(i) for i in range(len(path.days))]
    parts = [
        _grid(ticks, y),
        _month_axis(path.days, x, STOCK_HEIGHT),
        _level(path.safety_stock_qty, y, "safety", "safety stock", uom),
        _level(path.reorder_point_qty, y, "reorder", "reorder point", uom),
        svg.element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(0.0), y2=y(0.0), class_="zero"),
    ]
    if not np.array_equal(path.as_things_stand, path.with_drafts):
        parts.append(svg.polyline(zip(xs, (y(v) for v in path.as_things_stand), strict=True), class_="stock without"))
    parts.append(svg.polyline(zip(xs, (y(v) for v in path.with_drafts), strict=True), class_="stock"))
    label = f"Expected stock in {uom} over {len(path.days)} days"
    return svg.document(WIDTH, STOCK_HEIGHT, "".join(parts), label)


def share_bar(share: float) -> str:
    """A small horizontal bar, 0..1, for a cell of a table."""
    width = 120.0 * min(max(share, 0.0), 1.0)
    inner = svg.element("rect", x=0, y=3, width=max(width, 0.5), height=8, rx=2, class_="share")
    return svg.element("svg", inner, viewBox="0 0 120 14", class_="share-bar", aria_hidden="true")


def _finite_max(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 0.0


def _grid(ticks: list[float], y: Scale) -> str:
    return "".join(
        svg.element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid")
        + svg.text(_LEFT - 6, y(tick) + 3.5, _short(tick), class_="tick", text_anchor="end")
        for tick in ticks
    )


def _short(value: float) -> str:
    """1,500 as 1.5k: an axis has little room."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _month_axis(days: np.ndarray, x: Scale, height: float) -> str:
    """The name of each month where it begins, of short spans the day of each Monday; thinned out where crowded."""
    stamps = pd.DatetimeIndex(days)
    short = len(stamps) > 1 and (stamps[-1] - stamps[0]).days <= _WEEKLY_UP_TO_DAYS
    units = stamps.to_period("W-SUN" if short else "M")
    begins = np.flatnonzero(np.r_[False, units[1:] != units[:-1]])
    every = max(1, -(-len(begins) // _MONTHS_SHOWN))
    return "".join(
        svg.element("line", x1=x(at), x2=x(at), y1=height - _BOTTOM, y2=height - _BOTTOM + 4, class_="axis")
        + svg.text(x(at) + 2, height - 6, f"{stamps[at].day} {stamps[at]:%b}" if short else _month_name(stamps[at]),
                   class_="tick")
        for at in begins[::every]
        if x(at) < WIDTH - 40
    )  # fmt: skip


def _month_name(month: pd.Timestamp) -> str:
    return f"{month:%b %Y}" if month.month == 1 else f"{month:%b}"


def _shades(curve: DemandCurve, x: Scale) -> str:
    """Periods in which the shelf was empty: what went out then is not what was wanted."""
    return "".join(
        svg.element("rect", svg.title("Out of stock"), x=x(at), y=_TOP, width=x(at + 1) - x(at),
                    height=DEMAND_HEIGHT - _BOTTOM - _TOP, class_="out")
        for at in np.flatnonzero(curve.out_of_stock > 0)
    )  # fmt: skip


def _bars(curve: DemandCurve, x: Scale, y: Scale, uom: str) -> str:
    zero, width = y(0.0), max((x(1) - x(0)) * 0.78, 0.6)
    return "".join(
        svg.element(
            "rect", svg.title(f"{wording.day(start)}: {wording.quantity(qty)} {uom}"),
            x=x(at) + (x(1) - x(0) - width) / 2, y=y(qty), width=width, height=zero - y(qty), class_="bar",
        )
        for at, (start, qty) in enumerate(zip(curve.history_starts, curve.history, strict=True))
        if qty > 0
    )  # fmt: skip


def _today(x: float, height: float) -> str:
    return svg.element("line", x1=x, x2=x, y1=_TOP, y2=height - _BOTTOM, class_="today")


def _level(value: float, y: Scale, css: str, name: str, uom: str) -> str:
    return svg.element(
        "line", svg.title(f"{name}: {wording.quantity(value)} {uom}"), x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(value),
        y2=y(value), class_=f"level {css}",
    )  # fmt: skip


def stock_path(
    as_of: date,
    on_hand_qty: float,
    daily_mean: np.ndarray,
    supply: np.ndarray,
    drafts: np.ndarray,
    safety_stock_qty: float,
    reorder_point_qty: float,
) -> StockPath:
    """Stock on hand, plus what comes in, less the expected demand, day by day from as_of + 1; below 0 is a shortage.

    daily_mean, supply, drafts: (d,) stock units. The first point is today's stock.
    """
    days = np.datetime64(as_of, "D") + np.arange(len(daily_mean) + 1)
    moves = np.concatenate([[on_hand_qty], supply - daily_mean])
    drafted = np.concatenate([[0.0], drafts])
    standing = np.cumsum(moves)
    return StockPath(days, standing, standing + np.cumsum(drafted), safety_stock_qty, reorder_point_qty)
