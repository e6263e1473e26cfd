"""Orders sent to a supplier's server that runs here: a real HTTP server, a real database, nothing pretended."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from embedded_shop import NOW, EmbeddedShop

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.services import dispatch, webhook
from erp_forecast_addon.services.dispatch_signature import is_genuine
from erp_forecast_addon.site import dispatch_reads
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.port import OrderLine
from erp_forecast_addon.tests.supplier_server import SECRET, Reply, SupplierServer

SUPPLIER = "Nordic Paper"
IMPATIENT = webhook.Patience(connect_seconds=0.5, read_seconds=0.4, total_seconds=1.0)


class SiteWithSecret(EmbeddedSite):
    """An embedded site that keeps one secret."""

    def password(self, doctype: str, name: str, fieldname: str) -> str:
        assert (doctype, fieldname) == ("Supplier Channel", "secret")
        return SECRET


class Desk:
    """A company that sends orders to one supplier by webhook."""

    def __init__(self, path: Path) -> None:
        self.shop = EmbeddedShop(path)
        self.shop.supplier(SUPPLIER)
        self.shop.item("CUP")
        self.shop.site.close()
        self.site = SiteWithSecret(path, now=NOW)
        self.shop.site = self.site
        self.channel = self.site.insert_document("Supplier Channel", {"supplier": SUPPLIER, "channel": "Webhook"})
        self.allow("")

    def allow(self, hosts: str, **more: Any) -> None:
        self.shop.settings(dispatch_orders=1, dispatch_max_attempts=4, dispatch_private_hosts=hosts, **more)

    def connect(self, server: SupplierServer, url: str | None = None) -> None:
        self.allow(server.host)
        self.site.update_document("Supplier Channel", self.channel, {"url": url or server.url})
        self.site.commit()

    def placed(self, qty: float = 12) -> str:
        line = OrderLine("CUP", self.shop.warehouse, qty, "Nos", 1.0, 9.9, date(2026, 12, 1))
        order = self.site.insert_order(self.shop.company, SUPPLIER, "EUR", date(2026, 11, 21), [line], "")
        self.site.submit_order(order.name)
        self.site.commit()
        return order.name

    def noted(self, order: str | None = None) -> str:
        name = dispatch.note_order(self.site, self.native(order or self.placed()), self.how())
        assert name is not None
        self.site.commit()
        return name

    def native(self, order: str) -> dict[str, Any]:
        found = self.site.get_document("Purchase Order", order)
        assert found is not None
        return found

    def change(self, order: str, qty: float) -> None:
        rows = [{**row, "qty": qty} for row in self.native(order)["items"]]
        self.site.update_document("Purchase Order", order, {"items": rows})

    def cancel(self, order: str) -> str | None:
        self.site.update_document("Purchase Order", order, {"docstatus": 2, "status": "Cancelled"})
        name = dispatch.note_cancellation(self.site, self.native(order), self.how())
        self.site.commit()
        return name

    def how(self) -> dispatch_reads.Channel:
        found = dispatch_reads.read_channel(self.site, SUPPLIER, self.shop.company)
        assert found is not None
        return found

    def row(self, name: str) -> dict[str, Any]:
        found = self.site.get_document("Order Dispatch", name)
        assert found is not None
        return found

    def send(self, name: str, patience: webhook.Patience = IMPATIENT) -> str | None:
        return dispatch.send(self.site, name, patience=patience)

    def wait_until_due(self, name: str) -> timedelta:
        """Let the time come; -> how long that was."""
        waited = self.row(name)["next_attempt_at"] - self.site.now()
        self.site.set_now(self.row(name)["next_attempt_at"])
        return waited


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "desk.db")
    yield made
    made.site.close()


class TestWhatArrives:
    def test_an_order_arrives_once_signed_with_its_key(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server, f"{server.url}?token=abc")
            name = desk.noted()
            assert desk.send(name) == "Sent"
        (got,) = server.received
        row = desk.row(name)
        assert got.path == "/orders?token=abc"
        assert got.headers["Idempotency-Key"] == row["idempotency_key"] == got.json["idempotency_key"]
        assert got.body.decode() == row["payload"]
        stamp = int(got.headers["X-Forecast-Timestamp"])
        assert is_genuine(SECRET, got.headers, got.body, stamp)
        assert not is_genuine(SECRET + "!", got.headers, got.body, stamp)
        assert got.headers["Host"] == server.host
        assert (row["last_answer_code"], row["attempts"], row["sent_at"]) == (200, 1, NOW)
        assert row["last_answer"] == '{"status": "accepted"}'
        assert row["sent_to"] == server.url, "without the token"
        assert got.json["order"]["lines"][0]["quantity"] == "12"

    def test_what_is_sent_is_not_sent_again(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server)
            name = desk.noted()
            assert [desk.send(name), desk.send(name)] == ["Sent", "Sent"]
            with pytest.raises(Refused, match="is Sent"):
                dispatch.send_again(desk.site, name)
        assert len(server.received) == 1

    def test_an_event_that_comes_twice_makes_one_message(self, desk: Desk) -> None:
        order = desk.placed()
        assert desk.noted(order)
        assert dispatch.note_order(desk.site, desk.native(order), desk.how()) is None

    def test_500_is_tried_again_later_with_the_same_key_and_the_same_bytes(self, desk: Desk) -> None:
        with SupplierServer(Reply(500, b"oops\x00\nnow"), Reply(503), Reply(201)) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Waiting"
            assert desk.row(name)["last_answer"] == "oops now"
            assert desk.send(name) == "Waiting", "not before its time"
            assert len(server.received) == 1
            first = desk.wait_until_due(name)
            assert desk.send(name) == "Waiting"
            second = desk.wait_until_due(name)
            assert desk.send(name) == "Sent"
        assert timedelta(seconds=30) <= first <= timedelta(seconds=60) <= second <= timedelta(seconds=120)
        assert len({each.body for each in server.received}) == 1
        assert list(server.orders()) == [desk.row(name)["idempotency_key"]]
        assert desk.row(name)["attempts"] == 3

    def test_a_duplicate_counts_as_received(self, desk: Desk) -> None:
        with SupplierServer(Reply(500), Reply(409, b"known")) as server:
            desk.connect(server)
            name = desk.noted()
            desk.send(name)
            desk.wait_until_due(name)
            assert desk.send(name) == "Sent"
        assert (desk.row(name)["last_answer_code"], desk.row(name)["last_answer"]) == (409, "known")

    def test_a_server_that_answers_twice_is_heard_once(self, desk: Desk) -> None:
        with SupplierServer(Reply(201, twice=True)) as server:
            desk.connect(server)
            name = desk.noted()
            assert [desk.send(name), desk.send(name)] == ["Sent", "Sent"]
        assert desk.row(name)["last_answer_code"] == 201
        assert len(server.received) == 1

    @pytest.mark.parametrize("reply", [Reply(hang_seconds=30), Reply(drip_seconds=0.05), Reply(break_off=True)])
    def test_a_server_that_hangs_gets_the_same_key_again(self, desk: Desk, reply: Reply) -> None:
        with SupplierServer(reply, Reply(200)) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Waiting"
            assert desk.row(name)["may_have_arrived"] == 1
            assert desk.row(name)["last_answer_code"] == 0
            desk.wait_until_due(name)
            assert desk.send(name) == "Sent"
        assert [len(messages) for messages in server.orders().values()] == [2]

    def test_what_a_server_asks_for_is_heeded(self, desk: Desk) -> None:
        with SupplierServer(Reply(429, headers={"Retry-After": "7200"})) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Waiting"
            assert desk.wait_until_due(name) == timedelta(hours=2)

    def test_an_answer_without_end_is_cut(self, desk: Desk) -> None:
        with SupplierServer(Reply(200, b"x" * 5_000_000)) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Sent"
        assert len(desk.row(name)["last_answer"]) == 500

    def test_what_a_server_says_is_no_markup_here(self, desk: Desk) -> None:
        page = b"<html><body onload=x()><h1>Bad</h1><script>steal()</script><img src=x onerror=steal()  a < b"
        with SupplierServer(Reply(400, page)) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Failed"
        said = desk.row(name)["last_answer"]
        assert said.startswith("Bad steal()")
        assert not set(said) & set("<>")

    def test_the_same_server_twice_at_once_gets_it_once(self, desk: Desk) -> None:
        """Two workers take up one row: the second is told that somebody is at it."""
        with SupplierServer(Reply(200, hang_seconds=1)) as server:
            desk.connect(server)
            name = desk.noted()
            told: list[str | None] = []

            def work() -> None:
                with SiteWithSecret(desk.site.path, now=NOW) as mine:
                    told.append(dispatch.send(mine, name))

            workers = [threading.Thread(target=work) for _each in range(4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        assert sorted(told, key=str) == [None, None, None, "Sent"]
        assert len(server.received) == 1


class TestDeadLetters:
    @pytest.mark.parametrize("code", [400, 401, 404, 410, 422])
    def test_a_refusal_is_a_dead_letter_at_once_and_can_be_sent_again(self, desk: Desk, code: int) -> None:
        with SupplierServer(Reply(code, b"no such item"), Reply(200)) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Failed"
            row = desk.row(name)
            assert (row["last_answer_code"], row["last_answer"], row["next_attempt_at"]) == (code, "no such item", None)
            assert dispatch.due(desk.site) == []
            dispatch.send_again(desk.site, name)
            desk.site.commit()
            assert desk.send(name) == "Sent"
        assert len(server.orders()) == 1, "one key, whoever sends"

    def test_after_the_last_attempt_a_person_has_to_look(self, desk: Desk) -> None:
        with SupplierServer(Reply(502)) as server:
            desk.connect(server)
            name = desk.noted()
            states = [desk.send(name)]
            while desk.row(name)["next_attempt_at"]:
                desk.wait_until_due(name)
                states.append(desk.send(name))
            assert states == ["Waiting", "Waiting", "Waiting", "Failed"]
            assert "Given up after 4 attempts" in desk.row(name)["last_answer"]
            dispatch.send_again(desk.site, name)
            assert desk.send(name) == "Waiting", "and then it is tried as often again"
            assert desk.row(name)["attempts"] == 5

    def test_nobody_there_is_tried_again_and_nothing_arrived(self, desk: Desk) -> None:
        with SupplierServer() as gone:
            desk.connect(gone)
        name = desk.noted()
        assert desk.send(name) == "Waiting"
        assert "could not be reached" in desk.row(name)["last_answer"]
        assert desk.row(name)["may_have_arrived"] == 0

    def test_a_name_that_nobody_knows_is_tried_again(self, desk: Desk) -> None:
        desk.site.update_document("Supplier Channel", desk.channel, {"url": "https://no-such-host.invalid/x"})
        name = desk.noted()
        assert desk.send(name) == "Waiting"
        assert "no-such-host.invalid cannot be found" in desk.row(name)["last_answer"]

    def test_a_private_address_is_refused_unless_allowed(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server)
            for url in (server.url, f"http://localhost:{server.port}/", f"https://localhost:{server.port}/"):
                desk.allow("")
                desk.site.update_document("Supplier Channel", desk.channel, {"url": url})
                name = desk.noted()
                assert desk.send(name) == "Failed", url
                assert desk.row(name)["may_have_arrived"] == 0
            assert server.received == []
            assert "not on the public internet" in desk.row(name)["last_answer"]
            desk.allow(f"localhost:{server.port}")
            desk.site.update_document("Supplier Channel", desk.channel, {"url": f"http://localhost:{server.port}/"})
            dispatch.send_again(desk.site, name)
            assert desk.send(name) == "Sent"

    def test_a_redirect_is_not_followed_to_anywhere(self, desk: Desk) -> None:
        with SupplierServer() as inside, SupplierServer(Reply(307, headers={"Location": inside.url})) as server:
            desk.connect(server)
            name = desk.noted()
            assert desk.send(name) == "Failed"
            assert inside.url in desk.row(name)["last_answer"]
            assert inside.received == []

    def test_a_proxy_of_the_environment_is_not_used(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        with SupplierServer() as proxy, SupplierServer() as server:
            for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(variable, f"http://{proxy.host}")
            desk.connect(server)
            assert desk.send(desk.noted()) == "Sent"
            assert proxy.received == []

    def test_what_a_person_knows_settles_it(self, desk: Desk) -> None:
        with SupplierServer(Reply(400)) as server:
            desk.connect(server)
            first, second = desk.noted(), desk.noted()
            desk.send(first)
            desk.send(second)
            dispatch.confirm(desk.site, first)
            dispatch.drop(desk.site, second)
        assert [desk.row(each)["status"] for each in (first, second)] == ["Sent", "Cancelled"]
        assert desk.row(first)["settled_by"] == "demo"
        with pytest.raises(Refused, match="is Cancelled"):
            dispatch.confirm(desk.site, second)


class TestVersions:
    def test_a_change_is_a_version_with_a_key_of_its_own_and_takes_the_place_of_the_unsent_one(
        self, desk: Desk
    ) -> None:
        with SupplierServer(Reply(500), Reply(200)) as server:
            desk.connect(server)
            order = desk.placed()
            first = desk.noted(order)
            assert desk.send(first) == "Waiting"
            desk.change(order, 20)
            second = desk.noted(order)
            assert desk.row(first)["status"] == "Cancelled"
            assert "Version 2" in desk.row(first)["last_answer"]
            assert desk.send(second) == "Sent"
            with pytest.raises(Refused, match="is Cancelled"):
                dispatch.send_again(desk.site, first)
        told = [(got.json["version"], got.json["order"]["lines"][0]["quantity"]) for got in server.received]
        assert told == [(1, "12"), (2, "20")]
        assert len(server.orders()) == 2

    def test_back_to_what_it_was_is_a_third_version(self, desk: Desk) -> None:
        order = desk.placed()
        keys = [desk.row(desk.noted(order))["idempotency_key"]]
        for qty in (20, 12):
            desk.change(order, qty)
            keys.append(desk.row(desk.noted(order))["idempotency_key"])
        assert len(set(keys)) == 3

    def test_a_version_that_is_on_its_way_when_it_is_replaced_is_not_tried_again(self, desk: Desk) -> None:
        with SupplierServer(Reply(500)) as server:
            desk.connect(server)
            order = desk.placed()
            first = desk.noted(order)
            real = server._next

            def changed_meanwhile() -> Reply:
                with SiteWithSecret(desk.site.path, now=NOW) as other:
                    rows = [{**row, "qty": 20} for row in desk_rows(other, order)]
                    other.update_document("Purchase Order", order, {"items": rows})
                    found = dispatch_reads.read_channel(other, SUPPLIER, desk.shop.company)
                    assert found is not None
                    native = other.get_document("Purchase Order", order)
                    assert native is not None
                    dispatch.note_order(other, native, found)
                    other.commit()
                server._next = real  # type: ignore[method-assign]
                return real()

            server._next = changed_meanwhile  # type: ignore[method-assign]
            assert desk.send(first) == "Waiting"
            desk.wait_until_due(first)
            assert desk.send(first) == "Cancelled"
            assert len(server.received) == 1

    def test_a_cancelled_order_that_nobody_knows_of_is_not_mentioned(self, desk: Desk) -> None:
        order = desk.placed()
        name = desk.noted(order)
        assert desk.cancel(order) is None
        assert desk.row(name)["status"] == "Cancelled"
        with pytest.raises(Refused):
            dispatch.send_again(desk.site, name)

    def test_a_cancelled_order_that_arrived_or_may_have_is_cancelled_there_too(self, desk: Desk) -> None:
        with SupplierServer(Reply(hang_seconds=30), Reply(200)) as server:
            desk.connect(server)
            order = desk.placed()
            first = desk.noted(order)
            assert desk.send(first) == "Waiting"
            told = desk.cancel(order)
            assert told is not None
            assert desk.row(first)["status"] == "Cancelled"
            assert desk.send(told) == "Sent"
            assert desk.cancel(order) is None, "once"
        assert [got.json["event"] for got in server.received] == ["purchase_order.placed", "purchase_order.cancelled"]
        assert len(server.orders()) == 2

    def test_a_cancellation_of_what_went_by_email_is_left_to_a_person(self, desk: Desk) -> None:
        desk.site.update_document("Supplier Channel", desk.channel, {"channel": "Email"})
        order = desk.placed()
        name = desk.noted(order)
        desk.site.set_fields("Order Dispatch", name, {"status": "Sent"})
        told = desk.cancel(order)
        assert told is not None
        assert (desk.row(told)["status"], desk.row(told)["next_attempt_at"]) == ("Unclear", None)
        assert dispatch.due(desk.site) == []

    def test_an_order_on_hold_waits(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server)
            order = desk.placed()
            name = desk.noted(order)
            desk.site.update_document("Purchase Order", order, {"status": "On Hold"})
            assert desk.send(name) == "Waiting"
            assert (desk.row(name)["attempts"], server.received) == (0, [])
            desk.site.update_document("Purchase Order", order, {"status": "To Receive and Bill"})
            desk.wait_until_due(name)
            assert desk.send(name) == "Sent"

    def test_a_closed_order_is_not_sent(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server)
            order = desk.placed()
            name = desk.noted(order)
            desk.site.update_document("Purchase Order", order, {"status": "Closed"})
            assert desk.send(name) == "Cancelled"
        assert server.received == []


def desk_rows(site: EmbeddedSite, order: str) -> list[dict[str, Any]]:
    found = site.get_document("Purchase Order", order)
    assert found is not None
    return list(found["items"])


class TestSettings:
    def test_a_company_that_sends_nothing_keeps_it_waiting(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server)
            name = desk.noted()
            desk.shop.settings(dispatch_orders=0)
            assert dispatch.due(desk.site) == []
            assert desk.send(name) == "Waiting"
            desk.shop.settings(dispatch_orders=1)
            assert dispatch.due(desk.site) == [name]
            assert desk.send(name) == "Sent"

    def test_one_supplier_does_not_keep_the_workers_from_the_others(self, desk: Desk) -> None:
        order = desk.placed()
        for number in range(30):
            desk.change(order, 100 + number)
            desk.noted(order)
        rows = {"status": "Waiting", "next_attempt_at": NOW - timedelta(hours=1)}
        table = desk.site.qb.DocType("Order Dispatch")
        query = desk.site.qb.update(table)
        for field, value in rows.items():
            query = query.set(table[field], value)
        desk.site.execute(query)
        other = desk.noted()
        desk.site.set_fields("Order Dispatch", other, {"supplier": "Another"})
        desk.site.commit()
        due = dispatch.due(desk.site)
        assert len(due) == 11
        assert other in due

    def test_a_row_of_the_company_comes_before_the_one_of_all(self, desk: Desk) -> None:
        assert desk.how().kind == "Webhook"
        own = {"supplier": SUPPLIER, "company": desk.shop.company, "channel": "None"}
        desk.site.insert_document("Supplier Channel", own)
        assert desk.how().kind == "None"
        assert dispatch_reads.read_channel(desk.site, "Nobody", desk.shop.company) is None

    def test_without_a_secret_or_a_channel_it_is_a_dead_letter_with_its_sentence(self, desk: Desk) -> None:
        name = desk.noted()
        with EmbeddedSite(desk.site.path, now=NOW) as no_secret:
            assert dispatch.send(no_secret, name) == "Failed"
        assert "has no secret that can be read" in desk.row(name)["last_answer"]
        desk.site.delete_document("Supplier Channel", desk.channel)
        desk.site.commit()
        dispatch.send_again(desk.site, name)
        assert desk.send(name) == "Failed"
        assert f"{SUPPLIER} has no channel" in desk.row(name)["last_answer"]

    def test_a_wrong_list_of_private_hosts_is_said_not_raised(self, desk: Desk) -> None:
        with SupplierServer() as server:
            desk.connect(server)
            desk.allow("*")
            name = desk.noted()
            assert desk.send(name) == "Failed"
        assert "is neither a host" in desk.row(name)["last_answer"]


class TestKilled:
    def test_a_worker_killed_between_sending_and_commit_sends_again_with_the_same_key(self, desk: Desk) -> None:
        """A process of its own is killed while the supplier has the message and keeps it waiting."""
        with SupplierServer(Reply(200, hang_seconds=20), Reply(409)) as server:
            desk.connect(server)
            name = desk.noted()
            worker = subprocess.Popen([sys.executable, __file__, str(desk.site.path), name])
            for _each in range(200):
                if server.received:
                    break
                threading.Event().wait(0.05)
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            row = desk.row(name)
            assert (row["status"], row["attempts"]) == ("Sending", 1), "begun, and nobody knows"
            assert dispatch.due(desk.site) == [], "it might still be at it"
            desk.site.set_now(NOW + timedelta(minutes=4))
            assert dispatch.due(desk.site) == [name]
            assert desk.send(name) == "Sent"
        assert [len(messages) for messages in server.orders().values()] == [2]
        assert len({each.body for each in server.received}) == 1

    def test_what_kills_every_worker_is_a_dead_letter_in_the_end(self, desk: Desk) -> None:
        name = desk.noted()
        desk.site.set_fields("Order Dispatch", name, {
            "status": "Sending", "tries": 4, "attempts": 4, "last_attempt_at": NOW - timedelta(hours=1),
        })  # fmt: skip
        desk.site.commit()
        assert desk.send(name) == "Failed"
        assert "None of them came to an end" in desk.row(name)["last_answer"]


if __name__ == "__main__":
    with SiteWithSecret(sys.argv[1], now=NOW) as own_site:
        dispatch.send(own_site, sys.argv[2])
