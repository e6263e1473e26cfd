"""Who has to approve an order: nobody, one approver or two, and why, as a manager's thresholds say.

A threshold looks at the order's amount, at how far it is from what is usual, at how well its items are forecast and at
the exceptions that are open for it. Nothing here stops an order; it says how many people have to look at it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import Column, Table

Level = Literal["Automatic", "One Approver", "Two Approvers"]
LEVELS: Final[tuple[Level, ...]] = ("Automatic", "One Approver", "Two Approvers")
# Fewer former orders say nothing of what is usual.
FEWEST_FORMER_ORDERS: Final = 3
# A forecast of which less money than this was ever judged is as good as unknown.
_LEAST_JUDGED_SHARE: Final = 0.5

UNDER_LIMIT = _(
    "{amount} {currency} is no more than {limit} {currency} and no threshold is reached: it may approve itself."
)
ONE = _("One approver decides.")
TWO_ABOVE = _("{amount} {currency} is above {limit} {currency}: two approvers decide.")
ABOVE_LIMIT = _("{amount} {currency} is above the {limit} {currency} that may approve themselves.")
EDITED = _("A person has edited the draft.")
DOUBT = _("The plan has something to say about {name}.")
ORDER_CHANGED = _("The order is {percent}% {direction} than usual: {amount} {currency}, where the last {count} orders "
                  "from {supplier} were about {usual}.")  # fmt: skip
ITEM_CHANGED = _(
    "{item_code} is {percent}% {direction} than usual: {qty}, where its last {count} orders were about {usual}."
)
BADLY_FORECAST = _("The demand of its items was forecast with an error of {percent}%, more than {limit}%.")
BADLY_COVERED = _("Only {percent}% of what came lay inside the 80% interval of its forecasts, less than {limit}%.")
NOT_JUDGED = _("For {percent}% of its money no forecast has been judged yet.")
EXCEPTION = _("An exception is open: {kind} ({name}).")
SECOND_ASKED = _("So two approvers decide.")


@dataclass(frozen=True)
class ApprovalRules:
    """What a company's manager has said. Amounts in company currency, shares as fractions; 0 or empty: not asked.

    automatic_limit: orders up to it may approve themselves; second_above: orders above it need two approvers;
    change_share: further than this from the usual; error_share: WAPE one week ahead above this; coverage_share: less
    than this inside the 80% interval; kinds: exceptions; threshold_level: the least level once a threshold is reached.
    """

    automatic_limit: float = 0.0
    second_above: float = 0.0
    change_share: float = 0.0
    error_share: float = 0.0
    coverage_share: float = 0.0
    kinds: tuple[str, ...] = ()
    threshold_level: Level = "One Approver"

    @property
    def confidence(self) -> bool:
        return self.error_share > 0.0 or self.coverage_share > 0.0


# One row per order that waits for a decision.
WAITING = Table(
    "Orders to approve",
    {
        "name": Column("text"),
        "supplier": Column("text"),
        "base_amount": Column("number"),  # company currency
        "edited": Column("flag", default=False),
        "doubt": Column("text", default=""),  # an item or supplier that the plan complains about; "": none
    },
    key=("name",),
)
WAITING_LINES = Table(
    "Lines of orders to approve",
    {
        "name": Column("text"),  # of the order
        "item_code": Column("text"),
        "warehouse": Column("text", default=""),
        "stock_qty": Column("number"),
        "base_amount": Column("number", default=0.0),
    },
)
FORMER_ORDERS = Table("Former orders", {"supplier": Column("text"), "base_amount": Column("number")})
FORMER_LINES = Table("Former order lines", {"item_code": Column("text"), "stock_qty": Column("number")})
JUDGED_PAIRS = Table(
    "Judged forecasts",
    {
        "item_code": Column("text"),
        "warehouse": Column("text"),
        "wape": Column("number", nullable=True),  # share
        "coverage": Column("number", nullable=True),  # share inside the 80% interval
    },
)
OPEN_CASES = Table(
    "Open exceptions",
    {
        "kind": Column("text"),
        "item_code": Column("text", default=""),
        "warehouse": Column("text", default=""),
        "supplier": Column("text", default=""),
    },
)


@dataclass(frozen=True)
class Evidence:
    """What an order is held against. Tables FORMER_ORDERS, FORMER_LINES, JUDGED_PAIRS and OPEN_CASES; an empty one says
    nothing."""

    orders: pd.DataFrame = field(default_factory=FORMER_ORDERS.empty)
    lines: pd.DataFrame = field(default_factory=FORMER_LINES.empty)
    judged: pd.DataFrame = field(default_factory=JUDGED_PAIRS.empty)
    cases: pd.DataFrame = field(default_factory=OPEN_CASES.empty)


@dataclass(frozen=True)
class Verdict:
    """level of one order and its sentences, each a template with values, in the order in which they are read."""

    level: Level
    sentences: tuple[tuple[str, Mapping[str, Any]], ...]

    def text(self, translate: Callable[[str], str] = str) -> str:
        return " ".join(translate(template).format(**values) for template, values in self.sentences)


def judge_orders(
    orders: pd.DataFrame, lines: pd.DataFrame, evidence: Evidence, rules: ApprovalRules, currency: str
) -> dict[str, Verdict]:
    """name -> verdict of every order. orders: table WAITING; lines: table WAITING_LINES."""
    waiting, of = WAITING.check(orders), WAITING_LINES.check(lines)
    facts = waiting.set_index("name", drop=False)
    facts = facts.join(_order_change(waiting, evidence.orders)).join(_item_change(of, evidence.lines))
    facts = facts.join(_confidence(of, evidence.judged)).join(_cases(waiting, of, evidence.cases, rules.kinds))
    # One verdict per order that waits, some hundreds at most; each has sentences of its own.
    return {row["name"]: _verdict(row, rules, currency) for row in facts.to_dict("records")}


# ---- facts, a row per order ------------------------------------
def _order_change(waiting: pd.DataFrame, former: pd.DataFrame) -> pd.DataFrame:
    """usual_amount, usual_orders, order_change: against the median of the supplier's former orders."""
    usual = _usual(FORMER_ORDERS.check(former), "supplier", "base_amount")
    found = usual.reindex(waiting["supplier"].to_numpy(dtype=object))
    amounts = waiting["base_amount"].to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "usual_amount": found["usual"].to_numpy(),
            "usual_orders": found["count"].to_numpy(),
            "order_change": _change(amounts, found["usual"].to_numpy(dtype=float)),
        },
        index=pd.Index(waiting["name"], name="name"),
    )


def _item_change(lines: pd.DataFrame, former: pd.DataFrame) -> pd.DataFrame:
    """The line that is furthest from its item's usual quantity: item, item_qty, usual_qty, item_orders, item_change."""
    usual = _usual(FORMER_LINES.check(former), "item_code", "stock_qty")
    per_item = lines.groupby(["name", "item_code"], as_index=False)["stock_qty"].sum()
    found = usual.reindex(per_item["item_code"].to_numpy(dtype=object))
    per_item["usual_qty"] = found["usual"].to_numpy()
    per_item["item_orders"] = found["count"].to_numpy()
    per_item["item_change"] = _change(per_item["stock_qty"].to_numpy(dtype=float), found["usual"].to_numpy(dtype=float))
    known = per_item[per_item["item_change"].notna()]
    known = known.assign(distance=known["item_change"].abs()).sort_values(
        ["name", "distance", "item_code"], ascending=[True, False, True], kind="stable"
    )
    worst = known.drop_duplicates("name").set_index("name")
    return worst[["item_code", "stock_qty", "usual_qty", "item_orders", "item_change"]]


def _usual(former: pd.DataFrame, key: str, value: str) -> pd.DataFrame:
    """Median and number per key, of keys with enough former orders. Index: key; columns usual, count."""
    grouped = former[former[value] > 0.0].groupby(key)[value].agg(["median", "size"])
    usual = grouped[grouped["size"] >= FEWEST_FORMER_ORDERS].rename(columns={"median": "usual", "size": "count"})
    return usual.astype({"usual": float})


def _change(now: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """now / usual - 1; NaN where nothing is usual."""
    share = np.full(len(now), np.nan)
    np.divide(now, usual, out=share, where=usual > 0.0)
    return share - 1.0


def _confidence(lines: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """wape, coverage: averages weighted with the money of the lines; judged_share: of that money."""
    known = JUDGED_PAIRS.check(judged).drop_duplicates(["item_code", "warehouse"])
    both = lines.merge(known, on=["item_code", "warehouse"], how="left")
    # A line without a price counts as little as one can, not as nothing.
    both["weight"] = both["base_amount"].clip(lower=0.01)
    both["known"] = both["weight"].where(both["wape"].notna(), 0.0)
    for name in ("wape", "coverage"):
        both[f"{name}_sum"] = both[name] * both["weight"]
        both[f"{name}_weight"] = both["weight"].where(both[name].notna(), 0.0)
    sums = both.groupby("name")[["weight", "known", "wape_sum", "wape_weight", "coverage_sum", "coverage_weight"]].sum()
    return pd.DataFrame(
        {
            "judged_share": sums["known"] / sums["weight"],
            "wape": sums["wape_sum"] / sums["wape_weight"].where(sums["wape_weight"] > 0.0),
            "coverage": sums["coverage_sum"] / sums["coverage_weight"].where(sums["coverage_weight"] > 0.0),
        }
    )


def _cases(waiting: pd.DataFrame, lines: pd.DataFrame, cases: pd.DataFrame, kinds: tuple[str, ...]) -> pd.DataFrame:
    """case_kind, case_name: the first open exception of an asked-for kind about an item or the supplier."""
    known = OPEN_CASES.check(cases)
    asked = known[known["kind"].isin(kinds)].reset_index(drop=True)
    of_items = lines[["name", "item_code", "warehouse"]].merge(
        asked[asked["item_code"] != ""].rename(columns={"warehouse": "case_warehouse"}), on="item_code"
    )
    here = (of_items["case_warehouse"] == "") | (of_items["case_warehouse"] == of_items["warehouse"])
    of_items = of_items[here].assign(case_name=of_items["item_code"])
    of_supplier = waiting[["name", "supplier"]].merge(asked[asked["item_code"] == ""], on="supplier")
    of_supplier = of_supplier.assign(case_name=of_supplier["supplier"])
    found = pd.concat([part[["name", "kind", "case_name"]] for part in (of_items, of_supplier)], ignore_index=True)
    found = found.sort_values(["name", "kind", "case_name"], kind="stable").drop_duplicates("name")
    return found.rename(columns={"kind": "case_kind"}).set_index("name")


# ---- the verdict ------------------------------------
def _verdict(row: Mapping[str, Any], rules: ApprovalRules, currency: str) -> Verdict:
    reached = list(_thresholds(row, rules, currency))
    values = {"amount": _money(row["base_amount"]), "currency": currency}
    second = rules.second_above > 0.0 and row["base_amount"] > rules.second_above
    if second:
        above = (TWO_ABOVE, {**values, "limit": _money(rules.second_above)})
        return Verdict("Two Approvers", (above, *reached))
    if reached and rules.threshold_level == "Two Approvers":
        return Verdict("Two Approvers", (*reached, (SECOND_ASKED, {})))
    against = [*reached, *_against_automatic(row, rules, values)]
    if rules.automatic_limit > 0.0 and not against:
        return Verdict("Automatic", ((UNDER_LIMIT, {**values, "limit": _money(rules.automatic_limit)}),))
    return Verdict("One Approver", (*against, (ONE, {})))


def _against_automatic(
    row: Mapping[str, Any], rules: ApprovalRules, values: Mapping[str, Any]
) -> list[tuple[str, Any]]:
    if rules.automatic_limit <= 0.0:
        return []
    found: list[tuple[str, Any]] = []
    if row["base_amount"] > rules.automatic_limit:
        found.append((ABOVE_LIMIT, {**values, "limit": _money(rules.automatic_limit)}))
    if row["edited"]:
        found.append((EDITED, {}))
    if row["doubt"]:
        found.append((DOUBT, {"name": row["doubt"]}))
    return found


def _thresholds(row: Mapping[str, Any], rules: ApprovalRules, currency: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    if rules.change_share > 0.0 and abs(row["order_change"]) > rules.change_share:
        found.append((ORDER_CHANGED, {
            **_moved(row["order_change"], row["usual_orders"]), "amount": _money(row["base_amount"]),
            "usual": _money(row["usual_amount"]), "currency": currency, "supplier": row["supplier"],
        }))  # fmt: skip
    if rules.change_share > 0.0 and abs(row["item_change"]) > rules.change_share:
        found.append((ITEM_CHANGED, {
            **_moved(row["item_change"], row["item_orders"]), "item_code": row["item_code"],
            "qty": _plain(row["stock_qty"]), "usual": _plain(row["usual_qty"]),
        }))  # fmt: skip
    found += _not_confident(row, rules)
    if isinstance(row["case_kind"], str):
        found.append((EXCEPTION, {"kind": row["case_kind"], "name": row["case_name"]}))
    return found


def _not_confident(row: Mapping[str, Any], rules: ApprovalRules) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    judged = row["judged_share"] if row["judged_share"] == row["judged_share"] else 0.0
    if rules.confidence and judged < _LEAST_JUDGED_SHARE:
        found.append((NOT_JUDGED, {"percent": _percent(1.0 - judged)}))
    if rules.error_share > 0.0 and row["wape"] > rules.error_share:
        found.append((BADLY_FORECAST, {"percent": _percent(row["wape"]), "limit": _percent(rules.error_share)}))
    if rules.coverage_share > 0.0 and row["coverage"] < rules.coverage_share:
        found.append((BADLY_COVERED, {"percent": _percent(row["coverage"]), "limit": _percent(rules.coverage_share)}))
    return found


def _moved(change: float, count: float) -> dict[str, Any]:
    return {"percent": _percent(abs(change)), "direction": _("more") if change > 0 else _("less"), "count": int(count)}


def _percent(share: float) -> int | float:
    return _plain(round(share * 100.0, 1))


def _money(amount: float) -> str:
    return f"{amount:,.2f}"


def _plain(qty: float) -> int | float:
    return int(qty) if float(qty).is_integer() else round(float(qty), 3)
