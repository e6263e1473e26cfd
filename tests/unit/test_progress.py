"""A plan says how far it is: shares that rise to 1, words for a planner, and the same result whoever listens."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from replenishment_case import AS_OF, Case, item, source, stock

from erp_forecast_addon.planning import work
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.plan import Plan, plan
from erp_forecast_addon.planning.progress import Progress, Stages, silent
from erp_forecast_addon.planning.settings import PlanSettings

FAST = PlanSettings("Co", "EUR", horizon_days=14)
# The run's field and its progress bar hold a line; translations are longer.
MOST_LETTERS = 70


class Heard:
    """What was said: (share, sentence)."""

    def __init__(self) -> None:
        self.said: list[tuple[float, str]] = []

    def __call__(self, share: float, step: str, /, **values: Any) -> None:
        self.said.append((share, step.format(**values)))

    @property
    def shares(self) -> list[float]:
        return [share for share, _words in self.said]

    @property
    def words(self) -> list[str]:
        """Each once, in order."""
        return list(dict.fromkeys(words for _share, words in self.said))

    def check(self) -> None:
        assert all(type(share) is float for share in self.shares)
        assert self.shares == sorted(self.shares)
        assert 0 <= self.shares[0] < 0.1
        assert self.shares[-1] == 1
        assert all(words[0].islower() or words.startswith("ARIMA") for words in self.words)
        assert max(map(len, self.words)) <= MOST_LETTERS


def panel(n: int = 40, t: int = 220) -> Panel:
    rng = np.random.default_rng(11)
    days = pd.date_range(end=AS_OF, periods=t)
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{at:03d}" for at in range(n)], "warehouse": "W"}, dtype=object),
        period="day",
        starts=days.to_numpy().astype("datetime64[ns]"),
        demand=rng.poisson(rng.uniform(1, 8, (n, 1)), (n, t)).astype(float),
        in_stock=np.ones((n, t), bool),
        first=np.zeros(n, int),
    )


def planned(settings: PlanSettings, progress: Progress = silent) -> Plan:
    codes = [f"I{at:03d}" for at in range(40)]
    case = Case(
        positions=[{**stock(code), "warehouse": "W"} for code in codes],
        items=[item(code) for code in codes],
        sourcing=[source(code) for code in codes],
    )
    return plan(panel(), pd.DataFrame(case.positions), case.supply(), settings, AS_OF, progress=progress)


def same(one: ForecastSet, other: ForecastSet) -> None:
    for name in ("mean", "quantiles", "model", "reason_template", "demand_class", "error_std"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    pd.testing.assert_frame_equal(one.accuracy, other.accuracy)


def test_a_forecast_tells_its_stages_in_order_and_comes_out_the_same() -> None:
    heard = Heard()
    made = forecast_panel(panel(), 14, FAST, progress=heard)
    heard.check()
    assert heard.words == [work.SEASONS, work.JUDGING, work.WEIGHING, work.FORECASTING, work.ALIGNING, work.MISSES]
    same(made, forecast_panel(panel(), 14, FAST))


@pytest.mark.parametrize("method", ["Textbook", "Simulated Fill Rate"])
def test_a_plan_tells_forecast_and_levels_as_one_and_comes_out_the_same(method: str) -> None:
    heard, settings = Heard(), replace(FAST, policy_method=method)
    made, quiet = planned(settings, heard), planned(settings)
    heard.check()
    assert heard.words[:2] == [work.CLEANING, work.SEASONS]
    assert heard.words[-1] == work.ORDERS
    assert (work.SIMULATING in heard.words) == (method != "Textbook")
    same(made.forecasts, quiet.forecasts)
    pd.testing.assert_frame_equal(made.policies, quiet.policies)
    pd.testing.assert_frame_equal(made.proposals, quiet.proposals)


def test_the_full_tier_tells_its_fits_and_that_they_take_most_of_the_time() -> None:
    heard = Heard()
    full = replace(FAST, tier="full")
    made = forecast_panel(panel(), 14, full, workers=1, progress=heard)
    heard.check()
    fits = [words for words in heard.words if "training" in words]
    assert fits == [f"training the model of all items ({at} of 6)" for at in range(1, 7)]
    training = [share for share, words in heard.said if words in fits]
    assert training[-1] - training[0] > 0.8
    assert work.TREES in heard.words
    # Another night the model is used as it is, and no time is set aside for training.
    again = Heard()
    forecast_panel(panel(), 14, full, workers=1, trained=made.learned.boosted, progress=again)
    again.check()
    assert not [words for words in again.words if "training" in words]
    judging = [[share for share, words in each.said if words == work.JUDGING][-1] for each in (heard, again)]
    assert judging[0] < 0.1 < judging[1]


def test_arima_tells_how_many_items_it_has_tried() -> None:
    heard = Heard()
    settings = replace(FAST, arima_items=3, arima_seconds=20.0)
    forecast_panel(panel(), 14, settings, unit_value=np.ones(40), progress=heard)
    heard.check()
    tried = [words for words in heard.words if "ARIMA" in words]
    assert tried
    assert set(tried) <= {f"trying ARIMA on the items of most value ({done} of 3)" for done in range(4)}


def test_an_empty_panel_is_done_at_once() -> None:
    heard = Heard()
    forecast_panel(panel().select(np.array([], dtype=int)), 14, FAST, progress=heard)
    heard.check()


def test_a_stage_takes_its_share_of_the_time() -> None:
    heard = Heard()
    stages = Stages(heard, {"first": 1.0, "left out": 0.0, "second": 3.0})
    stages.say("first", 0.5)
    stages.say("left out", 0.7)
    stages.within("second")(0.5, "{part} of it", part="half")
    stages.done("second")(1.0)
    assert heard.said == [(0.125, "first"), (0.25, "left out"), (0.625, "half of it"), (1.0, "second")]


@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_are_counted_in_their_order(workers: int) -> None:
    shares: list[float] = []
    in_blocks(lambda _block: None, 10, workers, 3, shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
