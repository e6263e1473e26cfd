"""The report: what is drawn and said, that texts are escaped and nothing is loaded from anywhere."""

import re
from datetime import date, datetime
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.reporting import charts, svg, wording
from erp_forecast_addon.reporting.contents import ItemPicture, ReportContents
from erp_forecast_addon.reporting.page import MOST_ROWS, render_page
from erp_forecast_addon.reporting.svg import Scale
from erp_forecast_addon.reporting.terminal import summary
from erp_forecast_addon.services.report import (
    accuracy_by_class,
    by_day,
    daily_means,
    demand_curve,
    most_telling,
)

NASTY = "<script>alert(1)</script> & \"Co\" 'x'"


def curve(past: int = 20, ahead: int = 10) -> charts.DemandCurve:
    days = np.datetime64("2026-11-01") + np.arange(past + ahead)
    mean = np.full(ahead, 5.0)
    return charts.DemandCurve(
        history_starts=days[:past], history=np.arange(past, dtype=float), out_of_stock=np.zeros(past),
        starts=days[past:], mean=mean, low=mean - 2, high=mean + 3, period="day", interval="80% interval",
    )  # fmt: skip


def picture(name: str = "Bolt") -> ItemPicture:
    path = charts.stock_path(date(2026, 11, 20), 10.0, np.ones(9), np.zeros(9), np.eye(9)[3] * 8, 2.0, 5.0)
    return ItemPicture(
        "BOLT", name, "Stores - T", "Nos", "A", "Smooth", "Naive was chosen.", 10.0, 2.0, 5.0, 7.0, curve(), path
    )


def contents(text: str = "Acme", orders: int = 1) -> ReportContents:
    names = [f"APO-{at}" for at in range(orders)]
    return ReportContents(
        company=text,
        currency="EUR",
        written_at=datetime(2026, 11, 21, 3, 0),
        run={
            "name": "RUN-1", "status": "Completed", "as_of": pd.Timestamp("2026-11-20"), "run_by": text,
            "started_at": pd.Timestamp("2026-11-21 02:00"), "duration_seconds": 3.2,
        },
        steps=pd.DataFrame({
            "step": ["Read", text], "status": "Done", "rows": [5, 0], "seconds": [1.5, 0.0], "detail": text,
        }),
        orders=pd.DataFrame({
            "name": names, "supplier": text, "supplier_name": text, "currency": "EUR", "status": "Proposed",
            "order_by": pd.Timestamp("2026-11-23"), "required_by": pd.Timestamp("2026-11-30"), "total_amount": 1234.5,
            "base_total_amount": 1234.5, "money_at_risk": 99.0,
        }),
        lines=pd.DataFrame({
            "parent": names, "item_code": text, "item": text, "warehouse": text, "quantity": "5 Box", "amount": 12.0,
            "schedule_date": pd.Timestamp("2026-11-30"), "days_late": 2.0, "reason": text,
        }),
        exceptions=pd.DataFrame({
            "exception_type": ["No Supplier"], "item_code": [text], "warehouse": [None], "supplier": [""],
            "message": [text], "due_on": [pd.NaT], "money_at_risk": [0.0],
        }),
        policies=pd.DataFrame({
            "item": [text], "warehouse": [text], "abc_class": ["A"], "demand_class": ["Smooth"],
            "service_level_pct": [98.0], "lead_time_days": [7.0], "lead_time_source": [text], "protection_days": [14.0],
            "safety_stock_qty": [2.0], "reorder_point_qty": [5.0], "order_up_to_qty": [9.0], "position_qty": [10.0],
            "days_of_cover": [np.nan], "shortage_on": [pd.Timestamp("2026-11-25")],
        }),
        forecasts=pd.DataFrame({"item_code": [text], "demand_class": ["Smooth"]}),
        accuracy=pd.DataFrame({
            "demand_class": ["Smooth"], "forecasts": [1], "wape_pct": [20.0], "bias_pct": [1.0], "mase": [0.8],
            "models": [text],
        }),
        pictures=[picture(text)],
    )  # fmt: skip


# ---- the page -------------------------------------------------------------------------------------------------------
def test_every_text_of_the_site_is_escaped() -> None:
    page = render_page(contents(NASTY))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 10


def test_nothing_is_loaded_from_anywhere() -> None:
    page = render_page(contents())
    assert not re.findall(r"https?://|src=|@import|url\(", page)
    assert set(re.findall(r'href="([^"]*)"', page)) == {
        f"#{name}" for name in ("orders", "requests", "exceptions", "items", "policies", "replay", "accuracy", "run")
    }


def test_every_link_of_the_menu_leads_to_a_section() -> None:
    page = render_page(contents())
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(re.findall(r'id="([^"]*)"', page))


def test_the_page_is_well_formed() -> None:
    body = render_page(contents(NASTY)).removeprefix("<!doctype html>\n")
    for void in ("meta",):
        body = re.sub(rf"<({void}[^>]*)>", r"<\1/>", body)
    ElementTree.fromstring(body)


def test_the_page_says_what_was_drafted_and_why() -> None:
    page = render_page(contents("Acme"))
    for expected in ("1,234 EUR", "5 Box", "2 days", "order by 23 Nov 2026", "98.0%", "No Supplier"):
        assert expected in page, expected


def test_a_long_table_says_how_much_is_left_out() -> None:
    assert "5 more orders are not shown" in render_page(contents(orders=MOST_ROWS + 5))


def test_light_and_dark_have_the_same_colours_to_set() -> None:
    from erp_forecast_addon.reporting.style import CSS

    light, dark = (set(re.findall(r"(--[a-z-]+):", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S))
    assert light == dark
    assert set(re.findall(r"var\((--[a-z-]+)\)", CSS)) <= light


def test_an_empty_plan_makes_a_page_too() -> None:
    full = contents()
    empty = ReportContents(
        full.company, full.currency, full.written_at, full.run, full.steps.head(0), full.orders.head(0),
        full.lines.head(0), full.exceptions.head(0), full.policies.head(0), full.forecasts.head(0),
        full.accuracy.head(0), [],
    )  # fmt: skip
    page = render_page(empty)
    assert "Nothing needs to be ordered now." in page
    assert "nothing needs to be ordered now" in summary(empty)


# ---- charts ---------------------------------------------------------------------------------------------------------
def test_bars_and_forecast_stand_in_their_own_halves() -> None:
    drawing = ElementTree.fromstring(charts.demand_chart(curve(past=20, ahead=10), "Nos"))
    today = float(next(e for e in drawing if e.get("class") == "today").get("x1") or 0)
    bars = [float(e.get("x") or 0) for e in drawing if e.get("class") == "bar"]
    mean = next(e for e in drawing if e.get("class") == "mean").get("d") or ""
    assert len(bars) == 19  # the first day sold nothing
    assert max(bars) < today < min(float(x) for x in re.findall(r"[ML]([\d.]+) ", mean))


def test_bars_are_as_high_as_their_quantities() -> None:
    drawing = ElementTree.fromstring(charts.demand_chart(curve(), "Nos"))
    heights = [float(e.get("height") or 0) for e in drawing if e.get("class") == "bar"]
    assert np.allclose(np.array(heights) / heights[0], np.arange(1, 20), rtol=0.02)


def test_out_of_stock_periods_are_shaded() -> None:
    shaded = curve()
    shaded.out_of_stock[[3, 7]] = 1.0
    drawing = ElementTree.fromstring(charts.demand_chart(shaded, "Nos"))
    assert len([e for e in drawing if e.get("class") == "out"]) == 2


def test_stock_runs_down_by_demand_and_up_by_what_arrives() -> None:
    path = charts.stock_path(
        date(2026, 11, 20),
        10.0,
        np.array([3.0, 3.0, 3.0]),
        np.array([0.0, 5.0, 0.0]),
        np.array([0.0, 0.0, 4.0]),
        2.0,
        5.0,
    )
    assert path.days[0] == np.datetime64("2026-11-20")
    assert path.as_things_stand.tolist() == [10.0, 7.0, 9.0, 6.0]
    assert path.with_drafts.tolist() == [10.0, 7.0, 9.0, 10.0]


def test_the_dashed_line_is_drawn_only_where_drafts_change_something() -> None:
    same = charts.stock_path(date(2026, 11, 20), 10.0, np.ones(5), np.zeros(5), np.zeros(5), 2.0, 5.0)
    assert "stock without" not in charts.stock_chart(same, "Nos")
    assert "stock without" in charts.stock_chart(picture().stock or same, "Nos")


# ---- svg ------------------------------------------------------------------------------------------------------------
def test_a_scale_maps_ends_to_ends_and_survives_no_extent() -> None:
    scale = Scale(0.0, 10.0, 100.0, 0.0)
    assert (scale(0.0), scale(5.0), scale(10.0)) == (100.0, 50.0, 0.0)
    assert Scale(3.0, 3.0, 7.0, 9.0)(3.0) == 7.0


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 5, 10]), (0, 38, [0, 10, 20, 30, 40]), (-3, 4, [-4, -2, 0, 2, 4]), (0, 0, [0, 0.5]),
     (0, 0.004, [0, 0.001, 0.002, 0.003, 0.004])],
)  # fmt: skip
def test_ticks_are_round_and_reach_over_the_data(low: float, high: float, expected: list[float]) -> None:
    ticks = svg.nice_ticks(low, high)
    assert ticks == pytest.approx(expected)
    assert ticks[0] <= low
    assert ticks[-1] >= high


def test_attributes_are_escaped_and_numbers_short() -> None:
    assert svg.element("line", x1=1 / 3, class_='a"b', stroke_width=2.0) == (
        '<line x1="0.33" class="a&quot;b" stroke-width="2"/>'
    )


def test_a_missing_value_breaks_a_line() -> None:
    assert svg.polyline([(0, 0), (1, 1), (2, float("nan")), (3, 3)]).count("M") == 2


# ---- numbers in words -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "expected"),
    [(3.0, "3"), (0.125, "0.12"), (1234.56, "1,235"), (None, "–"), (float("nan"), "–"), (-2.5, "-2.5")],
)
def test_quantities_read_well(value: float | None, expected: str) -> None:
    assert wording.quantity(value) == expected


def test_days_and_times_read_well() -> None:
    assert wording.day(pd.Timestamp("2026-11-05")) == "5 Nov 2026"
    assert wording.moment(datetime(2026, 11, 5, 2, 7)) == "5 Nov 2026 02:07"
    assert wording.seconds(125) == "2 min 5 s"
    assert wording.day(pd.NaT) == "–"


# ---- from records to what is shown ----------------------------------------------------------------------------------
def forecast(period: str, starts: list[str], mean: list[float]) -> dict[str, object]:
    levels = [0.025, 0.1, 0.5, 0.9, 0.975]
    quantiles = [[value * (1 + level) for value in mean] for level in levels]
    return {"period": period, "curve": {"starts": starts, "mean": mean, "levels": levels, "quantiles": quantiles}}


def test_the_interval_is_the_one_it_is_named_after() -> None:
    shown = demand_curve(None, forecast("Day", ["2026-11-21", "2026-11-22"], [10.0, 20.0]), date(2026, 11, 20))
    assert shown.interval == "80% interval"
    assert shown.low.tolist() == [11.0, 22.0]
    assert shown.high.tolist() == [19.0, 38.0]


def test_history_is_summed_into_complete_weeks() -> None:
    history = {"start": "2026-11-02", "demand": [1.0] * 19, "out_of_stock": [0] * 7 + [1] * 7 + [0] * 5}
    shown = demand_curve(history, forecast("Week", ["2026-11-23"], [7.0]), date(2026, 11, 20))
    assert shown.history_starts.astype(str).tolist() == ["2026-11-02", "2026-11-09"]  # the third week is not over
    assert shown.history.tolist() == [7.0, 7.0]
    assert shown.out_of_stock.tolist() == [0.0, 1.0]


def test_a_month_is_spread_evenly_over_its_days() -> None:
    daily = daily_means(forecast("Month", ["2026-11-01", "2026-12-01"], [30.0, 62.0]), date(2026, 11, 28))
    assert daily[:4].tolist() == [1.0, 1.0, 2.0, 2.0]
    assert len(daily) == 2 + 31


def test_what_is_overdue_arrives_on_the_first_day_and_what_is_late_not_at_all() -> None:
    rows = pd.DataFrame({"day": pd.to_datetime(["2026-11-01", "2026-11-23", "2027-05-01"]), "qty": [1.0, 2.0, 4.0]})
    assert by_day(rows, date(2026, 11, 20), 5).tolist() == [1.0, 0.0, 2.0, 0.0, 0.0]


def test_most_money_at_risk_is_charted_first_then_the_a_items() -> None:
    policies = pd.DataFrame({
        "item_code": ["quiet C", "risky C", "quiet A"], "warehouse": "W", "abc_class": ["C", "C", "A"],
        "safety_stock_value": 1.0,
    })  # fmt: skip
    lines = pd.DataFrame({"item_code": ["risky C"], "warehouse": ["W"], "money_at_risk": [5.0]})
    assert most_telling(policies, lines)["item_code"].tolist() == ["risky C", "quiet A", "quiet C"]


def test_accuracy_is_told_per_class_and_unmeasured_errors_do_not_count() -> None:
    forecasts = pd.DataFrame({
        "item_code": list("abc"), "demand_class": ["Smooth", "Smooth", "New"], "model": ["Naive", "Croston", "Naive"],
        "wape_pct": [20.0, 0.0, 0.0], "bias_pct": [4.0, 2.0, 0.0], "mase": [0.5, 0.0, 0.0],
    })  # fmt: skip
    table = accuracy_by_class(forecasts).set_index("demand_class")
    assert table.loc["Smooth", "forecasts"] == 2
    assert table.loc["Smooth", "wape_pct"] == 20.0
    assert np.isnan(table.loc["New", "wape_pct"])
    assert table.loc["New", "models"] == "Naive (1)"
