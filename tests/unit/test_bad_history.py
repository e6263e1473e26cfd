"""Bad histories and drivers beside sound ones: what is told, and that the others' forecasts stay as they were.

Sound items share profiles, weights and alignment with a bad one, so theirs may move by TOLERANCE of their mean; where
the bad item is left out before anything is learned, they are the same to the bit.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.cleaning import clean
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.panel import build_panel
from erp_forecast_addon.planning.scopes import Scopes
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.signals import Signals, prepare
from erp_forecast_addon.planning.tables import EVENTS, HOLIDAYS, ITEMS, OVERRIDES, PRICES, REPLACEMENTS, TREE

AS_OF = date(2026, 3, 1)
DAYS, HORIZON, SOUND = 500, 28, 60
HOUSE, BAD = "Stores - T", "Bad"
# One series of 61 may move what all of them share by so much of a sound item's mean.
TOLERANCE = 0.02
SETTINGS = PlanSettings("T", horizon_days=HORIZON)
CALENDAR = pd.date_range(end=pd.Timestamp(AS_OF), periods=DAYS)
ITEM_CODES = [f"Sound {number:02d}" for number in range(SOUND)]


def buckets(
    item_code: str, demand: np.ndarray, days: pd.DatetimeIndex = CALENDAR, closing: float = 50.0
) -> pd.DataFrame:
    rows = pd.DataFrame({"item_code": item_code, "warehouse": HOUSE, "day": days, "demand_qty": demand})
    return rows.assign(opening_qty=50.0, closing_qty=50.0)


@pytest.fixture(scope="module")
def sound() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    week = np.array([0.6, 0.8, 0.9, 1.0, 1.3, 1.5, 0.9])[np.arange(DAYS) % 7]
    return pd.concat([buckets(code, rng.poisson(rng.gamma(2, 2) * week).astype(float)) for code in ITEM_CODES])


@pytest.fixture(scope="module")
def undisturbed(sound: pd.DataFrame) -> ForecastSet:
    return planned(sound)[0]


def planned(rows: pd.DataFrame, events: pd.DataFrame | None = None) -> tuple[ForecastSet, list[Fault]]:
    """As a run goes: buckets, panel, signals, cleaning, forecast; with every fault on the way."""
    items = ITEMS.check(pd.DataFrame({"item_code": [*ITEM_CODES, BAD], "item_group": "Goods"}))
    scopes = Scopes("T", items, TREE.empty(), TREE.check(pd.DataFrame({"name": [HOUSE], "parent": [""]})))
    told = EVENTS.empty() if events is None else EVENTS.check(events)
    signals = Signals(scopes, told, HOLIDAYS.empty(), PRICES.empty(), OVERRIDES.empty(), REPLACEMENTS.empty())
    panel, history = build_panel(rows, "day", AS_OF, items=items, company="T")
    ready, future, of_signals = prepare(panel, signals, HORIZON, AS_OF)
    cleaned, of_cleaning = clean(ready, SETTINGS.outlier_limit)
    made = forecast_panel(cleaned, HORIZON, SETTINGS, future=future, workers=1)
    return made, [*history, *of_signals, *of_cleaning]


def moved(made: ForecastSet, before: ForecastSet) -> float:
    """By how much of its own mean the forecast of the sound item moved that moved most."""
    here = made.keys["item_code"].isin(ITEM_CODES).to_numpy()
    assert made.keys["item_code"][here].tolist() == before.keys["item_code"].tolist()
    assert np.isfinite(made.mean).all()
    assert (made.mean >= 0).all()
    return float((np.abs(made.mean[here] - before.mean).mean(axis=1) / before.mean.mean(axis=1)).max())


def of_bad(faults: list[Fault]) -> list[str]:
    return [fault.sentence() for fault in faults if fault.item_code == BAD]


def forecast_of_bad(made: ForecastSet) -> np.ndarray:
    return np.asarray(made.mean[made.keys["item_code"].eq(BAD).to_numpy()][0])


def regular(mean: float = 4.0) -> np.ndarray:
    return np.random.default_rng(9).poisson(mean, DAYS).astype(float)


def test_a_constant_series_is_forecast_as_it_is(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    made, faults = planned(pd.concat([sound, buckets(BAD, np.full(DAYS, 5.0))]))
    assert of_bad(faults) == []
    assert forecast_of_bad(made) == pytest.approx(5.0, rel=0.1)
    assert moved(made, undisturbed) < TOLERANCE


def test_all_zeros(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    made, faults = planned(pd.concat([sound, buckets(BAD, np.zeros(DAYS))]))
    assert of_bad(faults) == [f"Nothing was sold or issued in {DAYS} days up to 2026-03-01; the forecast is 0."]
    assert not forecast_of_bad(made).any()
    assert moved(made, undisturbed) < TOLERANCE


def test_one_observation(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    made, faults = planned(pd.concat([sound, buckets(BAD, np.array([7.0]), CALENDAR[-1:])]))
    assert of_bad(faults) == ["There is a single day of history; the forecast rests on it alone and may be far off."]
    assert moved(made, undisturbed) < TOLERANCE


def test_a_year_without_stock_is_unknown_and_not_zero(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    demand, rows = regular(8.0), slice(60, 425)
    history = buckets(BAD, demand)
    history.loc[history.index[rows], "demand_qty"] = 0.0
    history.loc[history.index[rows], ["opening_qty", "closing_qty"]] = 0.0
    made, faults = planned(pd.concat([sound, history]))
    assert of_bad(faults) == []
    assert forecast_of_bad(made).mean() == pytest.approx(8.0, rel=0.25)
    assert moved(made, undisturbed) < TOLERANCE


def test_a_missing_value_leaves_its_pair_out(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    demand = regular()
    demand[100:465] = np.nan
    made, faults = planned(pd.concat([sound, buckets(BAD, demand)]))
    (told,) = of_bad(faults)
    assert told.startswith(f"Demand buckets: {BAD} / {HOUSE} has demand_qty = nan, which cannot be used.")
    assert BAD not in made.keys["item_code"].tolist()
    assert moved(made, undisturbed) == 0


def test_duplicated_keys_leave_their_pair_out(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    once = buckets(BAD, regular())
    made, faults = planned(pd.concat([sound, once, once.iloc[[30, 31]].assign(demand_qty=900.0)]))
    (told,) = of_bad(faults)
    assert told.startswith(f"Demand buckets: {BAD} in {HOUSE} has more than one row for 2024-11-")
    assert "nothing is forecast for it; correct the rows and run again" in told
    assert moved(made, undisturbed) == 0


def test_returns_that_outweigh_all_sales(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    demand = np.zeros(DAYS)
    demand[[10, 200, 400]] = 4.0
    demand[450] = -100.0
    made, faults = planned(pd.concat([sound, buckets(BAD, demand)]))
    assert any(fault.kind == "Bad Data" and "return" in fault.sentence().lower() for fault in faults)
    assert not forecast_of_bad(made).any()
    assert moved(made, undisturbed) < TOLERANCE


def test_a_huge_spike_is_capped_and_named(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    demand = regular()
    demand[470] = 1e7
    made, faults = planned(pd.concat([sound, buckets(BAD, demand)]))
    assert [fault.kind for fault in faults if fault.item_code == BAD] == ["Outlier"]
    assert forecast_of_bad(made).mean() == pytest.approx(4.0, rel=0.25)
    assert moved(made, undisturbed) < TOLERANCE


def event(title: str, first: str, last: str, **more: object) -> dict[str, object]:
    return {"event": title, "title": title, "from_day": first, "to_day": last, **more}


def test_a_signal_that_ends_before_the_horizon(sound: pd.DataFrame, undisturbed: ForecastSet) -> None:
    noise = np.random.default_rng(1).normal(size=400)
    days = CALENDAR[-410:-10].strftime("%Y-%m-%d")
    values = [
        event("Rain", day, day, value=value, is_signal=True, event_type="Weather")
        for day, value in zip(days, noise, strict=True)
    ]
    made, faults = planned(sound, pd.DataFrame(values))
    (told,) = [fault.sentence() for fault in faults if fault.kind == "Demand Event"]
    assert "Rain" in told
    assert "end on 2026-02-19, before the forecast does on 2026-03-29" in told
    assert moved(made, undisturbed) < TOLERANCE


@pytest.mark.parametrize("scope", [{"item_code": "Nothing"}, {"item_group": "Nothing"}, {"warehouse": "Nothing"}])
def test_an_unknown_scope(sound: pd.DataFrame, undisturbed: ForecastSet, scope: dict[str, str]) -> None:
    events = pd.DataFrame([event("Fair", "2026-03-05", "2026-03-08", company="T", **scope)])
    made, faults = planned(sound, events)
    (told,) = [fault.sentence() for fault in faults if fault.kind == "Demand Event"]
    assert "Nothing" in told
    assert "all else is planned as before" in told
    assert moved(made, undisturbed) == 0
