"""Curves of policies over their settings: compared at equal service and equal stock, printed and drawn."""

from collections.abc import Callable, Sequence
from html import escape
from operator import attrgetter
from pathlib import Path

import numpy as np

from benchmarks.replay_world import Point
from erp_forecast_addon.reporting import svg
from erp_forecast_addon.reporting.style import CSS
from erp_forecast_addon.reporting.svg import Scale

Curve = Sequence[Point]
_COLOURS = ("#c8372d", "#2f6fed", "#1e7d4f", "#b26a00")
_WIDTH, _HEIGHT, _MARGIN = 720.0, 400.0, 60.0


def at(curve: Curve, on: Callable[[Point], float], wanted: float, read: Callable[[Point], float]) -> float:
    """`read` where the curve's `on` is `wanted`, linear between its settings; NaN outside of what it reaches."""
    known = sorted((on(point), read(point)) for point in curve)
    x, y = np.array(known).T
    return float(np.interp(wanted, x, y)) if x[0] <= wanted <= x[-1] else float("nan")


def change(ours: float, theirs: float) -> str:
    return "not reached" if not np.isfinite(ours + theirs) else f"{(ours / theirs - 1.0) * 100.0:+.1f}%"


def cheapest(curve: Curve) -> Point:
    return min(curve, key=lambda point: point.total_cost)


def print_curve(name: str, curve: Curve, setting: str) -> None:
    print(f"\n{name}")
    print(
        f"  {setting:>14} fill units  fill value  stock value   lost value    holding   ordering  total cost     lines"
    )
    for point in curve:
        print(
            f"  {point.setting:>14g} {point.fill_rate_units:>10.4f} {point.fill_rate_value:>11.4f} "
            f"{point.stock_value:>12,.0f} {point.lost_value:>12,.0f} {point.holding_cost:>10,.0f} "
            f"{point.order_cost:>10,.0f} {point.total_cost:>11,.0f} {point.order_lines:>9,}"
        )


def print_equal_service(theirs: Curve, ours: Curve, levels: Sequence[float]) -> None:
    for level in levels:
        mine, other = (at(c, lambda p: p.fill_rate_value, level, lambda p: p.running_cost) for c in (ours, theirs))
        less = change(mine, other)
        print(f"  fill rate by value {level:.0%}: holding + ordering {mine:,.0f} against {other:,.0f}: {less}")
        for name, curve in (("ours", ours), ("baseline", theirs)):
            best = max(point.fill_rate_value for point in curve)
            if best < level:
                print(f"    {name} reaches {best:.2%} at most, at setting {max(p.setting for p in curve):g}")


def print_equal_stock(theirs: Curve, ours: Curve) -> None:
    """At the stock value of each of the baseline's settings that ours reaches too."""
    for point in theirs:
        lost = at(ours, lambda p: p.stock_value, point.stock_value, lambda p: p.lost_value)
        qty = at(ours, lambda p: p.stock_value, point.stock_value, lambda p: p.lost_qty)
        if np.isfinite(lost):
            print(
                f"  stock value {point.stock_value:>12,.0f} (baseline at {point.fill_rate_value:.2%} by value): lost "
                f"{lost:,.0f} against {point.lost_value:,.0f}: {change(lost, point.lost_value)} "
                f"(units {change(qty, point.lost_qty)})"
            )


def draw(path: Path, title: str, curves: dict[str, Curve], notes: Sequence[str] = ()) -> None:
    """One HTML page: fill rate in units against stock value, and total cost against fill rate by value."""
    charts = (
        _chart(curves, ("average stock value", _stock_value), ("fill rate in units", _fill_rate_units)),
        _chart(curves, ("fill rate by value", _fill_rate_value), ("total cost", _total_cost)),
        _chart(curves, ("fill rate by value", _fill_rate_value), ("holding + ordering", _running_cost)),
    )
    legend = " ".join(
        f'<span class="key"><i style="color:{colour}"></i>{escape(name)}</span>'
        for name, colour in zip(curves, _COLOURS, strict=False)
    )
    body = "".join(f'<article class="card">{legend}{chart}</article>' for chart in charts)
    words = "".join(f"<p>{escape(note)}</p>" for note in notes)
    path.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{CSS}</style></head><body><main><h1>{escape(title)}</h1>{words}{body}</main></body></html>",
        encoding="utf-8",
    )


_stock_value, _fill_rate_units, _fill_rate_value, _total_cost, _running_cost = (
    attrgetter(name) for name in ("stock_value", "fill_rate_units", "fill_rate_value", "total_cost", "running_cost")
)
_Axis = tuple[str, Callable[[Point], float]]


def _chart(curves: dict[str, Curve], x_axis: _Axis, y_axis: _Axis) -> str:
    (x_name, x_of), (y_name, y_of) = x_axis, y_axis
    every = [point for curve in curves.values() for point in curve]
    x_ticks = svg.nice_ticks(min(map(x_of, every)), max(map(x_of, every)), 6)
    y_ticks = svg.nice_ticks(min(map(y_of, every)), max(map(y_of, every)), 6)
    x = Scale(x_ticks[0], x_ticks[-1], _MARGIN + 10, _WIDTH - 20)
    y = Scale(y_ticks[0], y_ticks[-1], _HEIGHT - _MARGIN, 20)
    parts = [
        svg.element("line", x1=x(x_ticks[0]), x2=x(x_ticks[-1]), y1=y(tick), y2=y(tick), class_="grid")
        + svg.text(_MARGIN + 4, y(tick) + 4, f"{tick:,.4g}", class_="tick", text_anchor="end")
        for tick in y_ticks
    ]
    parts += [
        svg.text(x(tick), _HEIGHT - _MARGIN + 18, f"{tick:,.10g}", class_="tick", text_anchor="middle")
        for tick in x_ticks
    ]
    for curve, colour in zip(curves.values(), _COLOURS, strict=False):
        line = sorted((x(x_of(point)), y(y_of(point))) for point in curve)
        parts.append(svg.polyline(line, stroke=colour, stroke_width=2))
        parts += [
            svg.element("circle", svg.title(f"{p.setting:g}"), cx=x(x_of(p)), cy=y(y_of(p)), r=4, fill=colour)
            for p in curve
        ]
    parts.append(svg.text(_WIDTH / 2, _HEIGHT - 14, x_name, class_="tick", text_anchor="middle"))
    parts.append(svg.text(_MARGIN, 12, y_name, class_="tick"))
    return svg.document(_WIDTH, _HEIGHT, "".join(parts), f"{y_name} against {x_name}")
