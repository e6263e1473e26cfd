"""Renaming, merging and deleting masters works as before, and our records follow."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe

from erp_forecast_addon.services import who_orders
from erp_forecast_addon.services.exceptions import GROUP_MARK, identity
from erp_forecast_addon.services.open_drafts import read_open_drafts
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import factories
from erp_forecast_addon.tests import site_records as made

PER_PAIR = ("Demand Forecast", "Safety Stock Policy", "Demand Pair")


class TestRenames(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.company = made.company()
        cls.house = made.warehouse("Forecast Old House")
        cls.other_house = made.warehouse("Forecast Other House")
        for item_code in ("FC-OLD", "FC-OTHER"):
            for house in (cls.house, cls.other_house):
                made.planned(item_code, house)
                cls.demand(item_code, house)
        cls.supplier = made.supplier("Forecast Old Supplier")
        cls.other_supplier = made.supplier("Forecast Other Supplier")
        cls.record = made.proposal(("FC-OLD", cls.house, 5), by=cls.supplier)

    @classmethod
    def demand(cls, item_code: str, house: str) -> None:
        pair = {"item_code": item_code, "warehouse": house}
        frappe.get_doc({"doctype": "Demand Bucket", **pair, "day": "2026-01-05", "demand_qty": 3}).insert()
        frappe.get_doc({"doctype": "Demand Pair", **pair, "company": cls.company, "checksum": "x"}).insert()

    def count(self, doctype: str, **filters: Any) -> int:
        return frappe.db.count(doctype, filters)

    def line(self) -> Any:
        return frappe.get_doc("Auto Purchase Order", self.record.name).items[0]

    # ---- items -----------------------------------------------------------------------------------------------------
    def test_a_renamed_item_takes_its_records_along(self) -> None:
        case = made.case(item_code="FC-OLD", warehouse=self.house)
        made.rename("Item", "FC-OLD", "FC-NEW")
        for doctype in (*PER_PAIR, "Demand Bucket"):
            assert self.count(doctype, item_code="FC-NEW") == 2, doctype
            assert self.count(doctype, item_code="FC-OLD") == 0, doctype
        assert self.line().item_code == "FC-NEW"
        case.reload()
        assert case.item_code == "FC-NEW"
        assert case.identity == identity(case.exception_type, self.company, "FC-NEW", self.house, None)
        assert self.count("Demand Mark", item_code="FC-NEW") == 2

    def test_a_case_of_an_order_line_stays_one_case(self) -> None:
        case = made.case("Late Supply", item_code="FC-OLD", warehouse=self.house)
        before = identity("Late Supply", self.company, "FC-OLD", self.house, None, "LINE-1")
        case.db_set({"order_line": "LINE-1", "identity": before})
        made.rename("Item", "FC-OLD", "FC-NEW")
        case.reload()
        assert case.identity == identity("Late Supply", self.company, "FC-NEW", self.house, None, "LINE-1")

    def test_a_merged_item_leaves_one_row_per_pair(self) -> None:
        open_case = made.case(item_code="FC-OLD")
        taken = made.case("No Price", item_code="FC-OLD")
        taken.db_set("status", "In Progress")
        made.rename("Item", "FC-OLD", "FC-OTHER", merge=True)
        for doctype in (*PER_PAIR, "Demand Bucket"):
            assert self.count(doctype, item_code="FC-OTHER") == 2, doctype
            assert self.count(doctype, item_code="FC-OLD") == 0, doctype
        assert not frappe.db.exists("Item", "FC-OLD")
        assert self.line().item_code == "FC-OTHER"
        assert self.count("Demand Mark", item_code="FC-OTHER") == 2
        open_case.reload()
        assert open_case.identity == identity("No Supplier", self.company, "FC-OTHER", None, None)
        taken.reload()
        assert taken.identity == identity("No Price", self.company, "FC-OTHER", None, None)

    def test_two_cases_that_a_merge_makes_one_are_one_with_its_owner_and_rest(self) -> None:
        planner, buyer = made.user("merge-planner", made.PLANNER), made.user("merge-buyer", made.PLANNER)
        older = {"opened_at": "2026-01-05 08:00:00"}
        snoozed = self.aged("No Supplier", "FC-OLD", **older, responsible=planner, status="Snoozed",
                            snoozed_until="2099-01-01")  # fmt: skip
        younger = self.aged("No Supplier", "FC-OTHER", status="Snoozed", snoozed_until="2098-01-01")
        nobodys = self.aged("No Price", "FC-OTHER", **older)
        owned = self.aged("No Price", "FC-OLD", responsible=buyer)
        owned.add_comment("Comment", "I have asked them.")
        over = self.aged("Outlier", "FC-OLD", **older, status="Resolved")
        at_work = self.aged("Outlier", "FC-OTHER", status="In Progress")
        made.rename("Item", "FC-OLD", "FC-OTHER", merge=True)
        left = {
            name: self.left(kind) for name, kind in (("rest", "No Supplier"), ("price", "No Price"), ("out", "Outlier"))
        }
        assert left["rest"] == [(snoozed.name, "Snoozed", planner)]
        assert str(frappe.db.get_value("Planning Exception", snoozed.name, "snoozed_until")) == "2099-01-01"
        assert left["price"] == [(nobodys.name, "Open", buyer)]
        assert frappe.db.count("Comment", {"reference_name": nobodys.name, "comment_type": "Comment"}) == 1
        assert left["out"] == [(at_work.name, "In Progress", None)]
        gone = ("in", [younger.name, owned.name, over.name])
        assert not frappe.db.exists("ToDo", {"reference_name": gone})

    def aged(self, kind: str, item_code: str, **values: Any) -> Any:
        case = made.case(kind, item_code=item_code)
        frappe.db.set_value("Planning Exception", case.name, values)
        return case

    def left(self, kind: str) -> list[tuple[str, str, str | None]]:
        filters = {"item_code": "FC-OTHER", "exception_type": kind}
        rows = frappe.get_all(
            "Planning Exception", filters=filters, fields=["name", "status", "responsible", "identity"]
        )
        assert {row.identity for row in rows} == {identity(kind, self.company, "FC-OTHER", None, None)}
        return [(row.name, row.status, row.responsible) for row in rows]

    def test_an_item_with_forecasts_can_be_deleted(self) -> None:
        made.planned("FC-LONELY", self.house)
        self.demand("FC-LONELY", self.house)
        made.case(item_code="FC-LONELY")
        frappe.delete_doc("Item", "FC-LONELY")
        for doctype in (*PER_PAIR, "Demand Bucket", "Planning Exception"):
            assert self.count(doctype, item_code="FC-LONELY") == 0, doctype

    def test_an_item_on_an_order_still_cannot_be_deleted(self) -> None:
        with self.assertRaises(frappe.LinkExistsError):
            frappe.delete_doc("Item", "FC-OLD")

    # ---- warehouses ------------------------------------------------------------------------------------------------
    def test_a_renamed_warehouse_takes_its_records_along(self) -> None:
        case = made.case(item_code="FC-OLD", warehouse=self.house)
        made.rename("Warehouse", self.house, "Forecast New House - X")
        for doctype in (*PER_PAIR, "Demand Bucket"):
            assert self.count(doctype, warehouse="Forecast New House - X") == 2, doctype
        assert self.line().warehouse == "Forecast New House - X"
        case.reload()
        assert case.identity == identity(case.exception_type, self.company, "FC-OLD", case.warehouse, None)

    def test_a_merged_warehouse_leaves_one_row_per_pair(self) -> None:
        made.rename("Warehouse", self.house, self.other_house, merge=True)
        for doctype in (*PER_PAIR, "Demand Bucket"):
            assert self.count(doctype, warehouse=self.other_house) == 2, doctype
            assert self.count(doctype, warehouse=self.house) == 0, doctype
        assert self.line().warehouse == self.other_house

    def test_a_warehouse_with_forecasts_can_be_deleted(self) -> None:
        lonely = made.warehouse("Forecast Lonely House")
        made.planned("FC-OTHER", lonely)
        made.case(warehouse=lonely)
        frappe.delete_doc("Warehouse", lonely)
        for doctype in (*PER_PAIR, "Planning Exception"):
            assert self.count(doctype, warehouse=lonely) == 0, doctype

    def test_parked_rows_follow_a_renamed_warehouse_and_group(self) -> None:
        group = made.warehouse("Forecast 100% of_Group", is_group=1)
        house = made.warehouse("Forecast In Group", parent=group)
        doc = frappe.get_doc("Item", "FC-OTHER")
        row = {"warehouse": house, "warehouse_group": group, "warehouse_reorder_level": 2, "warehouse_reorder_qty": 3}
        doc.append("reorder_levels", {**row, "material_request_type": "Purchase"})
        doc.save()
        site = FrappeSite()
        assert who_orders.park(site, self.company) == 1
        made.rename("Warehouse", group, "Forecast Group Two - X")
        made.rename("Warehouse", house, "Forecast House Two - X")
        assert who_orders.give_back(site, self.company) == 1
        (given,) = frappe.get_doc("Item", "FC-OTHER").reorder_levels
        assert (given.warehouse, given.warehouse_group) == ("Forecast House Two - X", "Forecast Group Two - X")

    # ---- suppliers and companies -----------------------------------------------------------------------------------
    def test_a_renamed_supplier_takes_its_records_along(self) -> None:
        case = made.case("Supplier Blocked", supplier=self.supplier)
        made.rename("Supplier", self.supplier, "Forecast New Supplier")
        assert frappe.db.get_value("Auto Purchase Order", self.record.name, "supplier") == "Forecast New Supplier"
        case.reload()
        assert case.identity == identity("Supplier Blocked", self.company, None, None, "Forecast New Supplier")

    def test_a_merged_supplier_keeps_its_orders(self) -> None:
        made.rename("Supplier", self.supplier, self.other_supplier, merge=True)
        assert frappe.db.get_value("Auto Purchase Order", self.record.name, "supplier") == self.other_supplier

    def test_a_supplier_with_exceptions_can_be_deleted(self) -> None:
        lonely = made.supplier("Forecast Lonely Supplier")
        case = made.case("Supplier Blocked", supplier=lonely)
        frappe.delete_doc("Supplier", lonely)
        assert not frappe.db.exists("Planning Exception", case.name)

    def test_a_renamed_company_keeps_its_settings_and_cases(self) -> None:
        other = made.second_company()
        grouped = made.case("Excess Stock", of=other)
        grouped.db_set("identity", identity("Excess Stock", other, GROUP_MARK))
        made.rename("Company", other, "Forecast Renamed Company")
        assert self.count("Forecast Company Settings", company="Forecast Renamed Company") == 1
        grouped.reload()
        assert grouped.identity == identity("Excess Stock", "Forecast Renamed Company", GROUP_MARK)

    def test_deleting_a_company_takes_its_planning_along(self) -> None:
        other = made.second_company()
        made.case("Excess Stock", of=other)
        assert self.count("Forecast Company Settings", company=other) == 1
        frappe.delete_doc("Company", other)
        for doctype in ("Forecast Company Settings", "Planning Exception"):
            assert self.count(doctype, company=other) == 0, doctype

    def test_what_the_backup_says_stays_readable(self) -> None:
        backup = frappe.get_doc(
            {
                "doctype": "Reorder Level Backup",
                "item_code": "FC-OTHER",
                "company": self.company,
                "warehouse": self.house,
                "kind": "Parked Row",
                "former": json.dumps({"warehouse_group": self.other_house, "note": self.house}),
            }
        ).insert()
        made.rename("Warehouse", self.house, "Forecast Third House - X")
        assert json.loads(frappe.db.get_value("Reorder Level Backup", backup.name, "former")) == {
            "warehouse_group": self.other_house,
            "note": self.house,
        }


class TestNamesInDrafts(factories.ShopTestCase):
    """A new name in a draft is no person's edit of it."""

    def setUp(self) -> None:
        super().setUp()
        self.mark = frappe.generate_hash(length=6)
        self.made: list[tuple[str, str]] = []

    def tearDown(self) -> None:
        super().tearDown()
        factories.clear()
        for doctype, name in self.made:
            factories.take_away(doctype, name)
        frappe.db.commit()

    def name(self, doctype: str, name: str) -> str:
        """A name that no other run of these tests has used."""
        full = f"{name} {self.mark}"
        self.made.append((doctype, full))
        return full

    def house(self, name: str) -> str:
        house = factories.warehouse(self.shop.company, f"{name} {self.mark}")
        self.made.append(("Warehouse", house))
        return house

    def renamed(self, doctype: str, old: str, new: str, merge: bool = False) -> None:
        """Rename, and the next runs: nobody edited anything, and all comes to rest."""
        made.rename(doctype, old, new, merge)
        frappe.db.commit()
        self.assert_at_rest(merged=merge)

    def assert_at_rest(self, merged: bool) -> None:
        self.assert_untouched()
        run = self.shop.run()
        assert run["status"] == "Completed"
        if not merged:
            assert (run["orders_created"], run["orders_updated"], run["orders_withdrawn"]) == (0, 0, 0)
        self.assert_untouched()
        settled = (self.shop.orders(), self.shop.drafts())
        self.shop.run()
        assert (self.shop.orders(), self.shop.drafts()) == settled
        self.assert_untouched()

    def assert_untouched(self) -> None:
        drafts = read_open_drafts(self.shop.site, self.shop.company)
        assert len(drafts.records) > 0
        assert drafts.edited.empty
        assert [order["edited_by_person"] for order in self.shop.orders(status="Proposed")] == [0] * len(drafts.records)

    @contextmanager
    def ledger_kept(self, old: str, new: str) -> Iterator[None]:
        """Past ERPNext's reposting in a merge, which looks for the vouchers that the shop's ledger does not have."""
        entry = frappe.qb.DocType("Stock Ledger Entry")
        frappe.qb.update(entry).set(entry.item_code, "Set Aside").where(entry.item_code.isin([old, new])).run()
        yield
        frappe.qb.update(entry).set(entry.item_code, new).where(entry.item_code == "Set Aside").run()
        factories.stock(new, self.shop.warehouse, 40)
        frappe.db.commit()

    def pairs(self) -> list[tuple[str, str]]:
        return sorted((line["item_code"], line["warehouse"]) for draft in self.shop.drafts() for line in draft["items"])

    def test_a_renamed_item(self) -> None:
        old, new = self.name("Item", "Bolt"), self.name("Item", "Long Bolt")
        self.shop.stocked_item(old)
        self.shop.run()
        self.renamed("Item", old, new)
        assert self.pairs() == [(new, self.shop.warehouse)]

    def test_a_merged_item(self) -> None:
        old, new = self.name("Item", "Bolt"), self.name("Item", "Long Bolt")
        self.shop.stocked_item(old)
        self.shop.stocked_item(new)
        self.shop.run()
        with self.ledger_kept(old, new):
            made.rename("Item", old, new, merge=True)
        self.assert_at_rest(merged=True)
        assert set(self.pairs()) == {(new, self.shop.warehouse)}

    def test_a_renamed_warehouse(self) -> None:
        house = self.house("Annex")
        self.shop.stocked_item("Bolt")
        self.shop.history("Bolt", warehouse=house)
        self.shop.run()
        new = f"New Annex {self.mark} - FSHOP"
        self.made.append(("Warehouse", new))
        self.renamed("Warehouse", house, new)
        assert self.pairs() == sorted([("Bolt", new), ("Bolt", self.shop.warehouse)])

    def test_a_merged_warehouse(self) -> None:
        house, target = self.house("Annex"), self.house("Depot")
        self.shop.stocked_item("Bolt")
        for each in (house, target):
            self.shop.history("Bolt", warehouse=each)
        self.shop.run()
        # ERPNext itself cannot merge two warehouses that both have a Bin of one item.
        frappe.db.delete("Bin", {"warehouse": house})
        self.renamed("Warehouse", house, target, merge=True)
        assert self.pairs() == sorted([("Bolt", target), ("Bolt", self.shop.warehouse)])

    def test_a_renamed_supplier(self) -> None:
        old, new = self.name("Supplier", "Quick"), self.name("Supplier", "Very Quick")
        self.shop.stocked_item("Bolt", old)
        self.shop.run()
        self.renamed("Supplier", old, new)
        assert [draft["supplier"] for draft in self.shop.drafts()] == [new]

    def test_a_merged_supplier(self) -> None:
        old, new = self.name("Supplier", "Quick"), self.name("Supplier", "Very Quick")
        self.shop.stocked_item("Bolt", old)
        self.shop.stocked_item("Nut", new)
        self.shop.run()
        self.renamed("Supplier", old, new, merge=True)
        (draft,) = self.shop.drafts()
        assert draft["supplier"] == new
        assert self.pairs() == [("Bolt", self.shop.warehouse), ("Nut", self.shop.warehouse)]

    def test_an_edited_draft_stays_the_persons(self) -> None:
        old, new = self.name("Item", "Bolt"), self.name("Item", "Long Bolt")
        self.shop.stocked_item(old)
        self.shop.run()
        (draft,) = self.shop.drafts()
        self.shop.edit_draft(draft["name"], old, 7)
        made.rename("Item", old, new)
        frappe.db.commit()
        self.shop.run()
        (draft,) = self.shop.drafts()
        assert [(line["item_code"], line["qty"]) for line in draft["items"]] == [(new, 7)]
        assert self.shop.orders()[0]["edited_by_person"] == 1
