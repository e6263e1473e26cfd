"""Who orders: ERPNext's reorder rows are parked where we order, and stand again as they were afterwards."""

from typing import Any

import frappe

from erp_forecast_addon.services import who_orders
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made

LEVELS = ("warehouse", "warehouse_group", "warehouse_reorder_level", "warehouse_reorder_qty", "material_request_type")


def rows_of(item_code: str) -> list[tuple[Any, ...]]:
    fields = [*LEVELS]
    found = frappe.get_all(
        "Item Reorder", filters={"parent": item_code}, fields=fields, order_by="idx asc, warehouse asc"
    )
    return [tuple(row[field] for field in fields) for row in found]


class TestWhoOrders(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.company = made.company()
        cls.group = made.warehouse("Forecast Region", is_group=1)
        cls.house = made.warehouse("Forecast East", parent=cls.group)
        cls.west = made.warehouse("Forecast West", parent=cls.group)
        made.settings_row(who_orders="ERPNext")
        cls.item = made.item("FC-REORDER")
        cls.levels(cls.item, (cls.house, cls.house, 10, 25, "Purchase"), (cls.west, cls.group, 4, 8, "Transfer"))
        cls.made_item = made.item("FC-MADE", is_purchase_item=0)
        cls.levels(cls.made_item, (cls.house, cls.house, 3, 6, "Manufacture"))

    @classmethod
    def levels(cls, item_code: str, *rows: tuple[Any, ...]) -> None:
        doc = frappe.get_doc("Item", item_code)
        for row in rows:
            doc.append("reorder_levels", dict(zip(LEVELS, row, strict=True)))
        doc.save()

    def switch(self, who: str) -> None:
        made.settings_row(who_orders=who)

    def test_rows_are_parked_and_given_back_as_they_were(self) -> None:
        before, auto_indent = rows_of(self.item), frappe.db.get_single_value("Stock Settings", "auto_indent")
        self.switch("Forecast Addon")
        assert rows_of(self.item) == []
        assert frappe.get_doc("Item", self.item).reorder_levels == []
        self.switch("ERPNext")
        assert rows_of(self.item) == before
        assert frappe.db.get_single_value("Stock Settings", "auto_indent") == auto_indent
        frappe.get_doc("Item", self.item).save()

    def test_switching_twice_parks_and_gives_back_once(self) -> None:
        before = rows_of(self.item)
        for who in ("Forecast Addon", "ERPNext", "Forecast Addon", "ERPNext"):
            self.switch(who)
        assert rows_of(self.item) == before
        site = FrappeSite()
        assert who_orders.give_back(site, self.company) == 0
        self.switch("Forecast Addon")
        assert who_orders.park(site, self.company) == 0
        assert frappe.db.count("Reorder Level Backup", {"item_code": self.item}) == 2

    def test_what_cannot_be_purchased_is_left_to_erpnext(self) -> None:
        before = rows_of(self.made_item)
        self.switch("Forecast Addon")
        assert rows_of(self.made_item) == before

    def test_a_row_that_a_person_made_meanwhile_stays(self) -> None:
        self.switch("Forecast Addon")
        own = (self.house, self.house, 99.0, 111.0, "Purchase")
        self.levels(self.item, own)
        self.switch("ERPNext")
        assert sorted(rows_of(self.item)) == sorted([own, (self.west, self.group, 4.0, 8.0, "Transfer")])

    def test_a_row_of_a_deleted_warehouse_is_not_given_back(self) -> None:
        self.switch("Forecast Addon")
        frappe.delete_doc("Warehouse", self.west)
        self.switch("ERPNext")
        assert [row[0] for row in rows_of(self.item)] == [self.house]

    def test_an_open_form_of_the_item_notices(self) -> None:
        form = frappe.get_doc("Item", self.item)
        self.switch("Forecast Addon")
        with self.assertRaises(frappe.TimestampMismatchError):
            form.save()

    def test_another_companys_rows_stay(self) -> None:
        other = made.second_company()
        house = made.warehouse("Forecast Foreign", of=other)
        self.levels(self.item, (house, house, 7, 7, "Purchase"))
        self.switch("Forecast Addon")
        assert [row[0] for row in rows_of(self.item)] == [house]

    def test_removing_the_companys_row_gives_them_back(self) -> None:
        before = rows_of(self.item)
        self.switch("Forecast Addon")
        settings = frappe.get_doc("Forecast Settings")
        settings.companies = [row for row in settings.companies if row.company != self.company]
        settings.save()
        assert rows_of(self.item) == before

    def test_pairs_with_a_row_are_erpnexts_variants_through_their_template(self) -> None:
        template, variant = self.template_with_variant()
        self.levels(template, (self.house, self.house, 5, 5, "Purchase"))
        free = made.item("FC-FREE")
        for item_code in (self.item, variant, free):
            frappe.get_doc({"doctype": "Bin", "item_code": item_code, "warehouse": self.house}).insert()
        assert self.ours() == {self.item: False, variant: False, free: True}
        self.switch("Forecast Addon")
        assert self.ours() == {self.item: True, variant: True, free: True}

    def ours(self) -> dict[str, bool]:
        site = FrappeSite()
        found = reads.positions(site, self.company)
        found = found[found["warehouse"] == self.house]
        return dict(zip(found["item_code"], found["we_order"].astype(bool), strict=True))

    def template_with_variant(self) -> tuple[str, str]:
        attribute = "Forecast Size"
        frappe.get_doc(
            {
                "doctype": "Item Attribute",
                "attribute_name": attribute,
                "item_attribute_values": [{"attribute_value": "Small", "abbr": "S"}],
            }
        ).insert()
        template = made.item("FC-TEMPLATE", has_variants=1, attributes=[{"attribute": attribute}])
        variant = made.item(
            "FC-TEMPLATE-S",
            variant_of=template,
            attributes=[{"attribute": attribute, "attribute_value": "Small", "variant_of": template}],
        )
        frappe.db.delete("Item Reorder", {"parent": variant})
        return template, variant
