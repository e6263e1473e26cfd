"""What was rejected is not proposed again the same way."""

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.purchasing.rests import REASON_CLASSES, at_rest

PROPOSED = pd.DataFrame([{
    "item_code": "Bolt", "warehouse": "W", "supplier": "S", "stock_qty": 100.0, "base_amount": 500.0,
}])  # fmt: skip


def rest(reason: str, **values: object) -> pd.DataFrame:
    return pd.DataFrame([{
        "item_code": "Bolt", "warehouse": "W", "supplier": "S", "reason_class": reason, "stock_qty": 100.0,
        "base_rate": 5.0, **values,
    }])  # fmt: skip


def rests(reason: str, **proposed: object) -> bool:
    return bool(at_rest(PROPOSED.assign(**proposed), rest(reason))[0])


@pytest.mark.parametrize(("qty", "again"), [(100.0, True), (81.0, True), (119.0, True), (79.0, False), (121.0, False)])
def test_a_wrong_quantity_is_not_proposed_again_but_another_is(qty, again):
    assert rests("Wrong Quantity", stock_qty=qty) is again


def test_a_wrong_supplier_is_not_asked_again_but_another_is():
    assert rests("Wrong Supplier")
    assert not rests("Wrong Supplier", supplier="T")


def test_what_was_too_expensive_returns_when_it_is_cheaper():
    assert rests("Too Expensive")
    assert rests("Too Expensive", base_amount=600.0)
    assert rests("Too Expensive", base_amount=0.0), "without a price nobody knows that it is cheaper"
    assert not rests("Too Expensive", base_amount=490.0)
    assert not rests("Too Expensive", stock_qty=200.0, base_amount=900.0)


def test_needs_at_rest_as_such_are_left_to_the_plan():
    for reason in ("Not Needed", "Other", ""):
        assert not rests(reason)


def test_another_item_or_warehouse_is_proposed():
    assert not at_rest(PROPOSED, rest("Wrong Supplier", item_code="Nut"))[0]
    assert not at_rest(PROPOSED, rest("Wrong Supplier", warehouse="V"))[0]


def test_each_proposal_is_answered_in_its_place():
    three = pd.concat([PROPOSED, PROPOSED.assign(item_code="Nut"), PROPOSED.assign(supplier="T")])
    assert at_rest(three, rest("Wrong Supplier")).tolist() == [True, False, False]
    assert at_rest(three.iloc[:0], rest("Wrong Supplier")).tolist() == []
    assert not at_rest(three, rest("Wrong Supplier").iloc[:0]).any()


def test_reasons_are_those_of_the_record():
    import json
    from pathlib import Path

    from erp_forecast_addon.site import doctypes

    path = (
        Path(doctypes.__file__).parents[1] / "erp_forecast_addon/doctype/auto_purchase_order/auto_purchase_order.json"
    )
    (field,) = [each for each in json.loads(path.read_text())["fields"] if each["fieldname"] == "rejection_class"]
    assert tuple(field["options"].split("\n")) == ("", *REASON_CLASSES)
    assert np.asarray(REASON_CLASSES).size == 5
