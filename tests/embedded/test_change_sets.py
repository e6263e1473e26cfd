"""Change sets on the embedded site."""

import re
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result
from embedded_shop import EmbeddedShop

from erp_forecast_addon import commands
from erp_forecast_addon.planning.errors import Busy
from erp_forecast_addon.services import change_set_work, change_sets
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.tests.change_set_scenarios import ApplyingScenarios, ChangeSetScenarios, ProposingScenarios

# A process of its own that works on a set, an item a piece, and is killed by the system with the second one written but
# not committed.
KILLED = """
import os, signal
from erp_forecast_addon.services import change_set_work
from erp_forecast_addon.site.embedded import EmbeddedSite

class MortalSite(EmbeddedSite):
    pieces = 0

    def show_progress(self, *args):
        super().show_progress(*args)
        self.pieces += 1
        if self.pieces == 2:
            os.kill(os.getpid(), signal.SIGKILL)

change_set_work.ITEMS_PER_PIECE = 1
change_set_work.work(MortalSite({path!r}), {name!r})
"""


class TestProposing(ProposingScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop
        self.prepare()


class TestApplying(ApplyingScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop
        self.prepare()

    def test_a_process_that_is_killed_in_the_middle_of_a_piece_leaves_whole_pieces(self) -> None:
        name = self.proposed()
        change_sets.approve(self.shop.site, name)
        self.shop.site.commit()
        code = KILLED.format(path=str(self.shop.path), name=name)
        died = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert [self.levels(item_code) for item_code in ("Bolt", "Gear", "Nut")] == [(13, 18), None, (5, 5)]
        assert self.statuses(name) == {"Bolt": "Applied", "Gear": "Proposed", "Nut": "Proposed"}
        assert (self.record(name)["status"], self.record(name)["applied"]) == ("Applying", 1)
        outcome = change_set_work.work(self.shop.site, name)
        assert (outcome.status, outcome.done) == ("Applied", 2)
        assert [self.levels(item_code) for item_code in ("Bolt", "Gear", "Nut")] == [(13, 18), (7, 2), (4, 5)]

    def test_a_second_worker_is_told_to_wait(self) -> None:
        name = self.proposed()
        change_sets.approve(self.shop.site, name)
        self.shop.site.commit()
        with (
            EmbeddedSite(self.shop.path, now=self.shop.site.now()) as other,
            other.lock(change_set_work.lock_name(self.shop.company)),
            pytest.raises(Busy, match="are being written already"),
        ):
            change_set_work.work(self.shop.site, name)
        assert change_set_work.work(self.shop.site, name).done == 3


class TestCommands(ChangeSetScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop
        self.prepare()

    def call(self, *words: str) -> Result:
        return CliRunner().invoke(commands.embedded, ["--db", str(self.shop.path), "changes", *words])

    def test_a_set_is_shown_reviewed_approved_and_rolled_back(self) -> None:
        assert "No change sets" in self.call("list").output
        name = self.proposed()
        assert re.search(rf"{name}\s+Shop Ltd\s+Proposed\s+.*\s3\s+32.00 EUR", self.call("list").output)
        shown = self.call("show", name).output
        bolt = re.search(r"Bolt  Stores - S  10/20 -> 13/18  8.00 EUR  Proposed  \[(\w+)\]\n\s+Why Bolt\.", shown)
        assert bolt, shown
        assert "no row -> 7/2" in shown
        assert "1 changes" in self.call("exclude", bolt[1], "--reason", "Later").output
        approved = self.call("approve", name)
        assert f"{name} is applied: 2 values of 2 items." in approved.output
        assert "100%  2 of 2 items applied" in approved.stderr
        assert (self.levels("Bolt"), self.levels("Gear")) == ((10, 20), (7, 2))
        self.person_sets("Nut", (9, 9))
        assert "1 values of 1 items" not in self.call("show", name).output
        rolled_back = self.call("roll-back", name)
        assert "is rolled back: 1 values of 2 items, 1 had changed meanwhile and were left." in rolled_back.output
        assert (self.levels("Nut"), self.levels("Gear")) == ((9, 9), None)

    def test_what_is_refused_is_one_sentence(self) -> None:
        name = self.proposed()
        for words in (("approve", "nothing"), ("roll-back", name), ("reject", name, "--reason", " "), ("show", "no")):
            refused = self.call(*words)
            assert refused.exit_code == commands.BAD_INPUT, words
            assert refused.stderr.strip().endswith("."), words
        assert self.call("reject", name, "--reason", "Stock take").exit_code == 0
        assert self.record(name)["rejection_reason"] == "Stock take"
