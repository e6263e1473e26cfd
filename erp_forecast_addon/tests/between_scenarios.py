"""What a look between two runs promises, told as scenarios that run on the embedded site and on a bench."""

from datetime import timedelta
from typing import Any

from erp_forecast_addon.services.between_runs import due_of_company, due_of_item, due_of_item_by_warehouse
from erp_forecast_addon.tests.order_scenarios import Scenarios

SAME = ("item_code", "warehouse", "qty", "uom", "stock_qty", "rate")


class BetweenRunsScenarios(Scenarios):
    def enough_is_there(self, **values: Any) -> None:
        """Planned, and nothing to order yet."""
        self.shop.stocked_item("Bolt", on_hand=400, **values)
        self.shop.run()
        assert self.shop.orders() == []
        assert due_of_item(self.shop.site, self.shop.company, "Bolt") == []

    def test_after_a_large_sale_it_says_what_the_next_run_drafts(self) -> None:
        self.enough_is_there()
        self.shop.move("Bolt", -385, 15, self.shop.today)
        (line,) = due_of_item(self.shop.site, self.shop.company, "Bolt")
        assert (line.item_code, line.warehouse, line.supplier) == ("Bolt", self.shop.warehouse, "Fast Supplies")
        (told,) = due_of_item_by_warehouse(self.shop.site, "Bolt", [(self.shop.company, self.shop.warehouse)])
        assert (told["qty"], told["order_by"]) == (line.qty, line.order_by.isoformat())
        assert due_of_item_by_warehouse(self.shop.site, "Bolt", [(self.shop.company, "Elsewhere")]) == []
        self.shop.run()
        (drafted,) = self.order()["items"]
        told_of = {name: getattr(line, name) for name in SAME}
        # The sale of today is no demand of a whole day yet, so that the forecast of the next run is the same.
        assert told_of == {name: drafted[name] for name in SAME}
        assert drafted["schedule_date"] == line.schedule_date

    def test_what_a_draft_covers_is_not_due_and_what_it_lacks_is(self) -> None:
        self.enough_is_there()
        self.shop.move("Bolt", -385, 15, self.shop.today)
        self.shop.run()
        assert due_of_item(self.shop.site, self.shop.company, "Bolt") == []
        (again,) = due_of_item(self.shop.site, self.shop.company, "Bolt", with_our_drafts=False)
        assert again.qty == self.order()["items"][0]["qty"]

    def test_the_company_is_looked_at_whole_or_where_stock_has_moved(self) -> None:
        self.shop.stocked_item("Nut", on_hand=400)
        self.enough_is_there()
        self.shop.move("Bolt", -385, 15, self.shop.today)
        site, company = self.shop.site, self.shop.company
        assert [line.item_code for line in due_of_company(site, company)] == ["Bolt"]
        before = site.now() - timedelta(days=1)
        assert [line.item_code for line in due_of_company(site, company, changed_since=before)] == ["Bolt"]
        later = site.now() + timedelta(days=1)
        assert due_of_company(site, company, changed_since=later) == []

    def test_nothing_is_known_before_the_first_run(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=0)
        assert due_of_item(self.shop.site, self.shop.company, "Bolt") == []
        assert due_of_company(self.shop.site, self.shop.company) == []

    def test_what_erpnext_orders_is_left_to_it(self) -> None:
        self.enough_is_there()
        row = {
            "warehouse": self.shop.warehouse, "warehouse_reorder_level": 50, "warehouse_reorder_qty": 100,
            "material_request_type": "Purchase",
        }  # fmt: skip
        self.shop.site.update_document("Item", "Bolt", {"reorder_levels": [row]})
        self.shop.site.commit()
        self.shop.move("Bolt", -385, 15, self.shop.today)
        assert due_of_item(self.shop.site, self.shop.company, "Bolt") == []
