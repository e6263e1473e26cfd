"""The command line on an embedded site, as a user types it."""

import json
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from erp_forecast_addon import commands
from erp_forecast_addon.setup.demo_catalog import COMPANY

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that was made and planned by the commands themselves."""
    path = tmp_path_factory.mktemp("commands") / "demo.sqlite"
    assert call(path, "demo", "create").exit_code == 0
    assert call(path, "run").exit_code == 0
    return path


def call(db: Path, *words: str) -> Result:
    return CliRunner().invoke(commands.embedded, ["--db", str(db), *words])


def refusal(result: Result) -> str:
    """The one sentence of a refused command."""
    assert result.exit_code == commands.BAD_INPUT, result.output
    assert "Traceback" not in result.output
    assert result.stderr.strip()
    return result.stderr


def leaf_commands(group: click.Group, words: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaf_commands(command, f"{words}{name} ")
        else:
            yield f"{words}{name}", command


# ---- what every call of bench pays ----------------------------------------------------------------------------------
def test_importing_the_commands_loads_nothing_heavy() -> None:
    heavy = ("numpy", "pandas", "scipy", "sklearn", "statsmodels", "pyarrow", "frappe", "pypika", "sqlite3")
    code = f"import erp_forecast_addon.commands, sys; print([m for m in {heavy!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_frappe_finds_one_group_called_forecast() -> None:
    assert [command.name for command in commands.commands] == ["forecast"]


def test_both_sites_have_the_same_commands_but_for_the_importers() -> None:
    live, embedded = dict(leaf_commands(commands.forecast)), dict(leaf_commands(commands.embedded))
    assert set(embedded) - set(live) == {"import", "import-online-retail"}
    assert all(embedded[name] is command for name, command in live.items())


# ---- documentation --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "command"), list(leaf_commands(commands.embedded)))
def test_every_command_is_documented_and_has_help(name: str, command: click.Command) -> None:
    assert f"\n## `{name}`\n" in DOCUMENTED
    assert command.help
    for option in (p for p in command.params if isinstance(p, click.Option)):
        assert option.help, option.name
        assert option.opts[0] in section(name), f"{name} {option.opts[0]} is not documented"


def section(name: str) -> str:
    return re.split(r"\n## ", DOCUMENTED.split(f"\n## `{name}`\n")[1])[0]


def test_nothing_is_documented_that_is_not_there() -> None:
    assert set(re.findall(r"\n## `([^`]+)`\n", DOCUMENTED)) == {name for name, _ in leaf_commands(commands.embedded)}


def test_the_documented_first_round_works_as_written(tmp_path: Path) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", DOCUMENTED, re.S)
    lines = [shlex.split(line) for line in block.strip().splitlines()]
    assert len(lines) >= 6
    for words in lines:
        program = str(Path(sys.executable).with_name(words[0]))
        done = subprocess.run([program, *words[1:]], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout.strip(), words
    assert (tmp_path / "report.html").stat().st_size > 100_000


# ---- results --------------------------------------------------------------------------------------------------------
def test_a_run_shows_progress_apart_from_its_summary(tmp_path: Path) -> None:
    db = tmp_path / "demo.sqlite"
    call(db, "demo", "create")
    result = call(db, "run")
    assert "100%" in result.stderr
    assert "%  " not in result.stdout
    for expected in (
        "Forecasts",
        "Stock policies",
        "Drafted orders",
        "Exceptions",
        "Harbour Roasters",
        "USD",
        "order by",
    ):
        assert expected in result.stdout, expected


def test_a_quiet_run_prints_its_name_only(planned: Path) -> None:
    result = call(planned, "run", "--quiet")
    name = result.stdout.strip()
    with sqlite3.connect(planned) as db:
        assert db.execute('SELECT status FROM "tabForecast Run" WHERE name = ?', (name,)).fetchone() == ("Completed",)


def test_status_tells_the_last_run_and_the_waiting_orders(planned: Path) -> None:
    output = call(planned, "status").stdout
    assert COMPANY in output
    assert "Completed" in output
    assert "wait for a decision" in output


def test_show_tells_forecast_levels_and_why(planned: Path) -> None:
    output = call(planned, "show", "FDEMO-ESP-1KG").stdout
    for expected in ("forecast for the next 30 days", "safety stock", "backtests", "learned from receipts"):
        assert expected in output, expected


def test_show_can_be_read_by_programs(planned: Path) -> None:
    view = json.loads(call(planned, "show", "FDEMO-ESP-1KG", "--json", "--warehouse", "Stores - FCSD").stdout)
    assert [pair["warehouse"] for pair in view["pairs"]] == ["Stores - FCSD"]


def test_an_order_can_be_approved_and_another_rejected(tmp_path: Path) -> None:
    db = tmp_path / "demo.sqlite"
    call(db, "demo", "create")
    call(db, "run")
    first, second = (line.split()[0] for line in call(db, "orders").stdout.splitlines()[:2])
    assert "is approved" in call(db, "approve", first).stdout
    assert "is rejected" in call(db, "reject", second, "--reason", "No room").stdout
    with sqlite3.connect(db) as opened:
        states = dict(opened.execute('SELECT name, status FROM "tabAuto Purchase Order"').fetchall())
        submitted = opened.execute(
            'SELECT docstatus FROM "tabPurchase Order" WHERE auto_purchase_order = ?', (first,)
        ).fetchone()
    assert (states[first], states[second], submitted) == ("Approved", "Rejected", (1,))
    assert "Only a proposed order" in refusal(call(db, "approve", first))


def test_the_report_is_written_and_its_path_printed(planned: Path, tmp_path: Path) -> None:
    where = tmp_path / "new folder" / "report.html"
    result = call(planned, "report", "--html", str(where), "--items", "3")
    assert Path(result.stdout.strip()) == where.resolve()
    page = where.read_text(encoding="utf-8")
    assert page.count("<article") == 3
    assert "Harbour Roasters" in page


def test_refresh_says_what_it_did(planned: Path) -> None:
    assert "28 pairs" in call(planned, "refresh", "--full").stdout


# ---- refusals: one sentence, exit code 2, no traceback, nothing changed ---------------------------------------------
def test_a_run_is_refused_while_another_is_under_way(planned: Path) -> None:
    from erp_forecast_addon.services.run import lock_name
    from erp_forecast_addon.site.embedded import EmbeddedSite

    with EmbeddedSite(planned, user="asha@example.com") as other, other.lock(lock_name(COMPANY)) as got:
        assert got
        name = other.insert_document(
            "Forecast Run",
            {
                "company": COMPANY, "status": "Running", "run_by": "asha@example.com",
                "started_at": "2026-11-21 02:00:00",
            },
        )  # fmt: skip
        other.commit()
        sentence = refusal(call(planned, "run"))
    assert name in sentence
    assert "asha@example.com" in sentence
    assert "2026-11-21 02:00:00" in sentence


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "--company", "Nobody"), "There is no company Nobody"),
        (("run", "--as-of", "2099-01-01"), "cannot be planned from"),
        (("run", "--as-of", "yesterday"), "yesterday"),
        (("status", "--company", "Nobody"), "There is no company Nobody"),
        (("show", "NOPE"), "There is no item NOPE"),
        (("approve", "NOPE"), "NOPE"),
        (("reject", "NOPE", "--reason", "x"), "NOPE"),
        (("demo", "create"), "is there already"),
        (("report", "--html", "/proc/no/report.html"), "cannot be written"),
    ],
)
def test_bad_input_gets_a_sentence(planned: Path, words: tuple[str, ...], expected: str) -> None:
    assert expected in refusal(call(planned, *words))


def test_a_file_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    db = tmp_path / "none.sqlite"
    assert "no embedded site" in refusal(call(db, "run"))
    assert not db.exists()


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.sqlite"
    other.write_text("not a database at all, but long enough to be read as one " * 30, encoding="utf-8")
    before = other.read_bytes()
    refusal(call(other, "run"))
    refusal(call(other, "demo", "create"))
    assert other.read_bytes() == before


def test_a_report_before_the_first_run_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "demo.sqlite"
    call(db, "demo", "create")
    assert "has not been planned yet" in refusal(call(db, "report", "--html", str(tmp_path / "r.html")))
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("words", [("import", "nowhere"), ("import-online-retail", "nowhere.parquet")])
def test_a_refused_import_leaves_no_file_behind(tmp_path: Path, words: tuple[str, str]) -> None:
    refusal(call(tmp_path / "new.sqlite", words[0], str(tmp_path / words[1])))
    assert list(tmp_path.iterdir()) == []


def test_a_refused_import_leaves_a_site_as_it_was(planned: Path, tmp_path: Path) -> None:
    (tmp_path / "Item.csv").write_text("item_code,stock_uom\nA,Nos\n", encoding="utf-8")
    before = call(planned, "orders").stdout
    refusal(call(planned, "import", str(tmp_path)))
    assert call(planned, "orders").stdout == before
