"""Order terms, quotations and the week's money on the embedded site."""

import json
from datetime import timedelta

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.order_terms import committed_money, order_terms
from erp_forecast_addon.site.policy_reads import price_breaks
from erp_forecast_addon.tests.order_terms_scenarios import OrderTermsScenarios


class TestOrderTerms(OrderTermsScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop

    def quote(self, *prices: tuple[float, float], ago: int = 1, valid: int = 30, **values: object) -> None:
        self.shop.site.insert_document("Supplier Quotation", {
            "supplier": "Fast Supplies", "company": self.shop.company, "docstatus": 1, "currency": "EUR",
            "transaction_date": self.shop.today - timedelta(days=ago),
            "valid_till": self.shop.today + timedelta(days=valid), **values,
            "items": [
                {"item_code": "Bolt", "qty": qty, "uom": "Nos", "conversion_factor": 1.0, "net_rate": rate}
                for qty, rate in prices
            ],
        })  # fmt: skip
        self.shop.site.commit()

    def test_a_quotation_is_a_price_where_no_price_list_has_one_and_its_quantities_are_breaks(self) -> None:
        self.shop.stocked_item("Bolt", rate=None, on_hand=60)
        self.quote((1.0, 9.0), ago=9)
        self.quote((1.0, 6.0), (100.0, 5.0), ago=2)
        self.quote((1.0, 1.0), ago=40, valid=-1)
        row = reads.sourcing(self.shop.site, self.shop.company, ["Bolt"]).iloc[0]
        assert (row["rate"], row["currency"]) == (6.0, "EUR")
        breaks = price_breaks(self.shop.site, self.shop.company)
        assert breaks[["supplier", "min_qty", "base_rate"]].to_numpy().tolist() == [
            ["Fast Supplies", 1.0, 6.0], ["Fast Supplies", 100.0, 5.0],
        ]  # fmt: skip
        self.shop.run()
        (line,) = self.order()["items"]
        assert (line["qty"], line["rate"]) == (100.0, 5.0)
        assert "From 100 Nos on Fast Supplies is cheaper" in line["reason"]

    def test_pricing_rules_of_groups_and_brands_are_breaks_of_their_items(self) -> None:
        self.shop.stocked_item("Bolt", brand="Steel")
        self.shop.site.insert_document("Item Group", {"item_group_name": "Everything", "is_group": 1})
        self.shop.site.insert_document("Item Group", {"item_group_name": "Goods", "parent_item_group": "Everything"})
        rule = {"buying": 1, "price_or_product_discount": "Price", "rate_or_discount": "Discount Percentage"}
        for apply_on, table, value, qty in (
            ("Item Group", "item_groups", {"item_group": "Everything"}, 50),
            ("Brand", "brands", {"brand": "Steel"}, 70),
            ("Brand", "brands", {"brand": "Wood"}, 90),
        ):  # fmt: skip
            self.shop.site.insert_document("Pricing Rule", {
                "title": f"{apply_on} {qty}", "apply_on": apply_on, "min_qty": qty, "discount_percentage": 10.0,
                **rule, table: [value],
            })  # fmt: skip
        breaks = price_breaks(self.shop.site, self.shop.company)
        assert breaks[["item_code", "min_qty", "discount_share"]].to_numpy().tolist() == [
            ["Bolt", 50.0, 0.1], ["Bolt", 70.0, 0.1],
        ]  # fmt: skip

    def test_a_minimum_is_read_in_its_currency_and_weights_in_one_unit(self) -> None:
        for uom in ("Gram", "Tonne"):
            self.shop.site.insert_document("UOM", {"uom_name": uom, "enabled": 1})
        self.shop.site.insert_document("UOM Conversion Factor", {"from_uom": "Kg", "to_uom": "Gram", "value": 1000.0})
        self.shop.site.insert_document("UOM Conversion Factor", {"from_uom": "Tonne", "to_uom": "Kg", "value": 1000.0})
        self.shop.site.insert_document("Currency Exchange", {
            "date": self.shop.today, "from_currency": "USD", "to_currency": "EUR", "exchange_rate": 0.5,
        })  # fmt: skip
        self.shop.stocked_item("Bolt", weight_per_unit=250.0, weight_uom="Gram")
        self.shop.supplier(
            "Fast Supplies", min_order_amount=100.0, min_order_currency="USD", truck_weight=2.0,
            truck_weight_uom="Tonne", truck_fill_pct=80.0, payment_days=30,
        )  # fmt: skip
        self.shop.supplier("Abroad", min_order_amount=100.0, default_currency="JPY")
        self.shop.site.commit()
        read = order_terms(self.shop.site, self.shop.company)
        terms = read.terms.terms.set_index("supplier").loc["Fast Supplies"]
        assert (terms["min_order_amount"], terms["truck_weight"], terms["truck_fill_share"]) == (50.0, 2000.0, 0.8)
        assert reads.items(self.shop.site, self.shop.company)["weight_per_unit"].tolist() == [0.25]
        assert [fault.sentence() for fault in read.faults] == [
            "Abroad: his minimum order is in JPY, and there is no exchange rate, so it was not used. Enter the rate."
        ]

    def test_money_that_is_bound_is_what_left_this_week_and_what_falls_due(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.supplier("Fast Supplies", payment_days=10)
        self.shop.settings(weekly_budget=5000.0, weekly_cash_limit=5000.0)
        self.shop.run()
        total = self.order()["total_amount"]
        self.shop.submit_draft(self.draft()["name"])
        self.shop.site.insert_document("Purchase Invoice", {
            "supplier": "Fast Supplies", "company": self.shop.company, "docstatus": 1, "outstanding_amount": 70.0,
            "due_date": self.shop.today - timedelta(days=3), "conversion_rate": 1.0,
        })  # fmt: skip
        settings = reads.company_settings(self.shop.site, self.shop.company).plan
        terms = order_terms(self.shop.site, self.shop.company).terms
        bound = committed_money(self.shop.site, self.shop.company, settings, terms)
        by_kind = bound.groupby("kind")["amount"].sum()
        assert by_kind["ordered"] == total
        assert by_kind["due"] == total + 70.0
        assert bound.loc[bound["amount"] == 70.0, "day"].dt.date.tolist() == [self.shop.today]

    def test_the_evidence_of_every_joined_line_gives_its_quantity_again(self) -> None:
        self.two_items()
        self.shop.supplier("Fast Supplies", min_order_amount=900.0, order_weekdays="Tuesday, Thursday, Sunday")
        self.shop.run()
        for line in self.order()["items"]:
            assert recompute(json.loads(line["evidence"])) == line["stock_qty"]
