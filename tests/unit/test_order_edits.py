"""What a buyer changed in a draft, told line by line."""

import pandas as pd

from erp_forecast_addon.planning.purchasing.edits import EDIT_KINDS, draft_edits


def lines(*rows: tuple[str, float, str, float]) -> pd.DataFrame:
    return pd.DataFrame([
        {"item_code": item, "warehouse": "W", "stock_qty": qty, "schedule_date": pd.Timestamp(day), "rate": rate}
        for item, qty, day, rate in rows
    ], columns=["item_code", "warehouse", "stock_qty", "schedule_date", "rate"])  # fmt: skip


BOLT, NUT = ("Bolt", 10.0, "2026-12-01", 2.5), ("Nut", 4.0, "2026-12-03", 1.0)


def told(found: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    return list(found[["item_code", "kind", "from_text", "to_text"]].itertuples(index=False, name=None))


def test_the_same_order_of_other_rows_is_no_edit():
    assert draft_edits(lines(BOLT, NUT), lines(NUT, BOLT), "S", "S").empty
    assert draft_edits(lines(), lines()).empty


def test_quantity_date_and_price_are_rows_of_their_own():
    found = draft_edits(lines(BOLT, NUT), lines(("Bolt", 12.0, "2026-12-05", 2.0), NUT))
    assert told(found) == [
        ("Bolt", "Date", "2026-12-01", "2026-12-05"), ("Bolt", "Price", "2.5", "2"), ("Bolt", "Quantity", "10", "12"),
    ]  # fmt: skip
    assert found["from_qty"].tolist() == [10.0] * 3
    assert found["to_on"].tolist() == [pd.Timestamp("2026-12-05")] * 3


def test_a_line_taken_out_and_one_put_in():
    found = draft_edits(lines(BOLT), lines(NUT))
    assert told(found) == [("Bolt", "Removed", "10", "0"), ("Nut", "Added", "0", "4")]


def test_another_supplier_is_a_change_of_every_line_that_stays_and_its_price_none():
    found = draft_edits(lines(BOLT, NUT), lines(("Bolt", 10.0, "2026-12-01", 9.0)), "Slow", "Fast")
    assert told(found) == [("Bolt", "Supplier", "Slow", "Fast"), ("Nut", "Removed", "4", "0")]
    assert found["to_rate"].tolist()[0] == 9.0


def test_two_lines_of_an_item_are_one():
    split = lines(("Bolt", 6.0, "2026-12-01", 2.5), ("Bolt", 4.0, "2026-12-08", 2.5))
    assert draft_edits(lines(BOLT), split).empty, "ten on the first day's date"


def test_kinds_are_those_of_the_record():
    from erp_forecast_addon.site.doctypes import our_doctypes

    assert "kind" in our_doctypes()["Order Edit"].columns
    assert EDIT_KINDS == ("Quantity", "Date", "Supplier", "Price", "Removed", "Added")
