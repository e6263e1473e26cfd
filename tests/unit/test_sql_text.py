"""Rows as the text of a multi-row INSERT: every value arrives as it was, and no statement grows without bound."""

import ast

import pytest

from erp_forecast_addon.site import sql_text


def quoted(text: str) -> str:
    return repr(text)


def read_back(statements: list[str]) -> list[tuple]:
    """The statements as Python reads them: tuples of literals."""
    return [row for text in statements for row in ast.literal_eval(f"[{text.replace('NULL', 'None')}]")]


def test_every_value_arrives_as_it_was() -> None:
    rows = [("it's; --", 1, 0.1, None), ("it's; --", -2, 1e-9, "x"), ("100%s", 3, 12345678.123456789, "y,(z)")]
    assert read_back(list(sql_text.value_lists(rows, quoted))) == rows


def test_no_rows_make_no_statement() -> None:
    assert list(sql_text.value_lists([], quoted)) == []


@pytest.mark.parametrize(("rows_at_most", "bytes_at_most"), [(3, 10**6), (100, 60)])
def test_statements_are_bounded_and_lose_no_row(
    monkeypatch: pytest.MonkeyPatch, rows_at_most: int, bytes_at_most: int
) -> None:
    monkeypatch.setattr(sql_text, "ROWS_PER_STATEMENT", rows_at_most)
    monkeypatch.setattr(sql_text, "BYTES_PER_STATEMENT", bytes_at_most)
    rows = [(number, "abc") for number in range(10)]
    statements = list(sql_text.value_lists(rows, quoted))
    assert read_back(statements) == rows
    assert len(statements) > 1
    longest_row = 2 * len("(9,'abc'),")
    assert all(2 * len(text) <= bytes_at_most + 2 * longest_row for text in statements)


def test_a_row_longer_than_a_statement_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_text, "BYTES_PER_STATEMENT", 50)
    rows = [(1, "a" * 200), (2, "b"), (3, "c")]
    assert read_back(list(sql_text.value_lists(rows, quoted))) == rows
