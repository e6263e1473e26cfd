"""Demand Events, holidays and prices as drivers: what is told of each day, over which series, and what is wrong."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.events import drivers_from
from erp_forecast_addon.planning.national_holidays import holidays_of
from erp_forecast_addon.planning.scopes import Scopes, below
from erp_forecast_addon.planning.tables import EVENTS, HOLIDAYS, ITEMS, PRICES, TREE

COMPANY = "Ours"
DAYS = np.arange(np.datetime64("2026-06-01"), np.datetime64("2026-07-01")).astype("datetime64[ns]")  # a Monday
HORIZON = 14
KEYS = pd.DataFrame({"item_code": ["COLA", "COLA", "RED", "SOAP"], "warehouse": ["East", "West", "East", "East"]})


def scopes() -> Scopes:
    items = pd.DataFrame({
        "item_code": ["COLA", "RED", "SOAP"], "variant_of": ["", "SHIRT", ""],
        "item_group": ["Drinks", "Clothes", "Care"], "brand": ["Fizz", "", "Fizz"],
    })  # fmt: skip
    groups = [("All", ""), ("Food", "All"), ("Drinks", "Food"), ("Clothes", "All"), ("Care", "All")]
    houses = [("Root", ""), ("East", "Root"), ("West", "Root")]
    trees = (TREE.check(pd.DataFrame(rows, columns=["name", "parent"])) for rows in (groups, houses))
    return Scopes(COMPANY, ITEMS.check(items), *trees)


def event(title: str = "Sale", first: str = "2026-06-03", last: str | None = None, **more: Any) -> dict[str, Any]:
    return {"event": more.pop("event", title), "title": title, "from_day": first, "to_day": last or first, **more}


def drivers(
    *rows: dict[str, Any], period: str = "day", starts: np.ndarray = DAYS, horizon: int = HORIZON, **tables: Any
):
    events = EVENTS.check(pd.DataFrame(rows)) if rows else EVENTS.empty()
    holidays, prices = tables.get("holidays", HOLIDAYS.empty()), tables.get("prices", PRICES.empty())
    return drivers_from(events, holidays, prices, KEYS, scopes(), starts, period, horizon)


def seen(driver: Any) -> np.ndarray:
    """What each of the four series sees. (4, t + h)"""
    return driver.of(slice(None), len(KEYS))


def test_an_event_is_there_on_its_days_and_nowhere_else() -> None:
    found, faults = drivers(event("Sale", "2026-06-03", "2026-06-05"))
    assert faults == []
    driver = found["Sale"]
    assert (driver.kind, driver.width) == ("event", len(DAYS) + HORIZON)
    assert np.flatnonzero(driver.values).tolist() == [2, 3, 4]


def test_events_of_one_title_are_one_driver_and_reach_into_the_horizon() -> None:
    found, _faults = drivers(
        event("Sale", "2026-06-03", event="a"), event(" sale ", "2026-07-02", event="b", value=2.0)
    )
    assert list(found) == ["Sale"]
    assert np.flatnonzero(found["Sale"].values).tolist() == [2, 31]
    assert found["Sale"].values[31] == 2.0


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ({"item_code": "COLA"}, [True, True, False, False]),
        ({"item_code": "SHIRT"}, [False, False, True, False]),  # the template of RED
        ({"item_group": "Food"}, [True, True, False, False]),  # Drinks lies below Food
        ({"brand": "Fizz"}, [True, True, False, True]),
        ({"warehouse": "West"}, [False, True, False, False]),
        ({"warehouse": "Root"}, [True] * 4),
        ({"brand": "Fizz", "warehouse": "East"}, [True, False, False, True]),
    ],
)
def test_a_scope_takes_in_what_it_names(scope: dict[str, str], inside: list[bool]) -> None:
    found, faults = drivers(event("Sale", "2026-06-03", **scope))
    assert faults == []
    assert (np.nan_to_num(seen(found["Sale"]))[:, 2] == 1).tolist() == inside


def test_records_of_one_title_may_have_scopes_that_overlap() -> None:
    found, _faults = drivers(
        event("Sale", "2026-06-03", event="a", item_code="COLA"),
        event("Sale", "2026-06-10", event="b", warehouse="East"),
    )
    days = [np.flatnonzero(np.nan_to_num(row) > 0).tolist() for row in seen(found["Sale"])]
    assert days == [[2, 9], [2], [9], [9]]


def test_a_week_has_the_share_of_its_days() -> None:
    weeks = np.array(["2026-06-01", "2026-06-08"], dtype="datetime64[ns]")
    found, _faults = drivers(event("Sale", "2026-06-06", "2026-06-08"), period="week", starts=weeks, horizon=1)
    np.testing.assert_allclose(found["Sale"].values, [2 / 7, 1 / 7, 0])


def test_a_month_has_the_mean_of_a_signal() -> None:
    rows = [event("Degrees", f"2026-06-{day:02}", is_signal=True, value=float(day)) for day in (1, 2, 3)]
    june = np.array(["2026-06-01"], dtype="datetime64[ns]")
    found, _faults = drivers(*rows, period="month", starts=june, horizon=1)
    driver = found["Degrees"]
    assert driver.kind == "signal"
    assert driver.values[0] == 2.0
    assert np.isnan(driver.values[1])


def test_a_signal_that_ends_before_the_horizon_is_told_and_has_no_influence_after() -> None:
    rows = [event("Degrees", f"2026-06-{day:02}", is_signal=True, value=20.0) for day in range(1, 31)]
    found, faults = drivers(*rows, event("Sale"))
    assert [fault.kind for fault in faults] == ["Demand Event"]
    sentence = faults[0].sentence()
    assert "Degrees" in sentence
    assert "2026-06-30" in sentence
    assert "2026-07-14" in sentence
    assert "no influence" in sentence
    assert np.isnan(found["Degrees"].values[30:]).all()
    assert not np.isnan(found["Degrees"].values[:30]).any()
    assert found["Sale"].values.sum() == 1


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ({"item_code": "NO-SUCH"}, "item NO-SUCH"),
        ({"item_group": "No Such Group"}, "item group No Such Group"),
        ({"brand": "Nobody"}, "brand Nobody"),
        ({"warehouse": "Abroad", "company": COMPANY}, "warehouse Abroad"),
    ],
)
def test_an_unknown_scope_is_named_and_the_rest_untouched(scope: dict[str, str], named: str) -> None:
    alone, _none = drivers(event("Sale"))
    found, faults = drivers(event("Sale"), event("Odd", "2026-06-04", event="EV-7", **scope))
    assert list(found) == ["Sale"]
    np.testing.assert_array_equal(found["Sale"].values, alone["Sale"].values)
    (fault,) = faults
    assert named in fault.sentence()
    assert "Odd (EV-7)" in fault.sentence()


def test_events_of_other_companies_are_none_of_ours() -> None:
    found, faults = drivers(event("Theirs", company="Other"), event("Abroad", warehouse="Their House"))
    assert (found, faults) == ({}, [])


def test_an_event_outside_the_panel_and_its_horizon_is_no_driver() -> None:
    found, faults = drivers(event("Past", "2024-01-01"), event("Far", "2027-01-01"))
    assert (found, faults) == ({}, [])


def test_a_signal_and_an_event_of_one_title_stay_apart() -> None:
    rows = [event("Heat", f"2026-{month:02}-{day:02}", is_signal=True, value=1.0) for month, day in ((6, 1), (7, 14))]
    found, _faults = drivers(event("Heat", event="other"), *rows)
    assert sorted(found) == ["Heat", "Heat (signal)"]
    assert {name: driver.kind for name, driver in found.items()} == {"Heat": "event", "Heat (signal)": "signal"}


def test_holidays_are_events_of_one_family() -> None:
    days = pd.DataFrame({"title": ["Founders' Day", "Midsummer"], "day": pd.to_datetime(["2026-06-05", "2026-06-24"])})
    found, _faults = drivers(holidays=days)
    assert sorted(found) == ["Founders' Day", "Midsummer"]
    assert {driver.family for driver in found.values()} == {"Holiday"}
    assert np.flatnonzero(found["Midsummer"].values).tolist() == [23]


def prices(*rows: tuple[str, str | None, str | None, float]) -> pd.DataFrame:
    return PRICES.check(pd.DataFrame(rows, columns=["item_code", "from_day", "to_day", "rate"]))


def test_the_price_that_begins_last_counts_and_the_one_below_comes_back() -> None:
    found, faults = drivers(prices=prices(("COLA", None, None, 2.0), ("COLA", "2026-06-10", "2026-06-12", 1.5)))
    assert faults == []
    price = found["Price"]
    assert price.kind == "price"
    by_day = seen(price)
    assert np.flatnonzero(by_day[0] == 1.5).tolist() == [9, 10, 11]
    assert set(by_day[0]) == {2.0, 1.5}
    np.testing.assert_array_equal(by_day[0], by_day[1])
    assert np.isnan(by_day[2:]).all()


def test_a_price_that_never_changes_is_no_driver() -> None:
    found, _faults = drivers(prices=prices(("COLA", None, None, 2.0), ("COLA", "2026-06-10", None, 2.0)))
    assert found == {}


def test_a_price_that_ends_is_held_and_told() -> None:
    found, faults = drivers(
        prices=prices(("SOAP", "2026-06-03", "2026-06-09", 3.0), ("SOAP", "2026-06-10", "2026-06-20", 4.0))
    )
    by_day = seen(found["Price"])[3]
    assert np.isnan(by_day[:2]).all()
    assert (by_day[9:] == 4.0).all()
    (fault,) = faults
    for part in ("1 items", "SOAP", "2026-06-20", "2026-07-14", "taken to stay"):
        assert part in fault.sentence()


def test_below_follows_a_tree_and_ends_in_a_circle() -> None:
    tree = TREE.check(pd.DataFrame({"name": ["a", "b", "c", "d"], "parent": ["", "a", "b", "a"]}))
    assert below(tree, "a") == {"a", "b", "c", "d"}
    assert below(tree, "b") == {"b", "c"}
    circle = TREE.check(pd.DataFrame({"name": ["a", "b"], "parent": ["b", "a"]}))
    assert below(circle, "a") == {"a", "b"}


def test_public_holidays_of_a_country() -> None:
    found, faults = holidays_of("Germany", "BY", date(2025, 12, 1), date(2026, 1, 31))
    assert faults == []
    days = found["day"].dt.strftime("%m-%d").tolist()
    assert {"12-25", "01-01", "01-06"} <= set(days)  # Epiphany: Bavaria, not all of Germany
    whole, _faults = holidays_of("DE", "", date(2025, 12, 1), date(2026, 1, 31))
    assert "01-06" not in whole["day"].dt.strftime("%m-%d").tolist()


@pytest.mark.parametrize("name", ["Korea, Republic of", "Czech Republic", "United States", "vn"])
def test_countries_are_known_by_the_names_that_erpnext_gives_them(name: str) -> None:
    found, faults = holidays_of(name, "", date(2026, 1, 1), date(2026, 12, 31))
    assert faults == []
    assert len(found) > 4


@pytest.mark.parametrize(("country", "part", "named"), [("Atlantis", "", "Atlantis"), ("Germany", "XX", "XX")])
def test_an_unknown_country_or_part_is_told(country: str, part: str, named: str) -> None:
    found, (fault,) = holidays_of(country, part, date(2026, 1, 1), date(2026, 12, 31))
    assert found.empty
    assert named in fault.sentence()


def test_no_country_no_holidays() -> None:
    found, faults = holidays_of("", "", date(2026, 1, 1), date(2026, 12, 31))
    assert found.empty
    assert faults == []
