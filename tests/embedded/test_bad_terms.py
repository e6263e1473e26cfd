"""Terms that no good policy can be made of: each is told in a sentence, and the rest is planned all the same."""

from typing import Any

import pytest
from embedded_shop import EmbeddedShop
from test_lead_times import order


def rule(shop: EmbeddedShop, **values: Any) -> None:
    shop.site.insert_document("Planning Rule", {"company": shop.company, "enabled": 1, **values})
    shop.site.commit()


@pytest.fixture
def bad(shop: EmbeddedShop) -> EmbeddedShop:
    """Acme delivers after 10 days; Never has not delivered yet, Once has once, Here delivers on the day."""
    shop.stocked_item("Sound", "Acme")
    shop.stocked_item("Expires", "Acme", shelf_life_in_days=3)
    shop.stocked_item("Huge", "Acme", daily=1, on_hand=0, min_order_qty=5000)
    shop.stocked_item("Free", "Acme", rate=0.0)
    shop.stocked_item("Torn", "Acme")
    shop.stocked_item("First", "Once")
    shop.stocked_item("Counter", "Here")
    shop.stocked_item("Hope", "Never", lead_time_days=9)
    rule(shop, item_code="Torn", set_min_qty=1, min_qty=500)
    rule(shop, item_code="Torn", warehouse=shop.warehouse, set_max_qty=1, max_qty=30)
    for at in range(8):
        for item in ("Sound", "Expires", "Torn"):
            order(shop, item, "Acme", 30 + 10 * at, 10)
        order(shop, "Counter", "Here", 30 + 10 * at, 0)
    order(shop, "First", "Once", 40, 12)
    order(shop, "Sound", "Backwards", 40, -3)
    return shop


def told(shop: EmbeddedShop, item_code: str) -> str:
    return " ".join(str(case["message"]) for case in shop.cases(status="Open") if case["item_code"] == item_code)


def learned(shop: EmbeddedShop, supplier: str) -> str:
    (row,) = shop.rows("Supplier Lead Time", supplier=supplier, item_code="")
    return str(row["explanation"])


@pytest.mark.parametrize("method", ["Fill Rate", "Simulated Least Cost"])
def test_each_has_its_sentence_and_the_run_is_completed(bad: EmbeddedShop, method: str) -> None:
    bad.settings(policy_method=method, order_cost=5, unmet_demand="Is Lost")
    assert bad.run()["status"] == "Completed"
    assert "it keeps 3 days and takes" in told(bad, "Expires")
    assert "price" in told(bad, "Free")
    assert "set a minimum of 500 Nos above their maximum of 30 Nos" in told(bad, "Torn")
    assert "lies before its order" in told(bad, "Sound")
    assert "Only one order has been received so far" in learned(bad, "Once")
    assert "were received on the day they were placed" in learned(bad, "Here")
    assert "Nothing was ever received from Never. The lead time of 9 days comes from the items" in learned(bad, "Never")
    levels = {row["item_code"]: row for row in bad.rows("Safety Stock Policy")}
    assert set(levels) >= {"Sound", "Expires", "Huge", "Free", "Torn", "First", "Counter", "Hope"}
    assert levels["Torn"]["order_up_to_qty"] <= 30.0
    if method == "Fill Rate":
        assert "the minimum order of 5000 Nos is more than a year's demand of 365; 1 are needed" in told(bad, "Huge")
    else:
        assert levels["Huge"]["clamp"] == "not worth stocking"
    assert levels["Counter"]["lead_time_days"] < 1.0
    assert 0.0 < levels["Counter"]["reorder_point_qty"] < levels["Sound"]["reorder_point_qty"]
    assert levels["Hope"]["lead_time_days"] == 9.0
