"""Orders that leave the site: from the approval to a supplier's web server and mail server, both real, both here."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, add_to_date, now_datetime, today
from frappe.utils.password import get_decrypted_password

from erp_forecast_addon.api.v1 import dispatch as api
from erp_forecast_addon.events import dispatch as jobs
from erp_forecast_addon.services import dispatch
from erp_forecast_addon.services.dispatch_signature import is_genuine
from erp_forecast_addon.site.frappe_mail import recipients_of
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.mail_server import MailServer
from erp_forecast_addon.tests.supplier_server import SECRET, Reply, SupplierServer

SUPPLIER = "Forecast Dispatch Supplier"
ACCOUNT = "Forecast Dispatch Account"
ROW = "Order Dispatch"
WORKER = """
import sys, frappe
from erp_forecast_addon.events.dispatch import send_job
frappe.init(sys.argv[1]); frappe.connect(); send_job(sys.argv[2])
"""


def channel(kind: str = "Webhook", **values: Any) -> str:
    """The supplier's one channel for every company, with these values."""
    frappe.db.delete("Supplier Channel", {"supplier": SUPPLIER})
    given = {"url": "https://api.supplier.example/orders", "secret": SECRET} if kind == "Webhook" else {}
    doc = {"doctype": "Supplier Channel", "supplier": made.supplier(SUPPLIER), "channel": kind, "company": ""}
    return str(frappe.get_doc({**doc, **given, **values}).insert().name)


def draft(qty: float = 5) -> frappe.model.document.Document:
    house = made.warehouse("Forecast Dispatch")
    return made.proposal((made.item("FC-DISPATCH"), house, qty), by=SUPPLIER)


def approve(record: frappe.model.document.Document) -> str:
    record.status = "Approved"
    record.save()
    return str(record.purchase_order)


def order_by_hand() -> frappe.model.document.Document:
    line = {"item_code": made.item("FC-DISPATCH"), "qty": 3, "rate": 10, "schedule_date": add_days(today(), 7)}
    line["warehouse"] = made.warehouse("Forecast Dispatch")
    header = {"doctype": "Purchase Order", "supplier": SUPPLIER, "company": made.company()}
    return frappe.get_doc({**header, "schedule_date": add_days(today(), 7), "items": [line]}).insert()


def rows(order: str) -> list[frappe._dict]:
    fields = ["name", "version", "event", "channel", "status", "idempotency_key", "payload", "attempts"]
    return frappe.get_all(ROW, filters={"purchase_order": order}, fields=fields, order_by="version asc")


def update_items(order: str, qty: float) -> None:
    """As the button "Update Items" on the form does it."""
    from erpnext.controllers.accounts_controller import update_child_qty_rate

    row = frappe.get_doc("Purchase Order", order).items[0]
    line = {"docname": row.name, "name": row.name, "item_code": row.item_code, "qty": qty, "rate": row.rate}
    line |= {"uom": row.uom, "conversion_factor": row.conversion_factor, "schedule_date": str(row.schedule_date)}
    update_child_qty_rate("Purchase Order", frappe.as_json([line]), order)


class TestWhatBecomesARow(made.SiteTestCase):
    """Within the test's transaction: nothing is sent."""

    @classmethod
    def make_records(cls) -> None:
        cls.company = made.company()
        made.settings_row(on_approval="Submit Purchase Order", dispatch_orders=1)
        channel()

    def test_an_approved_order_waits_to_be_sent_in_the_transaction_of_the_approval(self) -> None:
        record = draft()
        assert rows(record.purchase_order) == []
        order = approve(record)
        (row,) = rows(order)
        assert (row.version, row.event, row.channel, row.status) == (1, "Order", "Webhook", "Waiting")
        assert frappe.db.get_value(ROW, row.name, "auto_purchase_order") == record.name
        assert frappe.parse_json(row.payload)["order"]["lines"][0]["item_code"] == "FC-DISPATCH"

    def test_an_approval_that_erpnext_refuses_leaves_no_row(self) -> None:
        record = draft()
        frappe.db.set_value("Item", "FC-DISPATCH", "min_order_qty", 1000)
        with self.assertRaises(frappe.ValidationError):
            approve(record)
        assert rows(record.purchase_order) == []

    def test_it_is_off_at_first_and_for_suppliers_without_a_channel(self) -> None:
        meta = frappe.get_meta("Forecast Company Settings").get_field("dispatch_orders")
        assert not int(meta.default)
        made.settings_row(dispatch_orders=0)
        assert rows(approve(draft())) == []
        made.settings_row(dispatch_orders=1)
        channel("None")
        assert rows(approve(draft())) == []

    def test_orders_made_by_hand_go_only_where_the_channel_says_so(self) -> None:
        order = order_by_hand()
        order.submit()
        assert rows(order.name) == []
        channel(every_order=1)
        order = order_by_hand()
        order.submit()
        assert len(rows(order.name)) == 1

    def test_update_items_makes_a_version_and_a_change_back_another(self) -> None:
        order = approve(draft())
        for qty in (7, 5):
            update_items(order, qty)
        first, second, third = rows(order)
        assert [row.version for row in (first, second, third)] == [1, 2, 3]
        assert len({row.idempotency_key for row in (first, second, third)}) == 3
        assert [row.status for row in (first, second, third)] == ["Cancelled", "Cancelled", "Waiting"]
        quantities = [frappe.parse_json(row.payload)["order"]["lines"][0]["quantity"] for row in rows(order)]
        assert quantities == ["5", "7", "5"]

    def test_a_receipt_makes_no_version(self) -> None:
        order = approve(draft())
        doc = frappe.get_doc("Purchase Order", order)
        doc.db_set("per_received", 50)
        doc.reload()
        doc.save()
        assert len(rows(order)) == 1

    def test_a_cancelled_order_that_was_sent_is_cancelled_at_the_supplier_and_its_amendment_is_new(self) -> None:
        order = approve(draft())
        frappe.db.set_value(ROW, rows(order)[0].name, {"status": "Sent", "may_have_arrived": 1})
        doc = frappe.get_doc("Purchase Order", order)
        doc.cancel()
        placed, cancelled = rows(order)
        assert (placed.status, cancelled.event, cancelled.status) == ("Sent", "Cancellation", "Waiting")
        again = frappe.copy_doc(doc)
        again.amended_from, again.docstatus = doc.name, 0
        again.insert()
        again.submit()
        (row,) = rows(again.name)
        assert (row.version, frappe.parse_json(row.payload)["order"]["replaces"]) == (1, order)

    def test_a_row_outlives_its_order_and_is_in_nobodys_way(self) -> None:
        order = approve(draft())
        doc = frappe.get_doc("Purchase Order", order)
        doc.cancel()
        frappe.delete_doc("Purchase Order", order)
        assert [row.status for row in rows(order)] == ["Cancelled"]

    def test_it_is_not_written_or_deleted_by_hand(self) -> None:
        (row,) = rows(approve(draft()))
        doc = frappe.get_doc(ROW, row.name)
        doc.status = "Sent"
        with self.assertRaisesRegex(frappe.ValidationError, "cannot be written by hand"):
            doc.save()
        with self.assertRaisesRegex(frappe.ValidationError, "for ever"):
            frappe.delete_doc(ROW, row.name)

    def test_what_no_message_could_be_sent_by_is_refused_when_it_is_saved(self) -> None:
        for url in ("http://api.supplier.example/", "https://127.0.0.1/", "https://u:p@x.example/", "nowhere"):
            with self.subTest(url), self.assertRaises(frappe.ValidationError):
                channel(url=url)
        with self.assertRaisesRegex(frappe.ValidationError, "at least 16"):
            channel(secret="short")
        with self.assertRaises(frappe.ValidationError):
            channel("Email", email_to="not an address")
        channel()
        with self.assertRaisesRegex(frappe.ValidationError, "a channel for every company already"):
            second = {"doctype": "Supplier Channel", "supplier": SUPPLIER, "channel": "None", "company": ""}
            frappe.get_doc(second).insert()
        with self.assertRaisesRegex(frappe.ValidationError, "is neither a host"):
            made.settings_row(dispatch_private_hosts="*.internal")

    def test_whom_an_email_goes_to(self) -> None:
        order = frappe.get_doc("Purchase Order", draft().purchase_order)
        contact = frappe.get_doc(
            {
                "doctype": "Contact",
                "first_name": "Forecast",
                "email_ids": [{"email_id": "c@x.example", "is_primary": 1}],
            }
        ).insert()
        named = frappe.get_doc("Supplier Channel", channel("Email", email_to="a@x.example,\n b@x.example"))
        assert recipients_of(order, named) == ["a@x.example", "b@x.example"]
        named = frappe.get_doc("Supplier Channel", channel("Email", contact=contact.name))
        assert recipients_of(order, named) == ["c@x.example"]
        nobody = frappe.get_doc("Supplier Channel", channel("Email"))
        assert recipients_of(order, nobody) == []
        frappe.db.set_value("Supplier", SUPPLIER, "email_id", "own@x.example")
        assert recipients_of(order, nobody) == ["own@x.example"]
        order.contact_email = "of-order@x.example"
        assert recipients_of(order, nobody) == ["of-order@x.example"]

    def test_the_secret_is_kept_encrypted_and_leaves_with_its_supplier(self) -> None:
        name = channel()
        assert frappe.db.get_value("Supplier Channel", name, "secret") != SECRET
        assert SECRET not in frappe.as_json(frappe.get_doc("Supplier Channel", name).as_dict())
        assert get_decrypted_password("Supplier Channel", name, "secret") == SECRET
        kept = frappe.db.sql("select password from `__Auth` where doctype = 'Supplier Channel' and name = %s", name)
        assert SECRET not in kept[0][0]
        frappe.delete_doc("Supplier", SUPPLIER)
        assert not frappe.db.exists("Supplier Channel", name)
        assert not frappe.db.sql("select 1 from `__Auth` where doctype = 'Supplier Channel' and name = %s", name)


class TestRights(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        made.settings_row(on_approval="Submit Purchase Order", dispatch_orders=1)
        channel()
        cls.house, cls.other = made.warehouse("Forecast Dispatch"), made.warehouse("Forecast Dispatch Other")
        (cls.row,) = rows(approve(draft()))
        frappe.db.set_value(ROW, cls.row.name, {"status": "Failed", "next_attempt_at": None})

    def status(self) -> str:
        return str(frappe.db.get_value(ROW, self.row.name, "status"))

    def test_an_approver_and_a_purchase_manager_send_again(self) -> None:
        for role in (made.APPROVER, "Purchase Manager"):
            frappe.db.set_value(ROW, self.row.name, "status", "Failed")
            with self.subTest(role), made.acting_as(made.user("sender", role)):
                assert api.send_again(frappe.as_json([self.row.name, self.row.name])) == 1
                assert self.status() == "Waiting"

    def test_who_may_only_read_does_not(self) -> None:
        for role in (made.PLANNER, "Purchase User", "Stock Manager"):
            email = made.user("reader", role)
            with self.subTest(role), made.acting_as(email):
                assert frappe.has_permission(ROW, "read", doc=self.row.name)
                for act in (api.send_again, api.confirm, api.drop):
                    with self.assertRaises(frappe.PermissionError):
                        act([self.row.name])
        assert self.status() == "Failed"

    def test_a_user_of_another_company_or_warehouse_sees_nothing_of_it(self) -> None:
        limits = ({"Company": made.second_company()}, {"Warehouse": self.other})
        for number, limited in enumerate(limits):
            email = made.user(f"elsewhere{number}", "Purchase Manager", made.APPROVER)
            made.limit(email, **limited)
            with self.subTest(limited), made.acting_as(email):
                assert self.row.name not in frappe.get_list(ROW, pluck="name", limit=0, order_by="name")
                assert not frappe.has_permission(ROW, "read", doc=self.row.name)
                assert api.of_order(frappe.db.get_value(ROW, self.row.name, "purchase_order")) == []
                with self.assertRaises(frappe.PermissionError):
                    api.send_again([self.row.name])
        email = made.user("here", "Purchase Manager")
        made.limit(email, Company=made.company(), Warehouse=self.house)
        with made.acting_as(email):
            assert self.row.name in frappe.get_list(ROW, pluck="name", limit=0, order_by="name")

    def test_rights_are_checked_before_anything_is_done(self) -> None:
        second = frappe.copy_doc(frappe.get_doc(ROW, self.row.name))
        second.update({"company": made.second_company(), "version": 9, "idempotency_key": "other"})
        second.flags.by_forecast_addon = True
        second.insert()
        email = made.user("mine_only", "Purchase Manager")
        made.limit(email, Company=made.company())
        with made.acting_as(email), self.assertRaises(frappe.PermissionError):
            api.confirm([self.row.name, second.name])
        assert self.status() == "Failed"

    def test_channels_of_every_company_are_changed_by_who_sees_every_company(self) -> None:
        name = frappe.db.get_value("Supplier Channel", {"supplier": SUPPLIER})
        email = made.user("mine_only", "Purchase Manager")
        made.limit(email, Company=made.company())
        with made.acting_as(email):
            assert name in frappe.get_list("Supplier Channel", pluck="name", limit=0, order_by="name")
            assert frappe.has_permission("Supplier Channel", "read", doc=name)
            assert not frappe.has_permission("Supplier Channel", "write", doc=name)
            own = {"doctype": "Supplier Channel", "supplier": SUPPLIER, "company": made.company(), "channel": "None"}
            frappe.get_doc(own).insert()
        with made.acting_as(made.user("boss", "Purchase Manager")):
            assert frappe.has_permission("Supplier Channel", "write", doc=name)

    def test_what_is_no_list_of_names_is_refused(self) -> None:
        for given in ("", "[", "{}", "[1]", [], ["x"] * 201):
            with self.subTest(str(given)[:9]), self.assertRaises(frappe.ValidationError):
                api.send_again(given)
        with self.assertRaises(frappe.PermissionError):
            api.send_again(["no such row"])


class SendingTestCase(FrappeTestCase):
    """Sending commits, so these tests do, and take away what they made."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        frappe.set_user("Administrator")
        cls.before = frappe.db.get_value(
            "Forecast Company Settings", {"company": made.company()}, ["on_approval", "dispatch_orders"], as_dict=True
        )

    def setUp(self) -> None:
        frappe.set_user("Administrator")
        made.settings_row(
            on_approval="Submit Purchase Order", dispatch_orders=1, dispatch_private_hosts="127.0.0.1",
            dispatch_max_attempts=3,
        )  # fmt: skip
        self.orders: list[str] = []
        frappe.db.commit()

    def tearDown(self) -> None:
        frappe.db.rollback()
        frappe.db.after_commit.reset()
        for order in self.orders:
            self.take_away(order)
        frappe.db.delete("Email Account", {"name": ACCOUNT})
        # Frappe remembers an account for as long as the process lives: notifications of later tests would be sent.
        frappe.local.outgoing_email_account = {}
        frappe.delete_doc("Supplier Channel", frappe.db.get_value("Supplier Channel", {"supplier": SUPPLIER}))
        made.settings_row(**self.before, dispatch_private_hosts="", dispatch_max_attempts=12)
        frappe.db.commit()

    def take_away(self, order: str) -> None:
        mails = frappe.get_all("Email Queue", filters={"reference_name": order}, pluck="name")
        frappe.db.delete("Email Queue Recipient", {"parent": ("in", mails or [""])})
        frappe.db.delete("Email Queue", {"reference_name": order})
        frappe.db.delete("Communication", {"reference_name": order})
        frappe.db.delete("Notification Log", {"document_type": ROW})
        frappe.db.delete(ROW, {"purchase_order": order})
        record = frappe.db.get_value("Auto Purchase Order", {"purchase_order": order})
        doc = frappe.get_doc("Purchase Order", order)
        if doc.docstatus == 1:
            doc.cancel()
        frappe.delete_doc("Purchase Order", order, force=True)
        if record:
            frappe.delete_doc("Auto Purchase Order", record, force=True, ignore_permissions=True)
        frappe.db.delete(ROW, {"purchase_order": order})

    def placed(self) -> frappe._dict:
        """The row of an order that was approved just now."""
        order = approve(draft())
        self.orders.append(order)
        frappe.db.after_commit.reset()  # no worker is asked for: the tests are the worker
        frappe.db.commit()
        return rows(order)[0]

    def now(self, name: str) -> frappe.model.document.Document:
        frappe.db.rollback()
        return frappe.get_doc(ROW, name)

    def let_it_be_due(self, name: str) -> None:
        frappe.db.set_value(ROW, name, "next_attempt_at", add_to_date(now_datetime(), seconds=-1))
        frappe.db.commit()


class TestWebhook(SendingTestCase):
    def test_from_the_approval_to_the_suppliers_server(self) -> None:
        with SupplierServer(Reply(500), Reply(200)) as server:
            channel(url=server.url)
            row = self.placed()
            assert jobs.send_job(row.name) == "Waiting"
            assert jobs.send_job(row.name) == "Waiting", "not yet due"
            self.let_it_be_due(row.name)
            assert jobs.send_job(row.name) == "Sent"
            assert jobs.send_job(row.name) == "Sent"
        first, second = server.received
        assert first.body == second.body == row.payload.encode()
        assert list(server.orders()) == [row.idempotency_key]
        assert is_genuine(SECRET, second.headers, second.body, int(second.headers["X-Forecast-Timestamp"]))
        assert self.now(row.name).attempts == 2

    def test_a_server_that_gives_no_answer_gets_the_same_key_again_and_one_that_gives_two_is_heard_once(self) -> None:
        with SupplierServer(Reply(break_off=True), Reply(201, twice=True)) as server:
            channel(url=server.url)
            row = self.placed()
            assert jobs.send_job(row.name) == "Waiting"
            assert self.now(row.name).may_have_arrived == 1
            self.let_it_be_due(row.name)
            assert [jobs.send_job(row.name), jobs.send_job(row.name)] == ["Sent", "Sent"]
        assert [len(messages) for messages in server.orders().values()] == [2]
        assert list(server.orders()) == [row.idempotency_key]
        assert self.now(row.name).last_answer_code == 201

    def test_the_scheduler_queues_what_is_due_and_nothing_else(self) -> None:
        channel()
        due, later, sent = self.placed(), self.placed(), self.placed()
        frappe.db.set_value(ROW, later.name, "next_attempt_at", add_days(now_datetime(), 1))
        frappe.db.set_value(ROW, sent.name, "status", "Sent")
        names = set(dispatch.due(FrappeSite()))
        assert due.name in names
        assert not {later.name, sent.name} & names
        made.settings_row(dispatch_orders=0)
        assert due.name not in set(dispatch.due(FrappeSite()))

    def test_a_dead_letter_is_told_to_a_person_who_sends_it_again(self) -> None:
        with SupplierServer(Reply(422, b"unknown item"), Reply(200)) as server:
            channel(url=server.url)
            row = self.placed()
            assert jobs.send_job(row.name) == "Failed"
            told = frappe.get_all("Notification Log", filters={"document_name": row.name}, pluck="subject")
            assert len(told) == 1
            assert "unknown item" in told[0]
            assert jobs.send_job(row.name) == "Failed"
            api.send_again([row.name])
            frappe.db.after_commit.reset()
            frappe.db.commit()
            assert jobs.send_job(row.name) == "Sent"
        assert len(server.orders()) == 1

    def test_a_worker_killed_while_the_supplier_answers_sends_again_with_the_same_key(self) -> None:
        """A process of its own: while it lives nobody else sends for its order, once it is dead the next one does."""
        with SupplierServer(Reply(200, hang_seconds=30), Reply(409)) as server:
            channel(url=server.url)
            row = self.placed()
            worker = subprocess.Popen([sys.executable, "-c", WORKER, frappe.local.site, row.name])
            until = time.monotonic() + 60
            while not server.received and time.monotonic() < until:
                time.sleep(0.05)
            assert jobs.send_job(row.name) is None, "the other one holds the order"
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            assert self.now(row.name).status == "Sending"
            assert row.name not in dispatch.due(FrappeSite()), "it might still be at it"
            begun = add_to_date(now_datetime(), minutes=-10)
            frappe.db.set_value(ROW, row.name, "last_attempt_at", begun)
            frappe.db.commit()
            assert row.name in dispatch.due(FrappeSite())
            assert jobs.send_job(row.name) == "Sent"
        assert [len(messages) for messages in server.orders().values()] == [2]
        assert len({each.body for each in server.received}) == 1
        assert self.now(row.name).attempts == 2

    def test_a_cancellation_that_began_before_the_order_was_sent_is_told_too(self) -> None:
        """This transaction has read the row as Waiting when a worker, a process of its own, sends it."""
        with SupplierServer() as server:
            channel(url=server.url)
            row = self.placed()
            assert rows(self.orders[0])[0].status == "Waiting"
            subprocess.run([sys.executable, "-c", WORKER, frappe.local.site, row.name], check=True)
            assert rows(self.orders[0])[0].status == "Waiting", "what this transaction sees"
            doc = frappe.get_doc("Purchase Order", self.orders[0])
            doc.cancel()
            frappe.db.after_commit.reset()
            frappe.db.commit()
            placed, cancelled = rows(self.orders[0])
            assert (placed.status, cancelled.event, cancelled.status) == ("Sent", "Cancellation", "Waiting")
            assert jobs.send_job(cancelled.name) == "Sent"
        assert [got.json["event"] for got in server.received] == ["purchase_order.placed", "purchase_order.cancelled"]

    def test_a_secret_of_another_encryption_key_is_said_and_stops_no_approval(self) -> None:
        channel()
        name = frappe.db.get_value("Supplier Channel", {"supplier": SUPPLIER})
        frappe.db.sql("update `__Auth` set password = 'x' where doctype = 'Supplier Channel' and name = %s", name)
        row = self.placed()
        assert jobs.send_job(row.name) == "Failed"
        assert "no secret that can be read" in self.now(row.name).last_answer

    def test_a_muted_site_tells_no_supplier(self) -> None:
        with SupplierServer() as server:
            channel(url=server.url)
            row = self.placed()
            frappe.conf.mute_emails = 1
            try:
                assert jobs.send_job(row.name) is None
            finally:
                del frappe.conf["mute_emails"]
            assert server.received == []
            assert self.now(row.name).status == "Waiting"

    def test_a_queue_that_is_down_is_left_to_the_next_check(self) -> None:
        channel()
        queue = frappe.conf.redis_queue
        frappe.conf.redis_queue = "redis://127.0.0.1:1"
        from frappe.utils import background_jobs

        pool, background_jobs._redis_queue_conn = background_jobs._redis_queue_conn, None
        try:
            assert jobs.enqueue_send("whatever") is False
        finally:
            frappe.conf.redis_queue, background_jobs._redis_queue_conn = queue, pool


class TestEmail(SendingTestCase):
    def setUp(self) -> None:
        super().setUp()
        # Mails that leave commit; the tests after this one must not send any.
        muted = frappe.flags.mute_emails
        frappe.flags.testing_email, frappe.flags.mute_emails = True, False
        self.addCleanup(frappe.flags.pop, "testing_email")
        self.addCleanup(setattr, frappe.flags, "mute_emails", muted)
        channel("Email", email_to="orders@supplier.example")

    def account(self, port: int) -> None:
        frappe.db.delete("Email Account", {"name": ACCOUNT})
        frappe.get_doc({
            "doctype": "Email Account", "email_account_name": ACCOUNT, "email_id": "buying@shop.example",
            "enable_outgoing": 1, "default_outgoing": 1, "smtp_server": "127.0.0.1", "smtp_port": port,
            "no_smtp_authentication": 1, "use_tls": 0,
        }).insert()  # fmt: skip
        frappe.db.set_single_value("Print Settings", "send_print_as_pdf", 0)
        frappe.db.commit()

    def queued(self, order: str) -> list[frappe._dict]:
        return frappe.get_all("Email Queue", filters={"reference_name": order}, fields=["name", "status", "message_id"])

    def test_an_order_arrives_with_its_print_and_stands_on_the_timeline(self) -> None:
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            assert jobs.send_job(row.name) == "Sent"
            assert jobs.send_job(row.name) == "Sent"
        (message,) = server.messages
        parts = {part.get_filename() for part in message.walk() if part.get_filename()}
        assert parts == {f"{self.orders[0]}.html"}
        assert message["Message-Id"] == f"<{row.idempotency_key}@{frappe.local.site}>"
        assert "orders@supplier.example" in message["To"]
        (queued,) = self.queued(self.orders[0])
        assert queued.status == "Sent"
        doc = self.now(row.name)
        mail = frappe.get_doc("Communication", doc.communication)
        assert (mail.reference_doctype, mail.reference_name) == ("Purchase Order", self.orders[0])
        assert mail.delivery_status == "Sent"
        assert (doc.email_queue, doc.sent_to) == (queued.name, "orders@supplier.example")

    def test_a_message_that_was_taken_without_an_answer_is_not_sent_again_without_a_person(self) -> None:
        with MailServer("vanish") as server:
            self.account(server.port)
            row = self.placed()
            assert jobs.send_job(row.name) == "Unclear"
            assert self.now(row.name).next_attempt_at is None
            frappe.email.queue.flush()
            assert jobs.send_job(row.name) == "Unclear"
            assert len(server.taken) == 1
            frappe.db.set_value("Email Queue", {"reference_name": self.orders[0]}, "status", "Sending")
            frappe.db.set_value(
                "Email Queue", {"reference_name": self.orders[0]}, "modified", "2020-01-01", update_modified=False
            )
            frappe.email.queue.retry_sending_emails()
            frappe.email.queue.flush()
            assert len(server.taken) == 1, "Frappe's own retry does not send it either"
            server.does = "accept"
            api.send_again([row.name])
            frappe.db.after_commit.reset()
            frappe.db.commit()
            assert jobs.send_job(row.name) == "Sent"
        first, second = server.messages
        assert first["Message-Id"] == second["Message-Id"]
        assert len(self.queued(self.orders[0])) == 1

    def test_a_worker_killed_while_sending_leaves_it_to_a_person_one_killed_before_does_not(self) -> None:
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            for in_queue, retry, wanted in ((None, 0, "Sent"), ("Not Sent", 1, "Unclear"), ("Sending", 0, "Unclear")):
                with self.subTest(in_queue):
                    queue = self.now(row.name).email_queue
                    if in_queue is not None:
                        frappe.db.set_value("Email Queue", queue, {"status": in_queue, "retry": retry})
                    begun = add_to_date(now_datetime(), minutes=-10)
                    left = {"status": "Sending", "last_attempt_at": begun, "next_attempt_at": None}
                    frappe.db.set_value(ROW, row.name, left)
                    frappe.db.commit()
                    assert row.name in set(dispatch.due(FrappeSite()))
                    state = jobs.send_job(row.name)
                    if state == "Waiting":
                        self.let_it_be_due(row.name)
                        state = jobs.send_job(row.name)
                    assert state == wanted
            assert len(server.taken) == 1

    def test_an_address_that_the_server_refuses_is_a_dead_letter_one_for_later_waits(self) -> None:
        for does, state, code in (("refuse", "Failed", 550), ("later", "Waiting", 451)):
            with self.subTest(does), MailServer(does) as server:
                self.account(server.port)
                row = self.placed()
                assert jobs.send_job(row.name) == state
                doc = self.now(row.name)
                assert doc.last_answer_code == code
                assert not doc.may_have_arrived

    def test_one_of_two_recipients_is_not_sent_it_twice(self) -> None:
        """Frappe writes to one after the other, in no order of ours."""
        channel("Email", email_to="orders@supplier.example, nobody@supplier.example")
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            assert jobs.send_job(row.name) == ("Unclear" if server.taken else "Failed")
            said = self.now(row.name).last_answer
            assert ("Only orders@supplier.example was sent it" in said) == bool(server.taken)

    def test_a_server_that_is_down_is_tried_again(self) -> None:
        with MailServer() as gone:
            pass
        self.account(gone.port)
        row = self.placed()
        assert jobs.send_job(row.name) == "Waiting"
        doc = self.now(row.name)
        assert not doc.may_have_arrived
        assert doc.next_attempt_at > now_datetime()
        with MailServer() as server:
            self.account(server.port)
            self.let_it_be_due(row.name)
            assert jobs.send_job(row.name) == "Sent"
        assert len(server.taken) == 1
        assert len(self.queued(self.orders[0])) == 1

    def test_the_channels_template_and_the_version_are_in_the_message(self) -> None:
        template = {"doctype": "Email Template", "name": "Forecast Dispatch Template", "subject": "Order {{ name }}"}
        frappe.delete_doc("Email Template", template["name"], ignore_missing=True)
        template["response"] = "<p>Dear {{ supplier }}</p>"
        frappe.get_doc(template).insert(set_name=template["name"])
        self.addCleanup(frappe.delete_doc, "Email Template", template["name"])
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            assert jobs.send_job(row.name) == "Sent"
            update_items(self.orders[0], 8)
            channel("Email", email_to="orders@supplier.example", email_template=template["name"])
            frappe.db.after_commit.reset()
            frappe.db.commit()
            assert jobs.send_job(rows(self.orders[0])[1].name) == "Sent"
            frappe.db.set_value(ROW, rows(self.orders[0])[1].name, {"status": "Failed"})
            channel("Email", email_to="orders@supplier.example")
            api.send_again([rows(self.orders[0])[1].name])
            frappe.db.after_commit.reset()
            frappe.db.commit()
            assert jobs.send_job(rows(self.orders[0])[1].name) == "Sent"
        first, second, third = server.messages
        assert first["Subject"] == f"Purchase Order {self.orders[0]} of {made.company()}"
        assert second["Subject"] == f"Order {self.orders[0]}"
        plain = [part.get_payload() for part in second.walk() if part.get_content_type() == "text/plain"]
        assert f"Dear {SUPPLIER}" in plain[0]
        assert "(version 2)" in third["Subject"]
        assert first["Message-Id"] != second["Message-Id"] == third["Message-Id"]

    def test_a_suspended_queue_holds_it_without_counting(self) -> None:
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            frappe.db.set_default("suspend_email_queue", 1)
            self.addCleanup(frappe.db.set_default, "suspend_email_queue", 0)
            assert jobs.send_job(row.name) == "Waiting"
            assert (self.now(row.name).tries, server.taken) == (0, [])

    def test_without_an_address_or_an_account_it_is_said(self) -> None:
        channel("Email")
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            assert jobs.send_job(row.name) == "Failed"
        assert "has no email address" in self.now(row.name).last_answer

    def test_a_cancellation_by_email_waits_for_a_person(self) -> None:
        with MailServer() as server:
            self.account(server.port)
            row = self.placed()
            jobs.send_job(row.name)
            frappe.get_doc("Purchase Order", self.orders[0]).cancel()
            frappe.db.after_commit.reset()
            frappe.db.commit()
            told = rows(self.orders[0])[1]
            assert (told.event, told.status) == ("Cancellation", "Unclear")
            assert jobs.send_job(told.name) == "Unclear"
            assert len(server.taken) == 1
            api.send_again([told.name])
            frappe.db.after_commit.reset()
            frappe.db.commit()
            assert jobs.send_job(told.name) == "Sent"
        assert "is cancelled" in server.messages[1]["Subject"]
