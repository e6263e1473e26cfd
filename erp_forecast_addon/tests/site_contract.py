"""The contract of the Site port, and the small world that it is checked on.

A mixin with unittest's asserts and no frappe: tests/contract runs it on the embedded site, test_frappe_site.py on a
live one. Each brings a World that makes the same business with its own means: rows there, real documents here.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from unittest import TestCase

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.buckets import daily_buckets
from erp_forecast_addon.planning.errors import BadInput, Fault, Refused
from erp_forecast_addon.planning.messages import Day
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.wording import iso_days
from erp_forecast_addon.site import queries, reads, signal_queries, signal_reads
from erp_forecast_addon.site.narrowed import of_items
from erp_forecast_addon.site.port import OrderLine, Site
from erp_forecast_addon.site.settings import CompanySettings

ITEM, REORDERED, BARE = "FC-ITEM", "FC-REORDERED", "FC-BARE"
SUPPLIER, HELD = "FC Supplier", "FC Held Supplier"
KEY = ("item_code", "warehouse", "day")


class World(ABC):
    """Makes business on a site. Quantities in Nos unless said otherwise; days are dates."""

    company: str
    currency: str
    shop: str
    store: str

    @abstractmethod
    def supplier(self, name: str, **fields: Any) -> None: ...

    @abstractmethod
    def item(self, item_code: str, **fields: Any) -> None:
        """fields of Item, child tables as lists of dicts; stock UOM Nos."""

    @abstractmethod
    def price(self, item_code: str, side: str, rate: float, uom: str, **fields: Any) -> None:
        """side: buying | selling; in the price list that the site's settings name."""

    @abstractmethod
    def receive_stock(self, item_code: str, warehouse: str, qty: float, rate: float, day: date) -> None: ...

    @abstractmethod
    def sell(self, item_code: str, warehouse: str, qty: float, day: date) -> str: ...

    @abstractmethod
    def take_back(self, sale: str, item_code: str, warehouse: str, qty: float, day: date) -> None: ...

    @abstractmethod
    def issue(self, item_code: str, warehouse: str, qty: float, day: date) -> None: ...

    @abstractmethod
    def transfer(self, item_code: str, source: str, target: str, qty: float, day: date) -> None: ...

    @abstractmethod
    def promise(self, item_code: str, warehouse: str, qty: float, delivery_day: date) -> str:
        """A submitted Sales Order."""

    @abstractmethod
    def order(self, item_code: str, warehouse: str, boxes: float, ordered_on: date, due_on: date) -> str:
        """A submitted Purchase Order in boxes of 12."""

    @abstractmethod
    def receive_order(self, order: str, boxes: float, day: date) -> None: ...

    @abstractmethod
    def request(self, kind: str, item_code: str, warehouse: str, qty: float, day: date, source: str = "") -> str:
        """A submitted Material Request of that type."""


@dataclass(frozen=True)
class Business:
    """The vouchers of the world below, by name."""

    sale: str
    sales_order: str
    order: str
    request: str
    transfer_request: str


def make_business(world: World, today: date) -> Business:
    """Two sales, a return, an issue, a transfer, an order half received, a promise and two requests."""

    def ago(days: int) -> date:
        return today - timedelta(days=days)

    world.supplier(SUPPLIER)
    world.supplier(HELD, on_hold=1, hold_type="All")
    world.item(
        ITEM, purchase_uom="Box", min_order_qty=24, lead_time_days=9, safety_stock=3,
        uoms=[{"uom": "Nos", "conversion_factor": 1}, {"uom": "Box", "conversion_factor": 12}],
        item_defaults=[{"company": world.company, "default_supplier": SUPPLIER, "default_warehouse": world.shop}],
        supplier_items=[{"supplier": HELD}, {"supplier": SUPPLIER}],
    )  # fmt: skip
    level = {"warehouse_reorder_level": 5, "warehouse_reorder_qty": 5, "material_request_type": "Purchase"}
    world.item(REORDERED, reorder_levels=[{"warehouse": world.shop, **level}])
    world.item(BARE)
    world.price(ITEM, "buying", 60.0, "Box", supplier=SUPPLIER, packing_unit=2)
    world.price(ITEM, "selling", 9.0, "Nos")
    world.receive_stock(ITEM, world.shop, 100, 4.0, ago(60))
    world.receive_stock(REORDERED, world.shop, 5, 1.0, ago(60))
    sale = world.sell(ITEM, world.shop, 10, ago(40))
    world.sell(ITEM, world.shop, 6, ago(30))
    order = world.order(ITEM, world.shop, 3, ago(25), ago(15))
    world.take_back(sale, ITEM, world.shop, 2, ago(20))
    world.receive_order(order, 1, ago(14))
    world.issue(ITEM, world.shop, 5, ago(10))
    world.transfer(ITEM, world.shop, world.store, 20, ago(9))
    return Business(
        sale=sale,
        order=order,
        sales_order=world.promise(ITEM, world.shop, 8, ago(-5)),
        request=world.request("Purchase", ITEM, world.shop, 7, ago(-10)),
        transfer_request=world.request("Material Transfer", ITEM, world.store, 4, ago(-6), source=world.shop),
    )


class _Undo(Exception):
    """Takes back what a test wrote."""


class SiteContract(TestCase):
    """Subclasses set site, world and business once for the class; every test takes back what it wrote."""

    site: Site
    world: World
    business: Business
    _undo: AbstractContextManager[None]

    def setUp(self) -> None:
        super().setUp()
        if type(self) is SiteContract:
            self.skipTest("The contract runs on a site.")
        self._undo = self.site.savepoint()
        self._undo.__enter__()
        self.addCleanup(self._undo.__exit__, _Undo, _Undo(), None)

    @property
    def today(self) -> date:
        return self.site.now().date()

    def day(self, ahead: int) -> pd.Timestamp:
        return pd.Timestamp(self.today + timedelta(days=ahead))

    @property
    def settings(self) -> CompanySettings:
        return CompanySettings(self.world.company, PlanSettings(self.world.company, self.world.currency))

    def of_item(self, frame: pd.DataFrame, item_code: str = ITEM) -> pd.DataFrame:
        return frame[frame["item_code"] == item_code].reset_index(drop=True)

    # ---- words ------------------------------------
    def test_a_sentence_shows_days_as_the_site_does_and_leaves_names_that_look_like_one(self) -> None:
        day = date(2026, 11, 20)
        said = self.site.translate("{order} of {day} and {date}, not {name}{none}.").format(
            order="PO-1", day=Day("2026-11-20"), date=day, name="2026-11-20", none=Day("")
        )
        shown = self.site.show_day(day)
        self.assertEqual(said, f"PO-1 of {shown} and {shown}, not 2026-11-20.")

    def test_a_fault_says_its_days_as_the_site_does_and_keeps_them_as_text(self) -> None:
        fault = Fault("Bad Data", "It ends on {day}.", {"day": iso_days(np.array(["2026-11-20"], "datetime64[D]"))[0]})
        self.assertEqual(fault.sentence(self.site.translate), f"It ends on {self.site.show_day(date(2026, 11, 20))}.")
        self.assertEqual(json.dumps(fault.values), '{"day": "2026-11-20"}')

    # ---- queries ------------------------------------
    def test_a_result_has_the_types_of_its_columns(self) -> None:
        found = self.of_item(self.site.fetch(queries.ledger(self.site.qb, self.world.company)))
        self.assertEqual(str(found["posting_day"].dtype), "datetime64[ns]")
        self.assertEqual(str(found["posted_at"].dtype), "datetime64[ns]")
        self.assertEqual(found["actual_qty"].dtype, np.float64)
        self.assertIsInstance(found["voucher_no"].iloc[0], str)

    def test_an_empty_result_has_the_same_columns_and_types(self) -> None:
        full = self.site.fetch(queries.ledger(self.site.qb, self.world.company))
        empty = self.site.fetch(queries.ledger(self.site.qb, "No Such Company"))
        self.assertEqual(len(empty), 0)
        self.assertEqual(dict(empty.dtypes), dict(full.dtypes))

    def test_missing_text_is_none_and_a_missing_day_is_nat(self) -> None:
        prices = self.of_item(self.site.fetch(queries.item_prices(self.site.qb, "selling", self.today)))
        self.assertTrue(prices["supplier"].iloc[0] in (None, ""))
        suppliers = self.site.fetch(queries.suppliers(self.site.qb)).set_index("supplier")
        self.assertIs(suppliers.loc[SUPPLIER, "release_date"], pd.NaT)

    def test_a_field_outside_the_schema_is_named(self) -> None:
        item = self.site.qb.DocType("Item")
        with self.assertRaisesRegex(BadInput, r"Item\.no_such_field"):
            self.site.fetch(self.site.qb.from_(item).select(item.no_such_field))

    def test_a_stream_brings_the_rows_of_fetch(self) -> None:
        query = queries.ledger(self.site.qb, self.world.company).orderby("name")
        pieces = list(self.site.stream(query, 2))
        self.assertTrue(all(len(piece) <= 2 for piece in pieces))
        pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), self.site.fetch(query))

    def test_no_query_runs_while_a_stream_is_open(self) -> None:
        stream = self.site.stream(queries.ledger(self.site.qb, self.world.company), 1)
        next(stream)
        with self.assertRaisesRegex(RuntimeError, "stream is open"):
            self.site.fetch(queries.companies(self.site.qb))
        list(stream)
        self.assertIn(self.world.company, reads.companies(self.site))

    def test_execute_tells_how_many_rows_it_touched(self) -> None:
        self.site.insert_rows("Demand Mark", self.marks(3))
        mark = self.site.qb.DocType("Demand Mark")
        self.assertEqual(
            self.site.execute(self.site.qb.update(mark).set(mark.item_code, "y").where(mark.item_code == "x")), 3
        )
        self.assertEqual(self.site.execute(self.site.qb.from_(mark).delete().where(mark.item_code == "y")), 3)

    def test_moments_compare_as_moments(self) -> None:
        self.site.insert_rows("Demand Mark", self.marks(1))
        mark = self.site.qb.DocType("Demand Mark")
        at = pd.Timestamp(self.site.now()).floor("s").to_pydatetime()
        for ahead, expected in ((-1, 1), (0, 0), (1, 0)):
            later = self.site.qb.from_(mark).select(mark.name).where(mark.item_code == "x")
            found = self.site.fetch(later.where(mark.marked_at > at + timedelta(seconds=ahead)))
            self.assertEqual(len(found), expected, ahead)

    def test_a_site_narrowed_to_an_item_reads_what_the_whole_one_reads_of_it(self) -> None:
        few, company = of_items(self.site, [ITEM]), self.world.company
        for read in (reads.items, reads.positions, reads.dated):
            whole, mine = self.of_item(read(self.site, company)), read(few, company)
            order = ["kind", "voucher_no", "qty"] if "kind" in whole else ["item_code"]
            self.assertEqual(set(mine["item_code"]), {ITEM})
            pd.testing.assert_frame_equal(
                mine.sort_values(order, ignore_index=True), whole.sort_values(order, ignore_index=True)
            )
        pd.testing.assert_frame_equal(reads.sourcing(few, company, [ITEM]), reads.sourcing(self.site, company, [ITEM]))

    # ---- bulk rows ------------------------------------
    def marks(self, count: int) -> pd.DataFrame:
        at = pd.Timestamp(self.site.now()).floor("s")
        return pd.DataFrame({
            "item_code": ["x"] * count, "warehouse": ["w"] * count, "changed_from": [self.day(-1)] * count,
            "marked_at": [at] * count,
        })  # fmt: skip

    def bucket(self, **values: Any) -> pd.DataFrame:
        return pd.DataFrame([{"item_code": ITEM, "warehouse": self.world.shop, "day": self.day(-3), **values}])

    def bucket_rows(self) -> pd.DataFrame:
        bucket = self.site.qb.DocType("Demand Bucket")
        columns = (bucket.name, bucket.day, bucket.demand_qty, bucket.closing_qty, bucket.creation, bucket.modified)
        query = self.site.qb.from_(bucket).select(*columns).where(bucket.item_code == ITEM)
        return self.site.fetch(query.orderby(bucket.name))

    def test_inserted_rows_are_named_and_dated(self) -> None:
        self.site.insert_rows("Demand Mark", self.marks(2))
        mark = self.site.qb.DocType("Demand Mark")
        query = self.site.qb.from_(mark).select(mark.name, mark.creation, mark.owner, mark.changed_from)
        found = self.site.fetch(query.where(mark.item_code == "x"))
        self.assertEqual(found["name"].nunique(), 2)
        self.assertEqual(list(found["changed_from"]), [self.day(-1)] * 2)
        self.assertEqual(set(found["owner"]), {self.site.user})
        self.assertTrue(found["creation"].notna().all())

    def test_counting_doctypes_get_the_next_integers(self) -> None:
        days = pd.DataFrame({"day": [self.day(-3), self.day(-2), self.day(-1)]})
        self.site.insert_rows("Demand Bucket", days.assign(item_code=ITEM, warehouse=self.world.shop))
        names = self.bucket_rows()["name"].to_numpy()
        self.assertEqual(list(np.diff(names)), [1, 1])
        self.site.insert_rows("Demand Bucket", self.bucket(day=self.day(0)))
        self.assertGreater(self.bucket_rows()["name"].max(), names.max())

    def test_an_upsert_keeps_name_and_creation_and_writes_only_its_columns(self) -> None:
        first = {"demand_qty": 4.0, "closing_qty": 9.0}
        self.site.upsert_rows("Demand Bucket", self.bucket(**first), KEY)
        before = self.bucket_rows().iloc[0]
        self.assertEqual(self.site.upsert_rows("Demand Bucket", self.bucket(demand_qty=5.0), KEY), 1)
        after = self.bucket_rows()
        self.assertEqual(len(after), 1)
        self.assertEqual((after["name"][0], after["creation"][0]), (before["name"], before["creation"]))
        self.assertEqual((after["demand_qty"][0], after["closing_qty"][0]), (5.0, 9.0))
        self.assertGreaterEqual(after["modified"][0], before["modified"])

    def test_a_missing_number_is_stored_as_zero(self) -> None:
        self.site.upsert_rows("Demand Bucket", self.bucket(demand_qty=np.nan), KEY)
        self.assertEqual(self.bucket_rows()["demand_qty"][0], 0.0)

    def test_an_infinite_number_is_refused(self) -> None:
        with self.assertRaisesRegex(BadInput, "demand_qty of row 0 is infinite"):
            self.site.upsert_rows("Demand Bucket", self.bucket(demand_qty=np.inf), KEY)

    def test_a_column_that_the_doctype_lacks_is_refused(self) -> None:
        with self.assertRaisesRegex(BadInput, "no_such_field"):
            self.site.insert_rows("Demand Bucket", self.bucket(no_such_field=1))

    def test_text_comes_back_as_it_was(self) -> None:
        text = "it's 5\\\" % of {x} — ü, 漢, 😀\n; DROP TABLE"
        run = self.insert_run()
        self.site.update_document("Forecast Run", run, {"error": text})
        found = self.site.get_document("Forecast Run", run)
        assert found is not None
        self.assertEqual(found["error"], text)
        self.site.insert_rows("Demand Mark", self.marks(1).assign(item_code=text))
        held = self.site.qb.DocType("Demand Mark")
        query = self.site.qb.from_(held).select(held.item_code).where(held.item_code == text)
        self.assertEqual(list(self.site.fetch(query)["item_code"]), [text])

    def test_rows_are_deleted_by_name(self) -> None:
        days = pd.DataFrame({"day": [self.day(-3), self.day(-2)]})
        self.site.insert_rows("Demand Bucket", days.assign(item_code=ITEM, warehouse=self.world.shop))
        first = self.bucket_rows()["name"].iloc[0]
        self.assertEqual(self.site.delete_rows("Demand Bucket", [first]), 1)
        self.assertNotIn(first, list(self.bucket_rows()["name"]))

    # ---- documents ------------------------------------
    def insert_run(self) -> str:
        steps = [{"step": "Read", "status": "Done", "rows": 3}, {"step": "Plan", "status": "Running"}]
        values = {"company": self.world.company, "status": "Running", "triggered_by": "Command", "steps": steps}
        return self.site.insert_document("Forecast Run", values | {"as_of": self.today, "started_at": self.site.now()})

    def test_a_document_keeps_its_fields_and_rows(self) -> None:
        document = self.site.get_document("Forecast Run", self.insert_run())
        assert document is not None
        self.assertEqual((document["status"], document["as_of"]), ("Running", self.today))
        self.assertLess(abs(self.site.now() - document["started_at"]), timedelta(minutes=1))
        self.assertEqual([row["step"] for row in document["steps"]], ["Read", "Plan"])
        self.assertEqual(document["steps"][0]["rows"], 3)

    def test_defaults_of_our_doctypes_are_set(self) -> None:
        name = self.site.insert_document("Forecast Run", {"company": self.world.company})
        document = self.site.get_document("Forecast Run", name)
        assert document is not None
        self.assertEqual(document["status"], "Queued")

    def test_an_update_replaces_the_tables_it_names_and_leaves_the_others(self) -> None:
        name = self.insert_run()
        self.site.update_document("Forecast Run", name, {"status": "Completed", "ended_at": pd.NaT, "pairs": 2})
        document = self.site.get_document("Forecast Run", name)
        assert document is not None
        self.assertEqual((document["status"], document["pairs"], len(document["steps"])), ("Completed", 2, 2))
        self.site.update_document("Forecast Run", name, {"steps": [{"step": "Only", "status": "Done"}]})
        document = self.site.get_document("Forecast Run", name)
        assert document is not None
        self.assertEqual([row["step"] for row in document["steps"]], ["Only"])

    def test_a_deleted_document_is_gone(self) -> None:
        name = self.insert_run()
        self.site.delete_document("Forecast Run", name)
        self.assertIsNone(self.site.get_document("Forecast Run", name))

    def test_a_held_document_is_one_that_stands(self) -> None:
        name = self.insert_run()
        self.assertTrue(self.site.hold("Forecast Run", name))
        self.site.set_fields("Forecast Run", name, {"pairs": 3})
        self.assertTrue(self.site.hold("Forecast Run", name), "our own writing is no change by others")
        self.assertFalse(self.site.hold("Forecast Run", "no-such-run"))

    def test_updating_what_is_gone_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "does not exist"):
            self.site.update_document("Forecast Run", "no-such-run", {"status": "Failed"})

    def test_a_single_is_a_document_of_its_own_name(self) -> None:
        at = self.site.now().replace(microsecond=0)
        self.site.update_document("Demand Watermark", "Demand Watermark", {"full_rebuild_at": at})
        document = self.site.get_document("Demand Watermark", "Demand Watermark")
        assert document is not None
        self.assertEqual(pd.Timestamp(document["full_rebuild_at"]), pd.Timestamp(at))

    def test_progress_is_on_the_run(self) -> None:
        run = self.insert_run()
        self.site.report_progress(run, 40.0, "Forecast")
        document = self.site.get_document("Forecast Run", run)
        assert document is not None
        self.assertEqual((document["progress_pct"], document["current_step"]), (40.0, "Forecast"))

    def test_progress_is_on_any_record_that_has_the_fields(self) -> None:
        made = self.site.insert_document("Level Change Set", {"company": self.world.company, "status": "Applying"})
        self.site.show_progress("Level Change Set", made, 40.0, "500 items applied")
        document = self.site.get_document("Level Change Set", made)
        assert document is not None
        self.assertEqual((document["progress_pct"], document["current_step"]), (40.0, "500 items applied"))

    # ---- native purchase orders ------------------------------------
    def line(self, boxes: float = 2, ahead: int = 20, row: str = "") -> OrderLine:
        return OrderLine(ITEM, self.world.shop, boxes, "Box", 12.0, 55.5, self.day(ahead).date(), row)

    def insert_order(self, *lines: OrderLine) -> str:
        ours = self.site.insert_document(
            "Auto Purchase Order", {"supplier": SUPPLIER, "company": self.world.company, "status": "Proposed"}
        )
        order = self.site.insert_order(
            self.world.company, SUPPLIER, self.world.currency, self.today, lines or (self.line(),), ours
        )
        return order.name

    def test_an_inserted_order_is_a_draft_with_our_lines_and_rates(self) -> None:
        order = self.site.get_order(self.insert_order())
        assert order is not None
        self.assertEqual((order.docstatus, order.supplier, order.currency), (0, SUPPLIER, self.world.currency))
        line = order.lines[0]
        self.assertEqual((line.qty, line.uom, line.conversion_factor, line.rate), (2.0, "Box", 12.0, 55.5))
        self.assertEqual(line.schedule_date, self.day(20).date())
        self.assertEqual((order.total, order.base_total), (111.0, 111.0))
        self.assertTrue(line.row)

    def test_our_draft_counts_once_in_the_position(self) -> None:
        before = reads.dated(self.site, self.world.company)
        name = self.insert_order()
        after = reads.dated(self.site, self.world.company)
        new = after[after["voucher_no"] == name]
        self.assertEqual(len(after), len(before) + 1)
        self.assertEqual((new["kind"].iloc[0], new["qty"].iloc[0]), ("our_draft", 24.0))
        self.assertEqual(new["day"].iloc[0], self.day(20))

    def test_replaced_lines_keep_their_rows(self) -> None:
        name = self.insert_order(self.line(2, 20), self.line(4, 30))
        first = self.site.get_order(name)
        assert first is not None
        kept = first.lines[1].row
        order = self.site.replace_order_lines(name, self.today, [self.line(6, 25, row=kept), self.line(1, 40)])
        self.assertEqual([(line.qty, line.schedule_date) for line in order.lines],
                         [(6.0, self.day(25).date()), (1.0, self.day(40).date())])  # fmt: skip
        self.assertEqual(order.lines[0].row, kept)
        self.assertEqual(order.total, 7 * 55.5)
        self.assertEqual(self.site.get_order(name), order)

    def test_a_submitted_order_moves_from_draft_to_order(self) -> None:
        bin_before = self.bin()["ordered_qty"]
        name = self.insert_order()
        self.assertEqual(self.site.submit_order(name).docstatus, 1)
        rows = reads.dated(self.site, self.world.company)
        rows = rows[rows["voucher_no"] == name]
        self.assertEqual(list(zip(rows["kind"], rows["qty"], strict=True)), [("purchase_order", 24.0)])
        self.assertEqual(self.bin()["ordered_qty"] - bin_before, 24.0)

    def test_what_is_no_draft_is_neither_changed_nor_deleted_nor_submitted(self) -> None:
        name = self.insert_order()
        self.site.submit_order(name)
        for attempt in (
            lambda: self.site.replace_order_lines(name, self.today, [self.line()]),
            lambda: self.site.submit_order(name),
            lambda: self.site.delete_order(name),
        ):
            with self.assertRaisesRegex(Refused, "no draft"):
                attempt()

    def test_a_deleted_draft_is_gone_and_counts_no_more(self) -> None:
        name = self.insert_order()
        self.site.delete_order(name)
        self.assertIsNone(self.site.get_order(name))
        self.assertNotIn(name, set(reads.dated(self.site, self.world.company)["voucher_no"]))

    def test_an_order_required_before_its_date_is_refused_with_a_sentence(self) -> None:
        with self.assertRaisesRegex(Refused, "(?i)date"):
            self.insert_order(self.line(ahead=-3))

    def bin(self) -> pd.Series:
        stock = self.site.qb.DocType("Bin")
        query = self.site.qb.from_(stock).select(stock.actual_qty, stock.ordered_qty, stock.projected_qty)
        query = query.where((stock.item_code == ITEM) & (stock.warehouse == self.world.shop))
        return self.site.fetch(query).iloc[0]

    # ---- transaction, locks ------------------------------------
    def test_what_fails_in_a_savepoint_is_undone_and_the_rest_stays(self) -> None:
        with self.site.savepoint():
            self.site.insert_rows("Demand Mark", self.marks(1))
        with self.assertRaises(ZeroDivisionError), self.site.savepoint():
            self.site.insert_rows("Demand Mark", self.marks(5))
            raise ZeroDivisionError
        mark = self.site.qb.DocType("Demand Mark")
        query = self.site.qb.from_(mark).select(mark.name).where(mark.item_code == "x")
        self.assertEqual(len(self.site.fetch(query)), 1)

    def test_a_lock_is_given_once(self) -> None:
        name = f"run:{self.world.company} with a name that is far longer than any database takes for a lock"
        with self.site.lock(name) as first:
            self.assertTrue(first)
            with self.site.lock(name) as second, self.site.lock(name + "!") as other:
                self.assertFalse(second)
                self.assertTrue(other)
        with self.site.lock(name) as again:
            self.assertTrue(again)

    def test_a_lock_outlives_commit_and_rollback(self) -> None:
        def held_after_both(site: Site) -> list[bool]:
            with site.lock("outlives") as got:
                site.commit()
                with site.lock("outlives") as after_commit:
                    pass
                site.rollback()
                with site.lock("outlives") as after_rollback:
                    pass
            with site.lock("outlives") as freed:
                return [got, not after_commit, not after_rollback, freed]

        self.assertEqual(self.on_another_connection(held_after_both), [True] * 4)

    def on_another_connection(self, check: Callable[[Site], list[bool]]) -> list[bool]:
        """What `check` tells of a site with a connection, and so a transaction, of its own."""
        raise NotImplementedError

    # ---- reads ------------------------------------
    def test_the_ledger_knows_what_is_demand(self) -> None:
        rows = self.of_item(reads.ledger_rows(self.site, self.settings))
        rows = rows[rows["warehouse"] == self.world.shop].sort_values("posted_at", kind="stable")
        self.assertEqual(list(rows["actual_qty"]), [100.0, -10.0, -6.0, 2.0, 12.0, -5.0, -20.0])
        self.assertEqual(list(rows["is_demand"]), [False, True, True, True, False, True, False])
        self.assertEqual(rows["qty_after_transaction"].iloc[-1], 73.0)
        returned = rows[rows["actual_qty"] == 2.0]
        self.assertEqual(returned["demand_day"].iloc[0], self.day(-40))

    def test_a_return_is_netted_on_the_day_of_its_sale(self) -> None:
        found = daily_buckets(self.of_item(reads.ledger_rows(self.site, self.settings)))
        shop = found[found["warehouse"] == self.world.shop].set_index("day")["demand_qty"]
        self.assertEqual(shop[self.day(-40)], 8.0)
        self.assertEqual(shop[self.day(-20)], 0.0)
        self.assertEqual(shop.sum(), 19.0)

    def test_settings_decide_whether_an_issue_is_demand(self) -> None:
        plan = PlanSettings(self.world.company)
        settings = CompanySettings(self.world.company, plan, demand_material_issue=False)
        rows = self.of_item(reads.ledger_rows(self.site, settings))
        self.assertFalse(rows.loc[rows["actual_qty"] == -5.0, "is_demand"].any())

    def test_the_ledger_of_some_pairs_since_a_day(self) -> None:
        pairs = pd.DataFrame({"item_code": [ITEM, BARE], "warehouse": [self.world.store, self.world.shop]})
        rows = reads.ledger_rows(self.site, self.settings, pairs)
        self.assertEqual(list(rows["actual_qty"]), [20.0])
        pairs = pd.DataFrame({"item_code": [ITEM], "warehouse": [self.world.shop]})
        rows = reads.ledger_rows(self.site, self.settings, pairs, self.day(-14).date())
        self.assertEqual(sorted(rows["actual_qty"]), [-20.0, -5.0, 12.0])
        self.assertEqual(len(reads.ledger_rows(self.site, self.settings, pairs.iloc[:0])), 0)

    def test_positions_are_the_bins_of_warehouses_that_hold_stock(self) -> None:
        rows = self.of_item(reads.positions(self.site, self.world.company)).set_index("warehouse")
        self.assertEqual(rows.loc[self.world.shop, "on_hand_qty"], 73.0)
        self.assertEqual(rows.loc[self.world.store, "on_hand_qty"], 20.0)
        self.assertTrue(rows["order_suppressed_until"].isna().all())

    def test_a_pair_with_a_reorder_row_is_left_to_erpnext_whoever_orders_else(self) -> None:
        rows = reads.positions(self.site, self.world.company).set_index(["item_code", "warehouse"])
        self.assertFalse(rows.loc[(REORDERED, self.world.shop), "we_order"])
        self.assertTrue(rows.loc[(ITEM, self.world.shop), "we_order"])

    def test_a_rejected_need_rests_until_its_day(self) -> None:
        line = {"item_code": ITEM, "warehouse": self.world.shop, "schedule_date": self.today, "qty": 1.0}
        values = {"supplier": SUPPLIER, "company": self.world.company, "items": [line]}
        name = self.site.insert_document("Auto Purchase Order", values)
        # By SQL: how an order comes to be rejected is the services' matter, and their workflow's.
        order = self.site.qb.DocType("Auto Purchase Order")
        update = self.site.qb.update(order).set(order.status, "Rejected").where(order.name == name)
        self.site.execute(update.set(order.rejected_until, self.day(9).date()))
        rows = self.of_item(reads.positions(self.site, self.world.company)).set_index("warehouse")
        self.assertEqual(rows.loc[self.world.shop, "order_suppressed_until"], self.day(9))
        self.assertTrue(pd.isna(rows.loc[self.world.store, "order_suppressed_until"]))

    def test_everything_open_stands_on_its_day(self) -> None:
        rows = self.of_item(reads.dated(self.site, self.world.company))
        found = {(row.kind, row.warehouse, row.voucher_no): (row.day, row.qty) for row in rows.itertuples(index=False)}
        shop, store, made = self.world.shop, self.world.store, self.business
        self.assertEqual(found, {
            ("purchase_order", shop, made.order): (self.day(-15), 24.0),
            ("sales_order", shop, made.sales_order): (self.day(5), -8.0),
            ("material_request", shop, made.request): (self.day(10), 7.0),
            ("material_request", store, made.transfer_request): (self.day(6), 4.0),
            ("transfer_out", shop, made.transfer_request): (self.day(6), -4.0),
        })  # fmt: skip

    def test_items_are_described(self) -> None:
        rows = reads.items(self.site, self.world.company).set_index("item_code")
        item = rows.loc[ITEM]
        self.assertEqual((item["min_order_qty"], item["safety_stock"], item["lead_time_days"]), (24.0, 3.0, 9.0))
        self.assertEqual((item["selling_rate"], item["stock_uom"]), (9.0, "Nos"))
        self.assertTrue(item["exists"] and item["is_purchase_item"] and not item["disabled"])
        self.assertTrue(np.isnan(rows.loc[BARE, "lead_time_days"]) and np.isnan(rows.loc[BARE, "selling_rate"]))

    def leave_only_our_order(self) -> None:
        """Lead times are pooled over a company, and read from what its last run has learned: what else was ordered on
        the site, and what was learned of it, would show.
        """
        line, learned = self.site.qb.DocType("Purchase Order Item"), self.site.qb.DocType("Supplier Lead Time")
        others = self.site.qb.update(line).where(line.parent != self.business.order)
        self.site.execute(others.set(line.parent, "Elsewhere"))
        self.site.execute(self.site.qb.from_(learned).where(learned.company == self.world.company).delete())

    def test_sourcing_prices_in_the_purchase_unit(self) -> None:
        self.leave_only_our_order()
        rows = reads.sourcing(self.site, self.world.company, [ITEM, BARE]).set_index("supplier")
        self.assertEqual(list(rows["item_code"]), [ITEM, ITEM])
        default = rows.loc[SUPPLIER]
        self.assertTrue(default["is_default"])
        self.assertEqual((default["rate"], default["uom"], default["conversion_factor"]), (60.0, "Box", 12.0))
        self.assertEqual((default["currency"], default["exchange_rate"]), (self.world.currency, 1.0))
        self.assertEqual(default["order_multiple_qty"], 24.0)
        self.assertEqual(default["lead_time_source"], "receipts")
        # A third came after 11 days, the rest is open after 25.
        self.assertGreater(default["lead_time_days"], 11.0)
        self.assertGreaterEqual(default["lead_time_row"], 0.0)
        self.assertEqual(default["blocked_reason"], "")

    def test_a_held_supplier_is_blocked_with_a_sentence(self) -> None:
        rows = reads.sourcing(self.site, self.world.company, [ITEM]).set_index("supplier")
        self.assertIn(HELD, rows.loc[HELD, "blocked_reason"])
        self.assertIn("on hold", rows.loc[HELD, "blocked_reason"])

    def test_a_missing_unit_factor_stays_missing(self) -> None:
        self.site.execute(self.update("UOM Conversion Detail", "conversion_factor", 0.0, parent=ITEM, uom="Box"))
        rows = reads.sourcing(self.site, self.world.company, [ITEM]).set_index("supplier")
        self.assertTrue(np.isnan(rows.loc[SUPPLIER, "conversion_factor"]))

    def test_receipts_know_when_they_were_ordered(self) -> None:
        rows = self.of_item(reads.receipts(self.site, self.world.company, self.day(-60).date()))
        self.assertEqual(len(rows), 1)
        row = rows.iloc[0]
        self.assertEqual((row["ordered_on"], row["received_on"]), (self.day(-25), self.day(-14)))
        self.assertEqual((row["supplier"], row["stock_qty"]), (SUPPLIER, 12.0))
        self.assertEqual((row["schedule_on"], row["purchase_order"]), (self.day(-15), self.business.order))
        self.assertEqual(len(self.of_item(reads.receipts(self.site, self.world.company, self.day(-5).date()))), 0)

    def test_what_is_still_to_come_is_read_with_its_promise(self) -> None:
        rows = self.of_item(reads.open_lines(self.site, self.world.company))
        self.assertEqual(len(rows), 1)
        row = rows.iloc[0]
        self.assertEqual((row["ordered_on"], row["schedule_on"]), (self.day(-25), self.day(-15)))
        self.assertEqual((row["supplier"], row["open_qty"]), (SUPPLIER, 24.0))
        self.assertEqual(row["purchase_order"], self.business.order)
        arrived = self.of_item(reads.receipts(self.site, self.world.company)).iloc[0]
        self.assertEqual(row["order_line"], arrived["order_line"])
        self.assertTrue(pd.isna(row["promised_on"]))

    def test_a_day_that_the_supplier_named_goes_before_the_one_asked_for(self) -> None:
        line = self.of_item(reads.open_lines(self.site, self.world.company)).iloc[0]["order_line"]
        named = self.day(9).date()
        self.site.execute(self.update("Purchase Order Item", "expected_delivery_date", named, name=line))
        for table in (reads.open_lines, reads.receipts):
            row = self.of_item(table(self.site, self.world.company)).iloc[0]
            self.assertEqual((row["schedule_on"], row["promised_on"]), (self.day(-15), self.day(9)))
        dated = reads.dated(self.site, self.world.company)
        self.assertEqual(list(dated.loc[dated["order_line"] == line, "day"]), [self.day(9)])

    def test_lead_times_are_learned_from_receipts_and_what_is_overdue(self) -> None:
        self.leave_only_our_order()
        known = reads.learned_lead_times(self.site, self.world.company).lead_times
        (row,) = known.rows_of(np.array([SUPPLIER], dtype=object), np.array([ITEM], dtype=object))
        self.assertEqual((known.supplier[row], known.item_code[row]), (SUPPLIER, ITEM))
        self.assertAlmostEqual(known.probability[row].sum(), 1.0)
        self.assertGreater(known.probability[row, 26:].sum(), 0.3)  # two thirds have been open for 25 days

    def test_a_company_without_orders_has_no_lead_times(self) -> None:
        known = reads.learned_lead_times(self.site, "No Such Company").lead_times
        self.assertEqual(len(known.supplier), 0)

    def test_the_settings_of_a_company_are_its_row(self) -> None:
        row = {"company": self.world.company, "period": "Week", "service_level_a_pct": 97.5, "margin_pct": 40}
        row |= {"who_orders": "Forecast Addon", "auto_approve_limit": 250, "run_hour": 5, "history_days": 400}
        self.site.update_document("Forecast Settings", "Forecast Settings", {"enabled": 1, "companies": [row]})
        settings = reads.company_settings(self.site, self.world.company)
        self.assertEqual((settings.plan.period, settings.plan.currency), ("week", self.world.currency))
        self.assertEqual((settings.plan.service_level_by_class["A"], settings.plan.margin_pct), (0.975, 40.0))
        self.assertEqual((settings.we_order, settings.auto_approve_limit, settings.run_hour), (True, 250.0, 5))
        self.assertTrue(settings.enabled)
        self.site.update_document("Forecast Settings", "Forecast Settings", {"enabled": 0})
        self.assertFalse(reads.company_settings(self.site, self.world.company).enabled)

    def test_the_ghost_of_a_deleted_item_is_still_told(self) -> None:
        bin_row = self.update("Bin", "item_code", "FC-DELETED", item_code=REORDERED)
        self.site.execute(bin_row)
        rows = reads.items(self.site, self.world.company).set_index("item_code")
        self.assertFalse(rows.loc["FC-DELETED", "exists"])

    # ---- what is known ahead ------------------------------------
    def event(self, title: str, **fields: Any) -> str:
        values = {"title": title, "event_type": "Promotion", "from_date": self.today, "to_date": self.today}
        return self.site.insert_document("Demand Event", {**values, **fields})

    def events(self, title: str) -> pd.DataFrame:
        rows = signal_reads.events(self.site, self.today - timedelta(days=30))
        return rows[rows["title"] == title].reset_index(drop=True)

    def test_an_event_is_read_with_its_scope_and_intensity(self) -> None:
        later = self.today + timedelta(days=3)
        self.event(
            "Fair", to_date=later, value=2, company=self.world.company, warehouse=self.world.shop, item_code=ITEM
        )
        self.event("Unused", enabled=0)
        (row,) = self.events("Fair").to_dict("records")
        self.assertEqual((row["from_day"], row["to_day"], row["value"]), (self.day(0), self.day(3), 2.0))
        self.assertEqual((row["item_code"], row["warehouse"]), (ITEM, self.world.shop))
        self.assertEqual((row["company"], row["item_group"], row["brand"]), (self.world.company, "", ""))
        self.assertFalse(row["is_signal"])
        self.assertEqual(len(self.events("Unused")), 0)

    def test_values_by_date_are_a_signal_or_the_intensity_of_an_event(self) -> None:
        days = [{"date": self.today + timedelta(days=ahead), "value": 10.0 + ahead} for ahead in (-40, 0, 1)]
        for kind, is_signal in (("Weather", True), ("Promotion", False)):
            self.event(f"By date {kind}", event_type=kind, series=days)
            rows = self.events(f"By date {kind}")
            self.assertEqual(list(rows["from_day"]), [self.day(0), self.day(1)])
            self.assertEqual(list(rows["to_day"]), list(rows["from_day"]))
            self.assertEqual(list(rows["value"]), [10.0, 11.0])
            self.assertEqual(set(rows["is_signal"]), {is_signal})

    def test_holidays_are_those_of_the_companys_list_without_weekly_days_off(self) -> None:
        rows = [
            {"holiday_date": self.today + timedelta(days=1), "description": "<div>Founders&#39; <b>Day</b></div>"},
            {"holiday_date": self.today + timedelta(days=2), "description": "Sunday", "weekly_off": 1},
        ]
        span = {"from_date": self.today, "to_date": self.today + timedelta(days=30)}
        named = self.site.insert_document("Holiday List", {"holiday_list_name": "FC List", **span, "holidays": rows})
        self.site.execute(self.update("Company", "default_holiday_list", named, name=self.world.company))
        settings = replace(self.settings, use_holidays=False)
        found, faults = signal_reads.holidays(self.site, settings, span["from_date"], span["to_date"])
        self.assertEqual(found.to_numpy().tolist(), [["Founders' Day", self.day(1)]])
        self.assertEqual(faults, [])
        known, faults = signal_reads.holidays(
            self.site, replace(self.settings, holiday_country="Germany"), date(2026, 12, 1), date(2026, 12, 31)
        )
        self.assertEqual(faults, [])
        self.assertIn(pd.Timestamp(2026, 12, 25), list(known["day"]))
        none, (fault,) = signal_reads.holidays(
            self.site, replace(self.settings, holiday_country="Atlantis"), date(2026, 12, 1), date(2026, 12, 31)
        )
        self.assertIn("Atlantis", fault.sentence())
        self.assertEqual(len(none[none["day"] == pd.Timestamp(2026, 12, 25)]), 0)

    def test_prices_over_time_are_per_stock_unit_with_their_days(self) -> None:
        ends = self.today + timedelta(days=5)
        self.world.price(BARE, "selling", 7.0, "Nos", valid_from=self.today - timedelta(days=20))
        self.world.price(ITEM, "selling", 96.0, "Box", valid_from=self.today, valid_upto=ends)
        items = reads.items(self.site, self.world.company)
        rows = signal_reads.prices(self.site, self.world.company, items, self.today - timedelta(days=30))
        own = self.of_item(rows).sort_values("rate")
        self.assertEqual(list(own["rate"]), [8.0, 9.0])
        self.assertEqual((own["from_day"].iloc[0], own["to_day"].iloc[0]), (self.day(0), self.day(5)))
        self.assertEqual(list(self.of_item(rows, BARE)["rate"]), [7.0])

    def override(self, **fields: Any) -> str:
        values = {
            "company": self.world.company, "item_code": ITEM, "from_date": self.today, "kind": "Percent", "value": 20,
            "to_date": self.today + timedelta(days=9), "reason": "A fair.", "status": "Approved",
            "approved_at": self.site.now(),
        }  # fmt: skip
        return self.site.insert_document("Forecast Override", {**values, **fields})

    def test_overrides_that_count_are_approved_and_not_over(self) -> None:
        one = self.override(warehouse=self.world.shop)
        self.override(status="Draft")
        over = self.override(from_date=self.today - timedelta(days=9), to_date=self.today - timedelta(days=1))
        rows = signal_reads.overrides(self.site, self.world.company, self.site.as_of())
        self.assertEqual(list(rows["name"]), [one])
        (row,) = rows.to_dict("records")
        self.assertEqual((row["kind"], row["value"], row["warehouse"]), ("Percent", 20.0, self.world.shop))
        self.assertEqual((row["from_day"], row["to_day"]), (self.day(0), self.day(9)))
        self.assertEqual(len(signal_reads.overrides(self.site, "No Such Company", self.site.as_of())), 0)
        ended = self.site.fetch(signal_queries.overrides_that_are_over(self.site.qb, self.world.company, self.today))
        self.assertEqual(list(ended["name"]), [over])

    def test_replacements_are_the_items_own_word_and_its_alternatives(self) -> None:
        self.world.item("FC-OLD", replaced_by=ITEM)
        pairs = {"item_code": ["FC-OLD", BARE], "alternative_item_code": [BARE, REORDERED], "two_way": [0, 1]}
        self.site.insert_rows("Item Alternative", pd.DataFrame(pairs))
        rows = signal_reads.replacements(self.site)
        rows = rows[rows["item_code"].isin(["FC-OLD", BARE, REORDERED])]
        told = set(rows[["item_code", "successor", "is_choice"]].itertuples(index=False, name=None))
        expected = {("FC-OLD", ITEM, True), ("FC-OLD", BARE, False), (BARE, REORDERED, False), (REORDERED, BARE, False)}
        self.assertEqual(told, expected)

    def test_scopes_know_the_companys_trees(self) -> None:
        scopes = signal_reads.scopes(self.site, self.world.company, reads.items(self.site, self.world.company))
        self.assertTrue(scopes.knows_item(ITEM))
        self.assertTrue(scopes.knows_warehouse(self.world.shop))
        self.assertFalse(scopes.knows_item("FC-NO-SUCH"))
        self.assertFalse(scopes.knows_warehouse("No Such House"))
        self.assertIn(self.world.shop, set(scopes.warehouses["name"]))

    def update(self, doctype: str, field: str, value: Any, **where: Any) -> Any:
        table = self.site.qb.DocType(doctype)
        query = self.site.qb.update(table).set(table[field], value)
        for column, wanted in where.items():
            query = query.where(table[column] == wanted)
        return query
