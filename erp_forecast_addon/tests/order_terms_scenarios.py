"""What suppliers ask of whole orders, told as scenarios that run on the embedded site and on a bench."""

from datetime import date, timedelta
from typing import Any

from erp_forecast_addon.tests.order_scenarios import Scenarios

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CLOSED = "Fast Supplies Closed"


class OrderTermsScenarios(Scenarios):
    """10 of an item sell every day, an order takes 5 days and lasts 7 more; 5.00 a piece."""

    def two_items(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.stocked_item("Nut", on_hand=100)

    def lines(self, order: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {line["item_code"]: line for line in order["items"]}

    def close(self, *days: date) -> None:
        """A Holiday List with these days."""
        self.shop.site.insert_document("Holiday List", {
            "holiday_list_name": CLOSED, "from_date": min(days) - timedelta(days=30),
            "to_date": max(days) + timedelta(days=30),
            "holidays": [{"holiday_date": day, "description": "Closed"} for day in days],
        })  # fmt: skip
        self.shop.site.commit()

    def test_a_minimum_order_amount_pulls_forward_what_is_due_soon(self) -> None:
        self.two_items()
        self.shop.run()
        alone = self.order()
        assert set(self.quantities(alone)) == {"Bolt"}
        self.shop.supplier("Fast Supplies", min_order_amount=alone["total_amount"] + 250)
        self.shop.run()
        filled = self.order()
        assert set(self.quantities(filled)) == {"Bolt", "Nut"}
        assert filled["total_amount"] >= alone["total_amount"] + 250
        assert self.lines(filled)["Nut"]["pulled_forward_days"] > 0 == self.lines(filled)["Bolt"]["pulled_forward_days"]
        assert "reaches the minimum of Fast Supplies" in self.lines(filled)["Nut"]["reason"]
        assert self.quantities(self.draft()) == self.quantities(filled)
        before = (self.shop.orders(), self.shop.drafts())
        self.shop.run()
        assert (self.shop.orders(), self.shop.drafts()) == before, "nothing is ordered twice"

    def test_a_minimum_that_nothing_reaches_is_an_exception_of_the_supplier(self) -> None:
        self.two_items()
        self.shop.supplier("Fast Supplies", min_order_amount=1_000_000)
        self.shop.run()
        (case,) = self.shop.cases(exception_type="Order Below Minimum")
        assert case["supplier"] == "Fast Supplies"
        assert set(self.quantities(self.order())) == {"Bolt"}

    def test_orders_leave_on_the_suppliers_weekday_and_goods_come_on_open_days(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        tomorrow = self.shop.today + timedelta(days=1)
        arrival = tomorrow + timedelta(days=5)
        self.close(arrival, arrival + timedelta(days=1))
        self.shop.supplier("Fast Supplies", order_weekdays=WEEKDAYS[tomorrow.weekday()], supplier_holiday_list=CLOSED)
        self.shop.settings(approval_days=2)
        self.shop.run()
        draft, order = self.draft(), self.order()
        leaves = (draft["transaction_date"], order["ordered_on"])
        assert leaves == (tomorrow, tomorrow), (leaves, tomorrow)
        assert [line["schedule_date"] for line in draft["items"]] == [arrival + timedelta(days=2)]

    def test_a_word_that_is_no_weekday_is_told(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.supplier("Fast Supplies", order_weekdays="Montag, Friday")
        self.shop.run()
        (case,) = self.shop.cases(exception_type="Bad Data")
        assert "Montag" in case["message"]

    def test_an_order_per_warehouse_names_it_and_joining_them_again_replaces_it(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.settings(ship_to="Per Warehouse")
        self.shop.run()
        apart = self.order()
        assert (apart["ship_to_warehouse"], self.draft()["set_warehouse"]) == (self.shop.warehouse, self.shop.warehouse)
        self.shop.supplier("Fast Supplies", ship_to_rule="Joined")
        self.shop.run()
        joined = self.order()
        assert not joined["ship_to_warehouse"]
        assert joined["name"] != apart["name"]
        assert self.shop.orders(status="Withdrawn")[0]["name"] == apart["name"]
        assert self.quantities(joined) == self.quantities(apart)

    def test_what_the_weeks_budget_does_not_cover_is_shown_and_not_drafted(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.stocked_item("Gear", "Slow Supplies", on_hand=60, rate=50.0)
        self.shop.settings(weekly_budget=1000.0)
        self.shop.run()
        order = self.order()
        assert set(self.quantities(order)) == {"Bolt"}
        assert self.lines(order)["Bolt"]["budget_rank"] == 1
        assert "the week's cut is after rank 1" in self.lines(order)["Bolt"]["reason"]
        (case,) = self.shop.cases(exception_type="Over Budget")
        assert (case["item_code"], case["supplier"]) == ("Gear", "Slow Supplies")
        self.shop.settings(weekly_budget=0.0)
        self.shop.run()
        assert {line for order in self.shop.orders(status="Proposed") for line in self.quantities(order)} == {
            "Bolt", "Gear",
        }  # fmt: skip

    def test_a_cheaper_supplier_is_named_on_the_line_and_taken_by_setting(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.supplier("Slow Supplies")
        self.shop.item("Bolt", supplier_items=[{"supplier": "Slow Supplies"}])
        self.shop.price("Bolt", "Slow Supplies", 4.0)
        self.shop.run()
        line = self.lines(self.order())["Bolt"]
        assert (self.order()["supplier"], line["alternative_supplier"]) == ("Fast Supplies", "Slow Supplies")
        assert line["alternative_saving"] > 0
        assert "Slow Supplies would save" in line["reason"]
        self.shop.settings(alternative_suppliers="Take", alternative_on_time_pct=0)
        self.shop.run()
        assert self.order()["supplier"] == "Slow Supplies"
        assert self.lines(self.order())["Bolt"]["rate"] == 4.0
