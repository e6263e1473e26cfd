"""site/schema.py against the fields of ERPNext v15 and v16, and our DocTypes against what the code relies on."""

import json
import os
from pathlib import Path

import pytest

from erp_forecast_addon.planning.errors import FAULT_KINDS
from erp_forecast_addon.site import doctypes, schema

_DEFAULT_DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
FIELDS = Path(os.environ.get("FORECAST_DATA", _DEFAULT_DATA)) / "erpnext_fields"
VERSIONS = ("v15", "v16")


@pytest.fixture(params=VERSIONS)
def erpnext(request):
    source = FIELDS / f"{request.param}.json"
    if not source.is_file():
        pytest.skip(f"{source} is absent; set FORECAST_DATA to the folder that holds erpnext_fields/")
    return json.loads(source.read_text(encoding="utf-8"))


def written(typed: str) -> list[str]:
    fieldtype, _slash, target = typed.partition("/")
    return [fieldtype, target] if target else [fieldtype]


@pytest.mark.parametrize("part", ["READ", "WRITE"])
def test_every_field_stands_in_erpnext_with_this_type(erpnext, part):
    wrong = [
        f"{doctype}.{field}: {typed} here, {erpnext[doctype]['fields'].get(field)} there"
        for doctype, fields in getattr(schema, part).items()
        for field, typed in fields.items()
        if erpnext[doctype]["fields"].get(field) != written(typed)
    ]
    assert wrong == []


def test_singles_and_child_tables_are_what_erpnext_has(erpnext):
    assert {name for name in schema.READ if erpnext[name]["issingle"]} == set(schema.SINGLES)
    assert {name for name in schema.READ if erpnext[name]["istable"]} == schema.CHILDREN - schema.READ_ON_SITE.keys()
    for doctype, tables in schema.CHILD_TABLES.items():
        for table_field, child in tables.items():
            assert erpnext[doctype]["fields"][table_field] == ["Table", child]


def test_names_come_from_a_field_that_is_read():
    assert all(field in schema.READ[doctype] for doctype, field in schema.NAMED_BY.items())


def test_what_is_written_and_read_has_one_type():
    for doctype, fields in schema.WRITE.items():
        for field, typed in fields.items():
            assert schema.READ[doctype].get(field, typed) == typed


def test_custom_fields_do_not_collide_with_erpnext(erpnext):
    for doctype, fields in schema.CUSTOM_FIELDS.items():
        assert not fields.keys() & erpnext[doctype]["fields"].keys()


def test_our_doctypes_are_read_from_the_package():
    ours = doctypes.our_doctypes()
    assert {"Forecast Settings", "Demand Forecast", "Safety Stock Policy", "Auto Purchase Order"} <= ours.keys()
    assert ours["Forecast Settings"].is_single
    assert ours["Auto Purchase Order"].children == {"items": "Auto Purchase Order Item"}
    assert ours["Demand Bucket"].counted
    assert ours["Demand Bucket"].columns["day"] == "day"
    assert not any(fieldtype in ours["Auto Purchase Order"].columns for fieldtype in ("summary_section", "items"))


def test_ours_and_erpnexts_names_do_not_collide(erpnext):
    assert not doctypes.our_doctypes().keys() & erpnext.keys()


def test_unique_keys_are_columns():
    for name, columns in doctypes.UNIQUE_KEYS.items():
        assert set(columns) <= doctypes.doctype(name).columns.keys()


def test_an_unknown_doctype_is_named():
    with pytest.raises(KeyError, match="No Such DocType stands neither"):
        doctypes.doctype("No Such DocType")


@pytest.mark.parametrize("name", ["planning_exception", "planning_exception_rule"])
def test_exception_types_are_the_fault_kinds(name):
    folder = Path(doctypes.__file__).resolve().parents[1] / "erp_forecast_addon" / "doctype" / name
    fields = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["fields"]
    options = next(field["options"] for field in fields if field["fieldname"] == "exception_type")
    assert tuple(options.split("\n")) == FAULT_KINDS
