"""What a dispatch says, how it is signed, when it is tried again and where it may go. No network."""

import hashlib
import hmac
import ipaddress
import json
import re
import time
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.services import dispatch_address as addresses
from erp_forecast_addon.services import dispatch_message as message
from erp_forecast_addon.services import dispatch_schedule as schedule
from erp_forecast_addon.services import dispatch_signature as signing

ORDER = {
    "name": "PUR-ORD-2026-00007", "amended_from": None, "transaction_date": date(2026, 11, 21),
    "schedule_date": "2026-12-01", "company": "Shop Ltd", "supplier": "SUP-1", "supplier_name": "Müller & Söhne",
    "currency": "EUR", "net_total": 118.8, "total_taxes_and_charges": 0.0, "grand_total": 118.8,
    "shipping_address_display": "Unit 7<br>\nHarbour &amp; Co<br/>  12345   <b>Port</b>",
    "per_received": 40, "status": "To Receive",
    "items": [
        {"item_code": "CUP-08", "item_name": "Cup", "qty": 12.0, "uom": "Box", "rate": 9.9, "amount": 118.8,
         "schedule_date": date(2026, 12, 1), "warehouse": "Stores", "supplier_part_no": "M-88", "received_qty": 3},
    ],
}  # fmt: skip


class TestMessage:
    def test_it_is_the_same_bytes_whatever_order_the_fields_come_in(self) -> None:
        backwards = dict(reversed(list(ORDER.items())))
        one = message.payload(message.order_content(ORDER), message.ORDER, 1, "k")
        assert one == message.payload(message.order_content(backwards), message.ORDER, 1, "k")
        assert message.payload_hash(one) == hashlib.sha256(one.encode()).hexdigest()

    def test_it_says_what_the_documentation_says(self) -> None:
        told = json.loads(message.payload(message.order_content(ORDER), message.CANCELLATION, 3, "k"))
        assert {name: told[name] for name in ("schema", "event", "idempotency_key", "version")} == {
            "schema": "erp-forecast-addon/purchase-order/1", "event": "purchase_order.cancelled",
            "idempotency_key": "k", "version": 3,
        }  # fmt: skip
        order = told["order"]
        assert order["number"] == "PUR-ORD-2026-00007"
        assert order["supplier"] == {"name": "SUP-1", "title": "Müller & Söhne"}
        assert order["ship_to"] == "Unit 7\nHarbour & Co\n12345 Port"
        assert (order["date"], order["required_by"]) == ("2026-11-21", "2026-12-01")
        assert order["lines"] == [
            {
                "line": 1, "item_code": "CUP-08", "item_name": "Cup", "supplier_part_no": "M-88", "quantity": "12",
                "unit": "Box", "rate": "9.9", "amount": "118.8", "required_by": "2026-12-01", "warehouse": "Stores",
            }
        ]  # fmt: skip

    def test_a_receipt_is_no_other_order_but_another_quantity_is(self) -> None:
        received = {**ORDER, "status": "Completed", "per_received": 100}
        assert message.order_content(received) == message.order_content(ORDER)
        more = {**ORDER, "items": [{**ORDER["items"][0], "qty": 13}]}
        assert message.order_content(more) != message.order_content(ORDER)

    def test_the_content_is_read_back_from_the_message(self) -> None:
        content = message.order_content(ORDER)
        assert message.content_of(message.payload(content, message.ORDER, 2, "k")) == content

    @pytest.mark.parametrize(
        ("value", "text"),
        [(12, "12"), (1200.0, "1200"), (9.80, "9.8"), (0.1 + 0.2, "0.3"), (None, "0"), (-0.0, "0"), (1e-7, "0"),
         (1e21, "1000000000000000000000"), ("7.50", "7.5")],
    )  # fmt: skip
    def test_numbers_are_plain(self, value: object, text: str) -> None:
        assert message.decimal_text(value) == text


class TestSignature:
    BODY = b'{"a":1}'

    def test_it_is_what_rfc_2104_says(self) -> None:
        wanted = hmac.new(b"secret", b"1700000000." + self.BODY, hashlib.sha256).hexdigest()
        assert signing.signature("secret", 1700000000, self.BODY) == f"v1={wanted}"

    def test_the_receiver_accepts_it_for_five_minutes(self) -> None:
        headers = signing.signed_headers("secret", 1700000000, self.BODY, "key")
        assert signing.is_genuine("secret", headers, self.BODY, 1700000000 + 300)
        assert not signing.is_genuine("secret", headers, self.BODY, 1700000000 + 301)

    def test_another_body_secret_or_time_is_not_genuine(self) -> None:
        headers = signing.signed_headers("secret", 1700000000, self.BODY, "key")
        assert not signing.is_genuine("secret", headers, self.BODY + b" ", 1700000000)
        assert not signing.is_genuine("other", headers, self.BODY, 1700000000)
        assert not signing.is_genuine("secret", {**headers, signing.TIMESTAMP: "1700000001"}, self.BODY, 1700000000)
        assert not signing.is_genuine("secret", {}, self.BODY, 1700000000)


class TestSchedule:
    @pytest.mark.parametrize(
        ("codes", "outcome"),
        [((200, 201, 202, 204, 409), "received"), ((408, 425, 429, 500, 502, 503, 504), "retry"),
         ((400, 401, 403, 404, 410, 413, 422, 301, 308), "refused")],
    )  # fmt: skip
    def test_what_an_answer_means(self, codes: tuple[int, ...], outcome: str) -> None:
        assert {schedule.outcome_of(code) for code in codes} == {outcome}

    def test_waits_double_up_to_six_hours_and_the_default_attempts_take_about_a_day(self) -> None:
        waits = [schedule.wait_seconds(attempt, "seed") for attempt in range(1, schedule.DEFAULT_ATTEMPTS)]
        full = [min(60 * 2**n, 6 * 3600) for n in range(len(waits))]
        assert all(half / 2 <= wait <= half for wait, half in zip(waits, full, strict=True))
        assert 8 * 3600 < sum(waits) < 26 * 3600

    @given(attempt=st.integers(1, 5000), seed=st.text(max_size=40))
    def test_the_same_seed_waits_the_same_and_never_beyond_the_longest(self, attempt: int, seed: str) -> None:
        wait = schedule.wait_seconds(attempt, seed)
        assert wait == schedule.wait_seconds(attempt, seed)
        assert 30 <= wait <= 6 * 3600

    def test_orders_that_failed_together_come_back_apart(self) -> None:
        waits = {round(schedule.wait_seconds(5, str(seed))) for seed in range(200)}
        assert len(waits) > 100

    def test_what_the_supplier_asks_for_is_the_least_up_to_a_day(self) -> None:
        assert schedule.wait_seconds(1, "seed", 1000) == 1000
        assert schedule.wait_seconds(1, "seed", 1) == schedule.wait_seconds(1, "seed")
        assert schedule.wait_seconds(1, "seed", 1e9) == 24 * 3600

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("120", 120.0), (" 0 ", 0.0), ("Sat, 21 Nov 2026 08:02:00 GMT", 120.0),
         ("Sat, 21 Nov 2026 07:00:00 GMT", 0.0), ("soon", None), ("", None), (None, None), ("-5", None), ("²", None)],
    )  # fmt: skip
    def test_retry_after(self, header: str | None, seconds: float | None) -> None:
        now = datetime(2026, 11, 21, 8, 0, tzinfo=timezone.utc)
        assert schedule.asked_wait_seconds(header, now) == seconds


NOBODY = addresses.Allowed()
PRIVATE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1",
    "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1",
    "2001:0:1:2:3:4:80ff:fffe",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::")


class TestAddress:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_what_is_not_on_the_public_internet_is_refused(self, address: str) -> None:
        assert not addresses.is_public(ipaddress.ip_address(address))
        written = f"[{address}]" if ":" in address else address
        with pytest.raises(BadInput, match="not on the public internet"):
            addresses.target(f"https://{written}/orders", NOBODY)

    @pytest.mark.parametrize("address", PUBLIC)
    def test_what_is_public_is_not(self, address: str) -> None:
        assert addresses.is_public(ipaddress.ip_address(address))

    def test_a_name_with_one_private_address_among_public_ones_is_refused(self) -> None:
        where = addresses.target("https://api.supplier.example/x", NOBODY)
        public, private = (ipaddress.ip_address(each) for each in ("8.8.8.8", "10.0.0.1"))
        assert addresses.checked(where, [public], NOBODY) == public
        with pytest.raises(BadInput, match=r"api\.supplier\.example is 10\.0\.0\.1"):
            addresses.checked(where, [public, private], NOBODY)

    @pytest.mark.parametrize(
        "url", ["https://2130706433/", "https://127.1/", "https://0x7f000001/", "https://017700000001/"]
    )
    def test_other_ways_to_write_an_address_are_resolved_and_checked_then(self, url: str) -> None:
        where = addresses.target(url, NOBODY)
        try:
            found = addresses.resolved(where)
        except OSError:  # some systems' resolvers do not take them for addresses at all
            return
        with pytest.raises(BadInput, match="not on the public internet"):
            addresses.checked(where, found, NOBODY)

    def test_what_is_allowed_by_name_address_or_network_is_not_refused(self) -> None:
        for entry in ("erp.internal", "erp.internal:8443", "10.0.0.0/24"):
            allowed = addresses.allowed_hosts(entry)
            where = addresses.target("https://ERP.internal.:8443/orders", allowed)
            assert addresses.checked(where, [ipaddress.ip_address("10.0.0.9")], allowed)
        assert addresses.target("http://127.0.0.1:8080/", addresses.allowed_hosts("127.0.0.1")).allowed_by_name
        assert addresses.target("https://[fd00::5]/", addresses.allowed_hosts("fd00::/8")).allowed_by_name

    def test_another_port_or_host_than_allowed_is_refused(self) -> None:
        allowed = addresses.allowed_hosts("erp.internal:8443\n10.0.0.0/24, 127.0.0.1:9000")
        private = [ipaddress.ip_address("192.168.0.1")]
        for url in ("https://erp.internal/", "https://other.internal:8443/"):
            with pytest.raises(BadInput):
                addresses.checked(addresses.target(url, allowed), private, allowed)
        with pytest.raises(BadInput):
            addresses.target("https://127.0.0.1:9001/", allowed)
        assert addresses.target("http://127.0.0.1:9000/", allowed).port == 9000

    def test_a_wrapped_address_is_allowed_as_the_one_inside(self) -> None:
        allowed = addresses.allowed_hosts("10.0.0.0/24")
        assert addresses.target("https://[::ffff:10.0.0.9]/", allowed).allowed_by_name is False
        where = addresses.target("https://erp.internal/", allowed)
        assert addresses.checked(where, [ipaddress.ip_address("::ffff:10.0.0.9")], allowed)

    def test_without_encryption_only_where_allowed(self) -> None:
        with pytest.raises(BadInput, match="not https"):
            addresses.target("http://api.supplier.example/", NOBODY)
        inside = addresses.allowed_hosts("10.0.0.0/24")
        where = addresses.target("http://api.supplier.example/", inside)
        with pytest.raises(BadInput, match="not https"):
            addresses.checked(where, [ipaddress.ip_address("8.8.8.8")], inside)

    @pytest.mark.parametrize(
        "url", ["", "supplier.example", "ftp://x.example/", "file:///etc/passwd", "https://", "https://x:99999/",
                "https://x:0/", "https://[::1/", "https://a b.example/", "gopher://127.0.0.1/"],
    )  # fmt: skip
    def test_what_is_no_web_address_is_said(self, url: str) -> None:
        with pytest.raises(BadInput, match="is no web address"):
            addresses.target(url, NOBODY)

    def test_a_login_in_the_address_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(BadInput, match="user name or password") as refused:
            addresses.target("https://me:hunter2@api.supplier.example/", NOBODY)
        assert "hunter2" not in str(refused.value)

    @pytest.mark.parametrize("entry", ["*", "*.internal", "http://x", "a/b", "10.0.0.0/99", "x:port", "me@host"])
    def test_what_cannot_be_allowed_is_named(self, entry: str) -> None:
        with pytest.raises(BadInput, match="is neither a host"):
            addresses.allowed_hosts(f"good.internal\n{entry}")

    def test_a_name_with_an_umlaut_is_looked_up_as_it_is_registered(self) -> None:
        where = addresses.target("https://Bücher.example/Bestellung?für=uns", addresses.allowed_hosts("bücher.example"))
        assert (where.host, where.host_header, where.allowed_by_name) == (*["xn--bcher-kva.example"] * 2, True)

    def test_a_token_in_the_query_is_sent_but_not_shown(self) -> None:
        where = addresses.target("https://api.supplier.example:8443/orders?token=abc", NOBODY)
        assert where.path == "/orders?token=abc"
        assert where.shown == "https://api.supplier.example:8443/orders"
        assert where.host_header == "api.supplier.example:8443"


class TestDocumentation:
    """What docs/dispatch.md shows to a supplier is what it gets."""

    PAGE = (Path(__file__).parents[2] / "docs" / "dispatch.md").read_text(encoding="utf-8")

    def block(self, language: str) -> str:
        found = re.search(rf"```{language}\n(.*?)```", self.PAGE, re.S)
        assert found
        return found[1]

    def test_its_python_tells_genuine_from_not(self) -> None:
        names: dict[str, Any] = {}
        exec(self.block("python"), names)
        body = '{"ä": 1}'.encode()
        headers = signing.signed_headers("secret", int(time.time()), body, "key")
        assert names["is_genuine"]("secret", headers, body)
        assert not names["is_genuine"]("secret", headers, body + b" ")
        assert not names["is_genuine"]("secret", signing.signed_headers("secret", 1, body, "key"), body)

    def test_its_example_has_the_fields_of_a_message(self) -> None:
        shown = json.loads(self.block("json"))
        sent = json.loads(message.payload(message.order_content(ORDER), message.ORDER, 1, "k"))
        assert shown.keys() == sent.keys()
        assert shown["order"].keys() == sent["order"].keys()
        assert shown["order"]["lines"][0].keys() == sent["order"]["lines"][0].keys()
        assert (shown["schema"], shown["event"]) == (sent["schema"], sent["event"])
