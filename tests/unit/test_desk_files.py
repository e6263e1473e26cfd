"""What the desk loads hangs together: client scripts, the workspace and what it names. Read as files, no Frappe."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).parents[2] / "erp_forecast_addon"
MODULE = APP / "erp_forecast_addon"
SCRIPTS = sorted([*(APP / "public" / "js").glob("*.js"), *MODULE.glob("*/*/*.js")])
INCLUDE = re.compile(r"""{% include\s['"](.*)['"]\s%}""")


def records(kind: str) -> dict[str, dict[str, Any]]:
    """The exported records of one kind, by name."""
    found = [json.loads(path.read_text()) for path in sorted((MODULE / kind).glob("*/*.json"))]
    return {record["name"]: record for record in found}


def functions(dotted: str) -> str:
    """Source of the module of a dotted method."""
    module = dotted.rsplit(".", 1)[0].removeprefix("erp_forecast_addon.")
    return (APP / Path(*module.split("."))).with_suffix(".py").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_includes_and_calls_exists(script: Path) -> None:
    source = script.read_text()
    for included in INCLUDE.findall(source):
        assert (APP.parent / included).is_file(), included
    for method in re.findall(r'"(erp_forecast_addon(?:\.\w+)+\.\w+)"', source):
        name = method.rsplit(".", 1)[1]
        assert re.search(rf"@frappe\.whitelist\(.*\)\ndef {name}\(", functions(method)), method


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_what_it_includes(script: Path) -> None:
    """Every erp_forecast_addon.NAME is defined in the script or in one that it, or whoever includes it, includes."""
    together = _with_includes(script)
    if not INCLUDE.search(script.read_text()) and script.parent.name == "js":
        together = "".join(_with_includes(each) for each in SCRIPTS if f"js/{script.name}" in each.read_text())
    for name in set(re.findall(r"\berp_forecast_addon\.([A-Za-z_]\w*)", _without_strings(script.read_text()))):
        assert re.search(rf"erp_forecast_addon\.{name} =", together), f"{script.name}: {name}"


def _with_includes(script: Path) -> str:
    source = script.read_text()
    return source + "".join((APP.parent / included).read_text() for included in INCLUDE.findall(source))


def _without_strings(source: str) -> str:
    return re.sub(r'"[^"\n]*"|`erp_forecast_addon[^`]*`', '""', source)


def test_every_shared_script_is_used() -> None:
    routes = (APP / "hooks.py").read_text()
    everything = "".join(path.read_text() for path in SCRIPTS)
    for script in (APP / "public" / "js").glob("*.js"):
        path = f"public/js/{script.name}"
        assert path in routes or f"erp_forecast_addon/{path}" in everything, f"{script.name} is loaded by nobody"


def test_the_workspace_shows_what_there_is() -> None:
    workspace = records("workspace")["Forecasting"]
    blocks = json.loads(workspace["content"])
    shown = {(block["type"], block["data"].get(f"{block['type']}_name")) for block in blocks}
    for kind, listed in (
        ("number_card", {row["number_card_name"] for row in workspace["number_cards"]}),
        ("chart", {row["chart_name"] for row in workspace["charts"]}),
        ("shortcut", {row["label"] for row in workspace["shortcuts"]}),
        ("card", {row["label"] for row in workspace["links"] if row["type"] == "Card Break"}),
    ):
        assert {name for what, name in shown if what == kind} == listed, kind
    assert {row["number_card_name"] for row in workspace["number_cards"]} == set(records("number_card"))
    assert {row["chart_name"] for row in workspace["charts"]} == set(records("dashboard_chart"))


def test_links_lead_to_our_doctypes_and_reports() -> None:
    workspace = records("workspace")["Forecasting"]
    for row in [*workspace["links"], *workspace["shortcuts"]]:
        kind = row.get("link_type") or row["type"]
        if kind in ("DocType", "Report"):
            assert row["link_to"] in records(kind.lower()), row["link_to"]


def test_cards_and_charts_count_fields_that_exist() -> None:
    doctypes = records("doctype")
    for card in records("number_card").values():
        fields = {field["fieldname"] for field in doctypes[card["document_type"]]["fields"]} | {"company"}
        if card["type"] == "Custom":
            assert f"def {card['method'].rsplit('.', 1)[1]}(" in functions(card["method"])
            continue
        assert {condition[1] for condition in json.loads(card["filters_json"])} <= fields, card["name"]
    for chart in records("dashboard_chart").values():
        source = chart.get("report_name") or chart["source"]
        assert source in records("report" if chart["chart_type"] == "Report" else "dashboard_chart_source")


def test_no_chart_is_cached_for_all_users() -> None:
    """Frappe caches Count, Sum, Average and Group By charts, and cache_source, without regard to who looks."""
    assert {chart["chart_type"] for chart in records("dashboard_chart").values()} <= {"Report", "Custom"}
    for path in MODULE.glob("dashboard_chart_source/*/*.py"):
        assert "cache_source" not in path.read_text()


def test_reports_read_fields_that_exist() -> None:
    doctypes = records("doctype")
    for name, report in records("report").items():
        folder = MODULE / "report" / name.lower().replace(" ", "_")
        source = (folder / f"{folder.name}.py").read_text()
        wanted = re.findall(r'"(\w+)"', re.search(r"(?:FIELDS|_SHOWN) = \((.*?)\)", source, re.S)[1])
        own = doctypes[report["ref_doctype"]]["fields"]
        tables = [doctypes[field["options"]]["fields"] for field in own if field["fieldtype"] == "Table"]
        fields = {field["fieldname"] for part in (own, *tables) for field in part} | {"name"}
        assert set(wanted) <= fields, name
