"""Requests for transfer and manufacture on an embedded site."""

import os
from typing import Any

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.tests.request_scenarios import Hands, RequestScenarios


class EmbeddedHands(Hands):
    def house(self, name: str, **values: Any) -> str:
        full = f"{name} - S"
        site = self.shop.site
        if site.get_document("Warehouse", full) is None:
            given = {"name": full, "warehouse_name": name, "company": self.shop.company, **values}
            site.insert_document("Warehouse", given)
        else:
            site.update_document("Warehouse", full, values)
        site.commit()
        return full

    def bom(self, item_code: str, parts: dict[str, float]) -> str:
        name = self.shop.site.insert_document("BOM", {
            "item": item_code, "company": self.shop.company, "quantity": 1, "is_active": 1, "is_default": 1,
            "docstatus": 1, "items": [{"item_code": part, "stock_qty": qty} for part, qty in parts.items()],
        })  # fmt: skip
        self.shop.site.commit()
        return name

    def edit(self, material_request: str, item_code: str, qty: float) -> None:
        items = (self.shop.site.get_document("Material Request", material_request) or {})["items"]
        changed = [{**line, "qty": qty, "stock_qty": qty} if line["item_code"] == item_code else line for line in items]
        self.shop.site.update_document("Material Request", material_request, {"items": changed})
        self.shop.site.commit()

    def delete(self, material_request: str) -> None:
        self.shop.site.delete_document("Material Request", material_request)
        self.shop.site.commit()

    def submit(self, material_request: str) -> None:
        self.shop.site.set_fields("Material Request", material_request, {"docstatus": 1, "status": "Pending"})
        self.shop.site.commit()


class TestRequests(RequestScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop, self.hands = shop, EmbeddedHands(shop)

    def test_a_run_killed_between_two_requests_leaves_whole_ones_and_the_next_makes_the_rest(self) -> None:
        for number in range(4):
            branch = self.hands.house(f"Branch {number}", supplying_warehouse=self.shop.warehouse)
            self.shop.stocked_item(f"Bolt {number}", daily=1.0, on_hand=900.0)
            self.shop.history(f"Bolt {number}", daily=10.0, on_hand=5.0, warehouse=branch)
        with kill_after(self.shop.site, "Material Request", 2), pytest.raises(KeyboardInterrupt):
            self.shop.run()
        self.shop.site.rollback()
        records = self.records()
        assert sorted(record["material_request"] for record in records) == sorted(
            draft["name"] for draft in self.drafts()
        )
        self.shop.run()
        assert len(self.records()) == len(self.drafts()) == 4
        assert len({(record["warehouse"]) for record in self.records()}) == 4

    def test_a_request_that_is_refused_stops_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(2):
            branch = self.hands.house(f"Branch {number}", supplying_warehouse=self.shop.warehouse)
            self.shop.stocked_item(f"Bolt {number}", daily=1.0, on_hand=900.0)
            self.shop.history(f"Bolt {number}", daily=10.0, on_hand=5.0, warehouse=branch)
        insert = EmbeddedSite.insert_document

        def choosy(site: EmbeddedSite, doctype: str, values: dict[str, Any]) -> str:
            if doctype == "Material Request" and values["set_warehouse"] == "Branch 0 - S":
                raise requests_refused()
            return insert(site, doctype, values)

        monkeypatch.setattr(EmbeddedSite, "insert_document", choosy)
        self.shop.run()
        assert [record["warehouse"] for record in self.records()] == ["Branch 1 - S"]
        (case,) = self.shop.cases(exception_type="Order Failed")
        assert "no transfers on a Saturday" in case["message"]


def requests_refused() -> Exception:
    return Refused("no transfers on a Saturday")


class kill_after:
    """The process dies while it inserts the n-th document of a DocType."""

    def __init__(self, site: EmbeddedSite, doctype: str, n: int) -> None:
        self.site, self.doctype, self.left = site, doctype, n

    def __enter__(self) -> None:
        insert = self.site.insert_document

        def counted(doctype: str, values: dict[str, Any]) -> str:
            if doctype == self.doctype:
                self.left -= 1
                if self.left < 0:
                    raise KeyboardInterrupt(os.getpid())
            return insert(doctype, values)

        self.site.insert_document = counted  # type: ignore[method-assign]

    def __exit__(self, *_error: object) -> None:
        del self.site.insert_document  # type: ignore[attr-defined]
