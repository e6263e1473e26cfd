"""Who is asked: the default supplier, or the cheapest of those that may be asked."""

import pandas as pd
from replenishment_case import item, source

from erp_forecast_addon.planning.purchasing.suppliers import (
    blocked_items,
    choose_suppliers,
    rate_sourcing,
)
from erp_forecast_addon.planning.tables import ITEMS, SOURCING


def rated(*rows: dict, stock_uom: str = "Nos") -> pd.DataFrame:
    items = ITEMS.check(pd.DataFrame([item("A", stock_uom=stock_uom), item("B", stock_uom=stock_uom)]))
    return rate_sourcing(SOURCING.check(pd.DataFrame(list(rows))), items, "EUR")


def other(supplier: str, **values: object) -> dict:
    return source(supplier=supplier, is_default=False, **values)


def test_the_default_supplier_is_taken_though_another_is_cheaper() -> None:
    chosen = choose_suppliers(rated(source(rate=10.0), other("Cheap", rate=1.0)))
    assert chosen.loc["A", "supplier"] == "Best"
    assert chosen.loc["A", "replaces"] == ""


def test_a_blocked_default_is_replaced_by_the_cheapest_in_company_currency_per_stock_unit() -> None:
    chosen = choose_suppliers(
        rated(
            source(blocked_reason="on hold until May"),
            other("Dollar", rate=9.0, currency="USD", exchange_rate=0.9),
            other("Euro", rate=9.0),
            other("Box", rate=90.0, uom="Box", conversion_factor=12.0),
            other("Unpriced", rate=float("nan")),
        )
    )
    row = chosen.loc["A"]
    assert (row["supplier"], row["base_rate"]) == ("Box", 7.5)
    assert (row["replaces"], row["replaces_reason"]) == ("Best", "on hold until May")


def test_a_default_without_a_price_stays_the_choice() -> None:
    chosen = choose_suppliers(rated(source(rate=float("nan")), other("Priced", rate=1.0)))
    assert chosen.loc["A", "supplier"] == "Best"
    assert not chosen.loc["A", "price_known"]


def test_without_a_default_a_priced_supplier_comes_before_an_unpriced_one() -> None:
    chosen = choose_suppliers(rated(other("Aa", rate=float("nan")), other("Zz", rate=50.0)))
    assert chosen.loc["A", "supplier"] == "Zz"


def test_equal_prices_are_decided_by_name() -> None:
    assert choose_suppliers(rated(other("Zz"), other("Aa"))).loc["A", "supplier"] == "Aa"


def test_items_whose_suppliers_are_all_blocked_have_no_choice_but_a_reason() -> None:
    rows = rated(source(blocked_reason="disabled"), other("Aa", blocked_reason="frozen"), source("B"))
    chosen = choose_suppliers(rows)
    assert chosen.index.tolist() == ["B"]
    assert blocked_items(rows, chosen).loc["A"].tolist() == ["Best", "disabled"]


def test_a_missing_factor_stays_missing_and_the_stock_uom_is_one() -> None:
    rows = rated(
        source(supplier="A1", uom="Box"),
        source(supplier="A2", uom=""),
        source(supplier="A3", uom="Nos"),
        source(supplier="A4", uom="Box", conversion_factor=0.0),
        source(supplier="A5", uom="Box", conversion_factor=6.0),
    )
    assert rows["factor_known"].tolist() == [False, True, True, False, True]
    assert rows["conversion_factor"].fillna(-1.0).tolist() == [-1.0, 1.0, 1.0, -1.0, 6.0]
    assert rows.loc[1, "uom"] == "Nos"


def test_a_foreign_currency_without_a_rate_has_no_comparable_price() -> None:
    rows = rated(source(currency="USD"), other("Own", currency=""))
    assert rows["exchange_known"].tolist() == [False, True]
    assert rows["base_rate"].isna().tolist() == [True, False]
    assert rows["price_known"].all()
