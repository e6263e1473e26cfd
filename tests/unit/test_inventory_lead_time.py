"""Which lead time a pair uses, and what receipts teach."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.inventory.lead_time import choose_lead_times, lead_time_statistics
from erp_forecast_addon.planning.tables import RECEIPTS

NAN = float("nan")


def receipts(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["supplier", "item_code", "ordered_on", "received_on", "stock_qty"])


def statistic(frame: pd.DataFrame, supplier: str, item_code: str) -> tuple[float, float, float]:
    row = frame.set_index(["supplier", "item_code"]).loc[(supplier, item_code)]
    return row["observations"], row["lead_time_days"], row["lead_time_std_days"]


def test_the_supplier_comes_before_the_item_and_the_item_before_the_settings() -> None:
    chosen = choose_lead_times(
        np.array([5.0, NAN, NAN, NAN, 0.0]),
        np.array([1.5, NAN, NAN, NAN, NAN]),
        np.array(["receipts", "", "", "", ""], dtype=object),
        np.array([9.0, 9.0, 0.0, NAN, NAN]),
        14.0,
    )
    assert chosen.days.tolist() == [5.0, 9.0, 14.0, 14.0, 0.0]
    assert chosen.source.tolist() == ["receipts", "item", "settings", "settings", "item price"]
    assert chosen.std_days.tolist() == [1.5, 0.0, 0.0, 0.0, 0.0]
    assert not chosen.unbelievable.any()


def test_a_lead_time_that_cannot_be_is_not_used_and_marked() -> None:
    chosen = choose_lead_times(
        np.array([-3.0, 20000.0]), np.array([NAN, NAN]), np.array(["", ""], dtype=object), np.array([8.0, NAN]), 14.0
    )
    assert chosen.days.tolist() == [8.0, 14.0]
    assert chosen.source.tolist() == ["item", "settings"]
    assert chosen.unbelievable.all()


def test_partial_receipts_weigh_by_quantity_and_make_one_observation() -> None:
    found, faults = lead_time_statistics(
        receipts(
            ("S", "A", "2026-01-01", "2026-01-11", 30.0),
            ("S", "A", "2026-01-01", "2026-01-21", 10.0),
        )
    )
    observations, mean, std = statistic(found, "S", "A")
    assert (observations, mean) == (1.0, 12.5)
    assert np.isnan(std), "one order tells no deviation"
    assert not faults


def test_three_orders_stand_on_their_own_and_large_ones_weigh_no_more() -> None:
    found, _ = lead_time_statistics(
        receipts(
            ("S", "A", "2026-01-01", "2026-01-11", 1000.0),
            ("S", "A", "2026-02-01", "2026-02-13", 1.0),
            ("S", "A", "2026-03-01", "2026-03-15", 1.0),
            ("S", "B", "2026-03-01", "2026-04-30", 1.0),
        )
    )
    assert statistic(found, "S", "A") == (3.0, 12.0, 2.0)


def test_few_orders_are_mixed_with_the_supplier() -> None:
    found, _ = lead_time_statistics(
        receipts(
            ("S", "A", "2026-01-01", "2026-01-31", 1.0),
            ("S", "B", "2026-01-01", "2026-01-11", 1.0),
            ("S", "B", "2026-02-01", "2026-02-11", 1.0),
            ("S", "B", "2026-03-01", "2026-03-11", 1.0),
        )
    )
    of_all, of_item = statistic(found, "S", ""), statistic(found, "S", "A")
    assert of_all[:2] == (4.0, 15.0)
    assert of_item[1] == pytest.approx(30.0 / 3 + 15.0 * 2 / 3)
    assert of_item[2] == pytest.approx(of_all[2]), "its own deviation is unknown, so the supplier's stands in"


def test_receipts_that_cannot_be_are_left_out_and_reported() -> None:
    found, faults = lead_time_statistics(
        receipts(
            ("S", "A", "2026-01-10", "2026-01-01", 5.0),
            ("S", "A", "2026-01-01", "2026-01-05", 0.0),
            ("S", "A", "2026-01-01", "2027-01-05", 5.0),
            ("S", "A", "2026-01-01", "2026-01-09", 5.0),
        ),
        as_of=date(2026, 2, 1),
    )
    assert statistic(found, "S", "A")[:2] == (1.0, 8.0)
    assert [fault.kind for fault in faults] == ["Bad Data"] * 3
    assert faults[0].sentence() == (
        "S, A: a receipt of 2026-01-01 lies before its order of 2026-01-10. It was left out of the lead times; "
        "correct the date of the receipt or of the order."
    )
    assert "brought 0.0, which is no quantity" in faults[1].sentence()
    assert "is dated 2027-01-05, after 2026-02-01" in faults[2].sentence()


def test_no_receipts_teach_nothing() -> None:
    found, faults = lead_time_statistics(RECEIPTS.empty())
    assert found.empty
    assert not faults


def test_only_bad_receipts_teach_nothing() -> None:
    found, faults = lead_time_statistics(receipts(("S", "A", "2026-01-10", "2026-01-01", 5.0)))
    assert found.empty
    assert len(faults) == 1
