"""Price jumps and suppliers going late: what is told, and what is noise."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.inventory.going_late import going_late, going_late_faults
from erp_forecast_addon.planning.inventory.lead_time_observations import Observations
from erp_forecast_addon.planning.purchasing.price_jumps import jump_faults, price_jumps

AS_OF = date(2026, 3, 1)


def paid(rates: list[float], kinds: str = "order", item: str = "A") -> pd.DataFrame:
    """Prices a month apart, the last of today."""
    days = [pd.Timestamp(AS_OF) - pd.Timedelta(days=30 * back) for back in range(len(rates))][::-1]
    return pd.DataFrame({"item_code": item, "supplier": "S", "day": days, "base_rate": rates, "kind": kinds})


@pytest.mark.parametrize("rates", [
    [10, 10, 10, 10.9], [10, 10], [10, 12, 8, 11, 9, 12.5], [10, 10, 10, 6],
])  # fmt: skip
def test_what_is_no_jump(rates: list[float]) -> None:
    """Under a tenth; too few orders; a price that always varied so; a bargain that can be true."""
    assert price_jumps(paid(rates), AS_OF).empty


def test_a_rise_is_told_with_its_money_a_year() -> None:
    found = price_jumps(paid([10, 10, 10.1, 9.9, 13]), AS_OF)
    (fault,) = jump_faults(found, pd.Series({"A": 1000.0}), pd.Series({"A": "Kg"}), "EUR")
    assert fault.money_at_risk == pytest.approx(3000, rel=0.01)
    assert fault.kind == "Price Jump"
    assert "30% more than the usual 10" in fault.sentence()
    assert "3000 EUR more a year" in fault.sentence()


def test_a_tenth_of_the_price_is_a_wrong_unit_more_likely_than_a_gift() -> None:
    found = price_jumps(paid([10, 10, 10, 1]), AS_OF)
    assert found["share"].tolist() == pytest.approx([-0.9])
    assert "Check that the price" in jump_faults(found, pd.Series(), pd.Series(), "EUR")[0].sentence()


def test_quotations_tell_a_jump_but_not_what_is_usual() -> None:
    rows = pd.concat([paid([10, 10, 10, 10]), paid([14], "quotation").assign(day=pd.Timestamp(AS_OF))])
    assert price_jumps(rows, AS_OF)["kind"].tolist() == ["quotation"]
    assert price_jumps(paid([10, 10, 10, 14], "quotation"), AS_OF).empty


def test_a_price_that_has_become_usual_closes_its_case() -> None:
    assert price_jumps(paid([10, 10, 13, 13, 13, 13]), AS_OF).empty


def observations(delays: list[float], ago: list[float], supplier: str = "S", still_open: bool = False) -> Observations:
    n = len(delays)
    days = 20.0 + np.array(delays)
    return Observations(
        np.full(n, supplier, dtype=object), np.full(n, "A", dtype=object), days + np.array(ago), days,
        np.full(n, 20.0), np.full(n, 20.0), np.full(n, still_open), np.ones(n), np.ones(n),
    )  # fmt: skip


YEAR = [120.0, 160, 200, 240, 280, 320]
QUARTER = [10.0, 30, 50, 70, 85]


def test_a_supplier_that_slips_is_told_and_one_that_never_was_punctual_is_not() -> None:
    late = going_late(observations([0, 0, 1, 0, 1, 0, 5, 6, 7, 6, 5], YEAR + QUARTER))
    assert late["supplier"].tolist() == ["S"]
    assert late["extra_days"].iloc[0] == pytest.approx(5.8 - 1 / 3)
    (fault,) = going_late_faults(late, pd.Series({"S": 100.0}))
    assert fault.money_at_risk == pytest.approx(100 * (5.8 - 1 / 3))
    assert going_late(observations([6, 5, 7, 6, 5, 6, 5, 6, 7, 6, 5], YEAR + QUARTER)).empty


def test_one_bad_week_of_a_supplier_who_varies_is_noise() -> None:
    assert going_late(observations([0, 12, -3, 9, 1, 15, 9, 1, 14, 12, 4], YEAR + QUARTER)).empty
    assert going_late(observations([0, 0, 0, 0, 0, 0, 9, 9], YEAR + QUARTER[:2])).empty, "two orders say little"


def test_what_is_open_and_overdue_counts() -> None:
    old = observations([0] * 6, YEAR)
    new = observations([8.0] * 4, [0.0] * 4, still_open=True)
    both = Observations(
        *(np.concatenate([getattr(old, f), getattr(new, f)]) for f in Observations.__dataclass_fields__)
    )
    assert going_late(both)["recent_days"].tolist() == [8.0]
