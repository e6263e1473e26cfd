"""Levels and safety stock written to Items: only where ERPNext orders, only what changed, and given back untouched."""

from typing import Any

import frappe

from erp_forecast_addon.services import who_orders, write_back
from erp_forecast_addon.site import reads
from erp_forecast_addon.tests import site_records as made


class TestWriteBack(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.company = made.company()
        cls.house = made.warehouse("Forecast Shelf")
        cls.second = made.warehouse("Forecast Shelf Two")
        made.settings_row(who_orders="ERPNext", draft_orders=1, write_back_levels=0, write_back_safety_stock=0)
        cls.run_name = cls.forecast_run()
        cls.item = made.item("FC-LEVEL", safety_stock=2)
        doc = frappe.get_doc("Item", cls.item)
        doc.append(
            "reorder_levels",
            {
                "warehouse": cls.house,
                "warehouse_reorder_level": 1,
                "warehouse_reorder_qty": 2,
                "material_request_type": "Purchase",
            },
        )
        doc.save()
        cls.free = made.item("FC-FREE-LEVEL")
        levels = {"forecast_run": cls.run_name, "reorder_point_qty": 12.4, "order_up_to_qty": 30, "safety_stock_qty": 5}
        made.planned(cls.item, cls.house, **levels)
        made.planned(cls.item, cls.second, **{**levels, "safety_stock_qty": 1.5})
        made.planned(cls.free, cls.house, **levels)

    @classmethod
    def forecast_run(cls) -> str:
        doc = {"doctype": "Forecast Run", "company": cls.company, "status": "Running", "triggered_by": "Command"}
        return frappe.get_doc(doc).insert(ignore_permissions=True).name

    def setUp(self) -> None:
        super().setUp()
        self.site = made.UncommittedSite()

    def write(self, **row: Any) -> int:
        made.settings_row(**row)
        return write_back.write_back(self.site, self.run_name, reads.company_settings(self.site, self.company))

    def levels(self, item_code: str) -> dict[str, tuple[float, float]]:
        rows = frappe.get_doc("Item", item_code).reorder_levels
        return {row.warehouse: (row.warehouse_reorder_level, row.warehouse_reorder_qty) for row in rows}

    def set_level(self, item_code: str, level: float, qty: float) -> None:
        doc = frappe.get_doc("Item", item_code)
        doc.reorder_levels[0].update({"warehouse_reorder_level": level, "warehouse_reorder_qty": qty})
        doc.save()

    def safety_stock(self, item_code: str) -> float:
        return frappe.db.get_value("Item", item_code, "safety_stock")

    def test_off_at_first(self) -> None:
        assert self.write() == 0
        assert self.levels(self.item) == {self.house: (1, 2)}

    def test_existing_rows_are_overwritten_whole_units_rounded_up(self) -> None:
        assert self.write(write_back_levels=1) == 1
        assert self.levels(self.item) == {self.house: (13, 18)}
        assert self.levels(self.free) == {}
        frappe.get_doc("Item", self.item).save()
        pair = {"item_code": self.item, "warehouse": self.house}
        assert frappe.db.get_value("Safety Stock Policy", pair, "written_back") == 1

    def test_only_changed_values_are_written(self) -> None:
        self.write(write_back_levels=1)
        modified = frappe.db.get_value("Item", self.item, "modified")
        assert self.write(write_back_levels=1) == 0
        assert frappe.db.get_value("Item", self.item, "modified") == modified

    def test_later_values_keep_the_first_former_one(self) -> None:
        self.write(write_back_levels=1)
        pair = {"item_code": self.item, "warehouse": self.house}
        frappe.db.set_value("Safety Stock Policy", pair, {"reorder_point_qty": 40, "order_up_to_qty": 90})
        assert self.write(write_back_levels=1) == 1
        assert self.levels(self.item) == {self.house: (40, 50)}
        assert write_back.give_back(self.site, self.company) == 1
        assert self.levels(self.item) == {self.house: (1, 2)}

    def test_rows_are_added_only_where_we_draft_nothing(self) -> None:
        assert self.write(write_back_levels=1, draft_orders=0) == 3
        assert self.levels(self.item) == {self.house: (13, 18), self.second: (13, 18)}
        assert self.levels(self.free) == {self.house: (13, 18)}
        frappe.get_doc("Item", self.free).save()
        assert write_back.give_back_all(self.site) == 3
        assert self.levels(self.item) == {self.house: (1, 2)}
        assert self.levels(self.free) == {}

    def test_what_a_person_changed_is_his(self) -> None:
        self.write(write_back_levels=1)
        self.set_level(self.item, 77, 7)
        assert self.write(write_back_levels=1) == 0
        assert write_back.give_back(self.site, self.company) == 0
        assert self.levels(self.item) == {self.house: (77, 7)}

    def test_an_added_row_that_a_person_deleted_is_not_added_again(self) -> None:
        self.write(write_back_levels=1, draft_orders=0)
        doc = frappe.get_doc("Item", self.free)
        doc.set("reorder_levels", [])
        doc.save()
        assert self.write(write_back_levels=1, draft_orders=0) == 0

    def test_safety_stock_is_the_sum_over_planned_warehouses(self) -> None:
        assert self.write(write_back_safety_stock=1) == 2
        assert (self.safety_stock(self.item), self.safety_stock(self.free)) == (6.5, 5)
        assert self.write(write_back_safety_stock=1) == 0
        assert write_back.give_back(self.site, self.company) == 2
        assert (self.safety_stock(self.item), self.safety_stock(self.free)) == (2, 0)

    def test_safety_stock_that_a_person_changed_is_his(self) -> None:
        self.write(write_back_safety_stock=1)
        frappe.db.set_value("Item", self.item, "safety_stock", 50)
        assert self.write(write_back_safety_stock=1) == 0
        write_back.give_back(self.site, self.company)
        assert self.safety_stock(self.item) == 50

    def test_killed_in_the_middle_the_next_call_writes_the_rest(self) -> None:
        made.settings_row(write_back_levels=1, draft_orders=0)
        settings = reads.company_settings(self.site, self.company)
        pieces, write_back._ITEMS_PER_PIECE = write_back._ITEMS_PER_PIECE, 1
        try:
            self.site.commits_left = 1
            with self.assertRaises(KeyboardInterrupt):
                write_back.write_back(self.site, self.run_name, settings)
            self.site.commits_left = None
            assert write_back.write_back(self.site, self.run_name, settings) == 2
        finally:
            write_back._ITEMS_PER_PIECE = pieces
        assert self.levels(self.free) == {self.house: (13, 18)}
        write_back.give_back_all(self.site)
        assert (self.levels(self.item), self.levels(self.free)) == ({self.house: (1, 2)}, {})

    def test_where_we_order_nothing_is_written_and_what_was_is_parked_as_it_had_been(self) -> None:
        self.write(write_back_levels=1)
        assert self.write(who_orders="Forecast Addon") == 0
        assert self.levels(self.item) == {}
        assert who_orders.give_back(self.site, self.company) == 1
        assert self.levels(self.item) == {self.house: (1, 2)}
