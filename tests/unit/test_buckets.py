"""Demand buckets from the stock ledger."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_forecast_addon.planning.buckets import daily_buckets, pair_checksums
from erp_forecast_addon.planning.errors import BadInput


def entry(day, qty, after, *, item="A", warehouse="W", hour=9, demand=True, sold_on=None, name="", creation=None):
    posted = pd.Timestamp(f"2026-03-{day:02d}") + pd.Timedelta(hours=hour)
    return {
        "item_code": item, "warehouse": warehouse, "name": name, "posting_day": posted.normalize(), "posted_at": posted,
        "creation": creation or posted, "actual_qty": qty, "qty_after_transaction": after, "is_demand": demand,
        "demand_day": pd.NaT if sold_on is None else pd.Timestamp(f"2026-03-{sold_on:02d}"),
    }  # fmt: skip


def rows(*entries):
    buckets = daily_buckets(pd.DataFrame(list(entries)))
    return [
        (day.day, demand, opening, closing)
        for day, demand, opening, closing in zip(
            buckets["day"], buckets["demand_qty"], buckets["opening_qty"], buckets["closing_qty"], strict=True
        )
    ]


def test_sales_of_a_day_are_added_and_stock_is_carried():
    assert rows(
        entry(1, 50, 50, demand=False), entry(2, -3, 47), entry(2, -4, 43, hour=15), entry(9, -1, 42),
    ) == [(1, 0, 0, 50), (2, 7, 50, 43), (9, 1, 43, 42)]  # fmt: skip


def test_what_is_no_demand_moves_the_stock_only():
    assert rows(entry(1, 50, 50, demand=False), entry(2, -20, 30, demand=False)) == [(1, 0, 0, 50), (2, 0, 50, 30)]


def test_a_return_reduces_the_day_of_its_sale():
    assert rows(entry(1, 9, 9, demand=False), entry(2, -5, 4), entry(6, 2, 6, sold_on=2)) == [
        (1, 0, 0, 9), (2, 3, 9, 4), (6, 0, 4, 6),
    ]  # fmt: skip


def test_a_return_netted_on_a_day_without_movement_keeps_the_stock_that_was_there():
    assert rows(entry(1, 9, 9, demand=False), entry(2, -5, 4), entry(6, 2, 6, sold_on=4)) == [
        (1, 0, 0, 9), (2, 5, 9, 4), (4, -2, 4, 4), (6, 0, 4, 6),
    ]  # fmt: skip


def test_reconciliation_without_a_quantity_still_sets_the_stock():
    assert rows(entry(1, 0, 80, demand=False), entry(3, 0, 20, demand=False), entry(4, -5, 15)) == [
        (1, 0, 0, 80), (3, 0, 80, 20), (4, 5, 20, 15),
    ]  # fmt: skip


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_last_entry_of_a_day_is_by_posting_then_creation_then_name(order):
    late = pd.Timestamp("2026-03-05")
    moments = [
        entry(1, -1, 11, hour=8, creation=late, name="C"),
        entry(1, -1, 12, hour=9, creation=late, name="A"),
        entry(1, -1, 13, hour=9, creation=late, name="B"),
    ]
    assert rows(*(moments[at] for at in order)) == [(1, 3, 0, 13)]
    moments[1]["creation"] += pd.Timedelta(seconds=1)
    assert rows(*(moments[at] for at in order)) == [(1, 3, 0, 12)]


def test_an_entry_read_twice_counts_once():
    assert rows(entry(1, -2, 8, name="X"), entry(1, -2, 8, name="X")) == [(1, 2, 0, 8)]


def test_creation_may_be_text_and_missing():
    frame = pd.DataFrame([entry(1, -2, 8), entry(2, -2, 6)]).assign(creation=["2026-03-01 09:00:00.123456", None])
    assert daily_buckets(frame)["closing_qty"].tolist() == [8, 6]


def test_empty_ledger_gives_an_empty_table():
    from erp_forecast_addon.planning.tables import BUCKETS, LEDGER

    empty = daily_buckets(LEDGER.empty())
    assert empty.empty
    assert list(empty.columns) == list(BUCKETS.columns)
    assert pair_checksums(empty).empty


def test_infinite_quantity_is_refused_with_its_row():
    with pytest.raises(BadInput, match="row 1"):
        daily_buckets(pd.DataFrame([entry(1, -2, 8), entry(2, -np.inf, 8)]))


def test_a_cut_ledger_goes_on_from_the_carried_stock():
    whole = [entry(1, 50, 50, demand=False), entry(2, -3, 47), entry(9, -1, 46)]
    carried = pd.DataFrame({"item_code": ["A"], "warehouse": ["W"], "closing_qty": [47.0]})
    tail = daily_buckets(pd.DataFrame(whole[2:]), carried)
    pd.testing.assert_frame_equal(tail, daily_buckets(pd.DataFrame(whole)).iloc[2:].reset_index(drop=True))


entries = st.builds(
    entry, st.integers(1, 28), st.integers(-9, 9), st.integers(-3, 30), item=st.sampled_from("ABC"),
    warehouse=st.sampled_from("VW"), hour=st.integers(0, 23), demand=st.booleans(),
    sold_on=st.none() | st.integers(1, 28),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_a_pair_alone_equals_its_slice_and_order_does_not_matter(ledger, random):
    ledger = [{**row, "name": f"E{at:03d}"} for at, row in enumerate(ledger)]
    whole = daily_buckets(pd.DataFrame(ledger))
    shuffled = ledger.copy()
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(daily_buckets(pd.DataFrame(shuffled)), whole)
    item, warehouse = ledger[0]["item_code"], ledger[0]["warehouse"]
    alone = [row for row in ledger if (row["item_code"], row["warehouse"]) == (item, warehouse)]
    part = whole[(whole["item_code"] == item) & (whole["warehouse"] == warehouse)].reset_index(drop=True)
    pd.testing.assert_frame_equal(daily_buckets(pd.DataFrame(alone)), part)
    sold = sum(-row["actual_qty"] for row in ledger if row["is_demand"])
    assert whole["demand_qty"].sum() == pytest.approx(sold)


def test_checksum_depends_on_every_quantity_and_on_nothing_else():
    frame = daily_buckets(pd.DataFrame([entry(1, -2, 8), entry(2, -1, 7), entry(2, -1, 7, item="B")]))
    base = pair_checksums(frame)
    assert base["checksum"].str.len().tolist() == [16, 16]
    pd.testing.assert_frame_equal(pair_checksums(frame.iloc[::-1]), base)
    pd.testing.assert_frame_equal(pair_checksums(frame[frame["item_code"] == "A"]), base.iloc[:1])
    for column in ("demand_qty", "closing_qty", "opening_qty"):
        changed = frame.copy()
        changed.loc[0, column] += 0.001
        sums = pair_checksums(changed)["checksum"]
        assert sums[0] != base["checksum"][0]
        assert sums[1] == base["checksum"][1]
    moved = frame.assign(day=frame["day"] + pd.Timedelta(days=1))
    assert (pair_checksums(moved)["checksum"] != base["checksum"]).all()


def test_checksum_is_the_same_on_every_machine_and_version():
    frame = daily_buckets(pd.DataFrame([entry(1, -2, 8), entry(2, -1, 7)]))
    assert pair_checksums(frame)["checksum"][0] == "5836ea56085c2fad"
