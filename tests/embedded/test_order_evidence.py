"""The evidence of orders on the embedded site, and the command that computes it again."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from embedded_shop import EmbeddedShop

from erp_forecast_addon import commands
from erp_forecast_addon.tests.evidence_scenarios import EvidenceScenarios


class TestEvidence(EvidenceScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop

    def test_the_command_prints_each_step_and_says_equal(self) -> None:
        self.shop.item("Boxed", purchase_uom="Box", uoms=[{"uom": "Box", "conversion_factor": 12}])
        self.shop.stocked_item("Boxed", on_hand=20, purchase_uom="Box")
        self.shop.run()
        (order,) = self.shop.orders()
        told = call(self.shop.path, "evidence", order["name"])
        assert told.exit_code == 0, told.output
        for words in ("Position", "= Net position", "Demand over the next", "= Order-up-to level", "= To order",
                      "at 1 Box = 12 Nos", "Ordered from Fast Supplies", "Rule: ", "EQUAL: computed again",
                      "Rounded up to whole units of 1 Box = 12 Nos",
                      "1 of 1 line computed again to the same number."):  # fmt: skip
            assert words in told.output, told.output
        assert call(self.shop.path, "evidence", order["purchase_order"], "--item", "Boxed").exit_code == 0

    def test_the_command_says_what_differs(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        (order,) = self.shop.orders()
        (line,) = order["items"]
        changed = json.dumps({**json.loads(line["evidence"]), "stock_qty": 1.0})
        self.shop.site.set_fields("Auto Purchase Order Item", line["name"], {"evidence": changed})
        self.shop.site.commit()
        told = call(self.shop.path, "evidence", order["name"])
        assert told.exit_code == commands.BROKEN
        assert "DIFFERS: the plan had 1" in told.output
        assert "0 of 1 line computed again to the same number." in told.output

    def test_the_command_refuses_what_is_not_there(self) -> None:
        told = call(self.shop.path, "evidence", "Nothing")
        assert told.exit_code == commands.BAD_INPUT
        assert "There is no proposal Nothing" in told.stderr
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        (order,) = self.shop.orders()
        told = call(self.shop.path, "evidence", order["name"], "--item", "Nut")
        assert told.exit_code == commands.BAD_INPUT
        assert f"{order['name']} has no line for Nut." in told.stderr

    def test_a_line_without_evidence_is_said_to_have_none(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        (order,) = self.shop.orders()
        self.shop.site.set_fields("Auto Purchase Order Item", order["items"][0]["name"], {"evidence": None})
        self.shop.site.commit()
        told = call(self.shop.path, "evidence", order["name"])
        assert told.exit_code == commands.BROKEN
        assert "NOT COMPUTED: The line holds no evidence." in told.output
        empty = json.dumps({"on_hand_qty": 1.0})
        self.shop.site.set_fields("Auto Purchase Order Item", order["items"][0]["name"], {"evidence": empty})
        self.shop.site.commit()
        assert "is missing." in call(self.shop.path, "evidence", order["name"]).output


def call(db: Path, *words: str) -> Result:
    return CliRunner().invoke(commands.embedded, ["--db", str(db), *words])
