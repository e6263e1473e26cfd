"""The lines of a change set: which levels would change, from what to what, why, and what that does to the cash.

Cash effect: what the average stock ties up more. Under a reorder point s and an order quantity Q the average stock is
s − demand over the lead time + Q/2 (Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains, 4th
ed., section 6.4), so a changed row ties up (Δs + ΔQ/2) × unit cost, and a new one (s − lead-time demand + Q/2) × unit
cost, counted from nothing. Item.safety_stock moves no stock by itself: ERPNext only shows it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import item_levels
from erp_forecast_addon.services.item_levels import LEVEL, PAIR, QTY
from erp_forecast_addon.site import change_queries, reorder_rows
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

LEVEL_KIND, STOCK_KIND = "Reorder Level", "Safety Stock"
KEY = ["kind", "item_code", "warehouse"]
REVIEW = ["review", "review_reason", "reviewed_by", "reviewed_at"]
# What tells one line from another that says the same.
SAID = [*KEY, "status", "old_level", "old_qty", "new_level", "new_qty"]
_DECIMALS = 6
_WAREHOUSES_NAMED = 6

HELD_LEVEL = _(
    "A person changed it from level {written_level}, quantity {written_qty} to level {old_level}, quantity {old_qty} "
    "after we wrote it. It is his: it is written only if you include it."
)
HELD_STOCK = _(
    "A person changed it from {written_level} to {old_level} after we wrote it. It is his: it is written only if you "
    "include it."
)
SUM_OF = _("The sum over the planned warehouses: {parts}.")
PART = _("{qty} in {warehouse}")
AND_MORE = _("{count} more")
OTHER_COMPANIES = _("{qty} in other companies")


def proposed_lines(site: Site, run: str, settings: CompanySettings) -> pd.DataFrame:
    """One row per value that would change by more than the tolerance: KEY, status (Proposed, Excluded or Held), the
    old and new values, is_new_row, cost, cash, reason, review. What a reviewer decided before is taken over."""
    texts = site.fetch(change_queries.policy_texts(site.qb, settings.company, run))
    parts = []
    if settings.write_back_levels:
        parts.append(_level_lines(site, run, settings, texts))
    if settings.write_back_safety_stock:
        parts.append(_stock_lines(site, settings, texts))
    lines = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=KEY)
    if lines.empty:
        return lines
    lines = _with_reviews(site, lines, settings)
    return _with_cash(_with_items(site, lines), _unit_costs(site, settings.company, lines)).assign(
        company=settings.company, currency=settings.plan.currency or None
    )


def as_number(value: float) -> str:
    """A quantity as a person writes it."""
    return f"{value:,.10g}"


# ---- levels and safety stocks --------------------------------------------------------------------------------------
def _level_lines(site: Site, run: str, settings: CompanySettings, texts: pd.DataFrame) -> pd.DataFrame:
    wanted = item_levels.wanted_levels(site, run, settings.company)
    kept = item_levels.kept_levels(site, settings.company)
    rows = item_levels.standing_levels(site, settings.company)
    changed = item_levels.rows_to_change(wanted, rows, kept)
    changed = changed[
        _matters(changed, LEVEL, "level", settings.change_tolerance)
        | _matters(changed, QTY, "qty", settings.change_tolerance)
    ]
    lines = [
        changed.assign(
            is_new_row=0, old_level=changed[LEVEL], old_qty=changed[QTY],
            status=np.where(changed["ours"], "Proposed", "Held"),
        )
    ]  # fmt: skip
    if not settings.draft_orders:  # where we draft, a pair without a row is ours
        added = item_levels.rows_to_add(wanted, item_levels.pairs_of_any_row(site), kept)
        lines.append(added.assign(is_new_row=1, old_level=0.0, old_qty=0.0, status="Proposed"))
    made = pd.concat(lines, ignore_index=True).reindex(
        columns=[*PAIR, "is_new_row", "status", "old_level", "old_qty", "level", "qty", "written_level", "written_qty"]
    )
    made = made.merge(texts[[*PAIR, "abc_class", "explanation", "lead_time_demand_qty"]], on=PAIR, how="left")
    made["kind"], made["note"] = LEVEL_KIND, _held_notes(made, site.translate(HELD_LEVEL))
    return _as_lines(made, made["explanation"])


def _stock_lines(site: Site, settings: CompanySettings, texts: pd.DataFrame) -> pd.DataFrame:
    """Items that this company plans. Another company's planned warehouses count in the sum."""
    items = site.fetch(reorder_rows.items(site.qb))
    items = items[items["item_code"].isin(texts["item_code"])]
    rows = item_levels.stock_to_change(items, item_levels.wanted_stock(site), item_levels.kept_stock(site))
    rows = rows[_matters(rows, "safety_stock", "wanted", settings.change_tolerance)]
    made = pd.DataFrame({
        "kind": STOCK_KIND, "item_code": rows["item_code"].to_numpy(), "warehouse": None, "is_new_row": 0,
        "status": np.where(rows["ours"], "Proposed", "Held"), "old_level": rows["safety_stock"].to_numpy(float),
        "old_qty": 0.0, "level": rows["wanted"].to_numpy(float), "qty": 0.0, "lead_time_demand_qty": 0.0,
        "written_level": rows["written_safety_stock"].to_numpy(float), "written_qty": 0.0,
    })  # fmt: skip
    first = texts.sort_values("abc_class", kind="stable").drop_duplicates("item_code").set_index("item_code")
    made["abc_class"] = made["item_code"].map(first["abc_class"])
    made["note"] = _held_notes(made, site.translate(HELD_STOCK))
    return _as_lines(made, _sums(made, texts, site.translate))


def _matters(rows: pd.DataFrame, old: str, new: str, tolerance: float) -> pd.Series:
    """Whether a value moves by more than this share of what stands; away from 0 it always does."""
    return (rows[new] - rows[old]).abs() > tolerance * rows[old].abs() + 10.0**-_DECIMALS


def _as_lines(made: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    return made.assign(
        new_level=made["level"], new_qty=made["qty"], proposed_level=made["level"], proposed_qty=made["qty"],
        reason=reasons.to_numpy(), review=None, review_reason=None, reviewed_by=None, reviewed_at=pd.NaT,
    )[[
        *KEY, "status", "is_new_row", "old_level", "old_qty", "new_level", "new_qty", "proposed_level", "proposed_qty",
        "abc_class", "lead_time_demand_qty", "reason", "note", *REVIEW,
    ]]  # fmt: skip


def _held_notes(rows: pd.DataFrame, template: str) -> np.ndarray:
    """A loop over the rows that a person changed: each sentence has its own numbers."""
    notes = np.full(len(rows), None, dtype=object)
    for at in np.flatnonzero(rows["status"].to_numpy() == "Held"):
        row = rows.iloc[at]
        fields = ("written_level", "written_qty", "old_level", "old_qty")
        notes[at] = template.format(**{field: as_number(row[field]) for field in fields})
    return notes


def _sums(made: pd.DataFrame, texts: pd.DataFrame, translate: Callable[[str], str]) -> pd.Series:
    """What each item's safety stock is the sum of. A loop over texts: each item's sentence is its own."""
    own = texts[texts["item_code"].isin(made["item_code"])]
    totals = own.groupby("item_code")["safety_stock_qty"].sum()
    part, more = translate(PART), translate(AND_MORE)
    named: dict[str, list[str]] = {}
    for item_code, warehouse, qty in own[["item_code", "warehouse", "safety_stock_qty"]].itertuples(index=False):
        named.setdefault(item_code, []).append(part.format(qty=as_number(round(qty, 3)), warehouse=warehouse))
    elsewhere = (made["level"] - made["item_code"].map(totals).astype(float).fillna(0.0)).round(3)
    sentences = []
    for item_code, rest in zip(made["item_code"], elsewhere, strict=True):
        parts = named.get(item_code, [])
        listed = parts[:_WAREHOUSES_NAMED]
        if len(parts) > len(listed):
            listed.append(more.format(count=len(parts) - len(listed)))
        if abs(rest) > 10.0**-3:
            listed.append(translate(OTHER_COMPANIES).format(qty=as_number(rest)))
        sentences.append(translate(SUM_OF).format(parts="; ".join(listed)))
    return pd.Series(sentences, index=made.index, dtype=object)


# ---- what a reviewer decided ---------------------------------------------------------------------------------------
def _with_reviews(site: Site, lines: pd.DataFrame, settings: CompanySettings) -> pd.DataFrame:
    """The latest review of each value holds for the new line too: excluded stays excluded, an edited value stays.

    An edit that was applied stands on the Item; as long as the plan says about what the reviewer saw, there is nothing
    to propose against it.
    """
    known = site.fetch(change_queries.reviewed(site.qb, settings.company))
    if known.empty:
        return lines
    latest = _keyed(known).drop_duplicates(KEY, keep="last").rename(columns={
        "status": "then_status", "new_level": "then_level", "new_qty": "then_qty",
        "proposed_level": "then_proposed_level", "proposed_qty": "then_proposed_qty",
        **{name: f"then_{name}" for name in REVIEW},
    })  # fmt: skip
    columns = [*KEY, *(name for name in latest if name.startswith("then_"))]
    both = _keyed(lines).merge(latest[columns], on=KEY, how="left")
    edited, waits = both["then_review"] == "Edited", both["then_status"] == "Proposed"
    settled = edited & (both["then_status"] == "Applied") & _as_it_was(both, settings.change_tolerance)
    excluded = (both["then_review"] == "Excluded") & (both["then_status"] == "Excluded")
    carried = edited & waits
    included = (both["then_review"] == "Included") & waits & (both["status"] == "Held")
    reviewed = excluded | carried | included
    both["status"] = both["status"].mask(excluded, "Excluded").mask(carried | included, "Proposed")
    for name in ("level", "qty"):
        both[f"new_{name}"] = both[f"new_{name}"].mask(carried, both[f"then_{name}"])
    for name in REVIEW:
        both[name] = both[f"then_{name}"].where(reviewed, None)
    stands = (both["new_level"] == both["old_level"]) & (both["new_qty"] == both["old_qty"])
    kept = both[~settled & ~(carried & stands)].drop(columns=[name for name in both if name.startswith("then_")])
    kept["warehouse"] = kept["warehouse"].mask(kept["warehouse"] == "", None)
    return kept.reset_index(drop=True)


def _as_it_was(rows: pd.DataFrame, tolerance: float) -> pd.Series:
    """Whether the plan proposes about what it proposed when the reviewer edited it."""
    moved = _matters(rows, "then_proposed_level", "proposed_level", tolerance) | _matters(
        rows, "then_proposed_qty", "proposed_qty", tolerance
    )
    return ~moved


def _keyed(lines: pd.DataFrame) -> pd.DataFrame:
    return lines.assign(warehouse=lines["warehouse"].fillna(""))


# ---- items and money -----------------------------------------------------------------------------------------------
def _with_items(site: Site, lines: pd.DataFrame) -> pd.DataFrame:
    names = site.fetch(change_queries.item_texts(site.qb))
    return lines.merge(names, on="item_code", how="left")


def _unit_costs(site: Site, company: str, lines: pd.DataFrame) -> np.ndarray:
    """Of the warehouse's stock, else of the item's stock in the company, else what the Item says; unknown: 0."""
    bins = site.fetch(change_queries.bin_costs(site.qb, company))
    items = site.fetch(change_queries.item_costs(site.qb)).set_index("item_code")
    of_pair = bins.drop_duplicates(PAIR).set_index(PAIR)["valuation_rate"]
    pairs = pd.MultiIndex.from_frame(_keyed(lines)[PAIR])
    costs = pd.Series(of_pair.reindex(pairs).to_numpy(float))
    codes = lines["item_code"].reset_index(drop=True)
    for rates in (bins.groupby("item_code")["valuation_rate"].mean(), items["valuation_rate"],
                  items["last_purchase_rate"]):  # fmt: skip
        costs = costs.fillna(codes.map(rates[rates > 0]))
    return costs.fillna(0.0).to_numpy(float)


def _with_cash(lines: pd.DataFrame, unit_cost: np.ndarray) -> pd.DataFrame:
    from_level = np.where(
        lines["is_new_row"] == 1, np.minimum(lines["lead_time_demand_qty"].fillna(0.0), lines["new_level"]),
        lines["old_level"],
    )  # fmt: skip
    more = lines["new_level"] - from_level + (lines["new_qty"] - lines["old_qty"]) / 2.0
    cash = np.where(lines["kind"] == LEVEL_KIND, more * unit_cost, 0.0).round(2)
    return lines.drop(columns="lead_time_demand_qty").assign(
        unit_cost=unit_cost, cash_effect=cash, cash_size=np.abs(cash), moves=moves(lines)
    )


def moves(lines: pd.DataFrame) -> np.ndarray:
    """New, Up or Down; by the quantity where the level stays."""
    level, qty = lines["new_level"] - lines["old_level"], lines["new_qty"] - lines["old_qty"]
    up = level.where(level != 0, qty) > 0
    return np.where(lines["is_new_row"] == 1, "New", np.where(up, "Up", "Down"))


def totals(lines: pd.DataFrame) -> dict[str, Any]:
    """What a set says about its lines; lines: kind, status, item_code, old and new values, is_new_row, cash_effect."""
    waiting = lines[lines["status"] == "Proposed"]
    ways = pd.Series(moves(waiting)).value_counts()
    cash = waiting["cash_effect"].to_numpy(float)
    return {
        "changes": len(waiting), "items": int(waiting["item_code"].nunique()),
        "raised": int(ways.get("Up", 0)), "lowered": int(ways.get("Down", 0)), "added": int(ways.get("New", 0)),
        "cash_effect": round(float(cash.sum()), 2), "cash_up": round(float(cash[cash > 0].sum()), 2),
        "cash_down": round(float(-cash[cash < 0].sum()), 2),
        "excluded": int((lines["status"] == "Excluded").sum()), "held": int((lines["status"] == "Held").sum()),
    }  # fmt: skip
