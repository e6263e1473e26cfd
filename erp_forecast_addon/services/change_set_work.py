"""Applying an approved Level Change Set to ERPNext's Items, and rolling it back: in pieces, killed at any point and
taken up again.

A piece is 500 items and one transaction: the items are held, what stands is read fresh, what still is as the line says
is written, and the lines say what became of them. A value that is something else by now is not ours to change: it is
left, the line says from what to what. The state lies in the lines alone, so whoever calls again does the rest.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Busy, PlanningError, Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import change_sets, item_levels
from erp_forecast_addon.services.change_set_lines import LEVEL_KIND, as_number
from erp_forecast_addon.services.exceptions import publish_one, resolve_one
from erp_forecast_addon.services.item_levels import LEVEL, PAIR, QTY
from erp_forecast_addon.site import change_queries, reads, reorder_rows
from erp_forecast_addon.site.change_queries import LINE, SET
from erp_forecast_addon.site.port import Site

ITEMS_PER_PIECE = 500

BUSY = _("The levels of {company} are being written already. Wait until that has ended.")
APPLYING = _("{done} of {all} items applied")
ROLLING_BACK = _("{done} of {all} items rolled back")
CHANGED = _("Changed by a person from {before} to {found}; left as it is.")
CHANGED_BY_US = _("Another change set or run wrote {found} in place of {before}; left as it is.")
ROW_GONE = _("The reorder row ({before}) was deleted or made a row of another kind; left as it is.")
ROW_THERE = _("A person made a reorder row for this warehouse meanwhile ({found}); left as it is.")
FROM_TEMPLATE = _(
    "The item lives from its template's reorder rows by now; a row of its own would cut it off from them."
)
ITEM_GONE = _("The item does not exist any more.")
LEVEL_AND_QTY = _("level {level}, quantity {qty}")
ANOTHER_ROW = _("a row of another kind")


@dataclass(frozen=True)
class Outcome:
    """done, left: values written and left alone by this call; items: distinct items; seconds: of the pieces."""

    status: str
    done: int
    left: int
    items: int
    seconds: float


@dataclass
class _Direction:
    """What differs between applying and rolling back; the names of fields of Level Change Set and states of lines."""

    action: str
    from_status: str  # of the lines to work on
    done: str
    left: str
    count_done: str
    count_left: str
    seconds: str
    items: str
    per_1000: str
    ended_at: str
    progress: str
    work: Callable[["_Work", pd.DataFrame], pd.DataFrame] = field(repr=False)


def work(site: Site, name: str) -> Outcome:
    """Do what the set's state asks for: apply it (Approved, Applying) or roll it back (Rolling Back). Commits.

    Raises Busy while the company's levels are being written elsewhere, Refused in any other state or where the company
    is ordered for by us by now. Whatever else breaks stands in the record and as a Planning Exception; what was done
    stays done, and the next call goes on.
    """
    site.commit()
    company = str(change_sets.record_of(site, name)["company"])
    with site.lock(lock_name(company)) as got:
        site.commit()  # only a fresh snapshot shows what the lock's last holder has written
        if not got:
            raise Busy(site.translate(BUSY).format(company=company))
        record = change_sets.record_of(site, name)
        direction = ROLL_BACK if record["status"] == "Rolling Back" else APPLY
        record["status"] = _begin(site, record, direction)
        try:
            return _Work(site, record, direction).carry_out()
        except Exception as error:
            _note_error(site, record, error)
            raise


def lock_name(company: str) -> str:
    return f"level changes {company}"


def _begin(site: Site, record: Mapping[str, Any], direction: _Direction) -> str:
    status = change_sets.next_status(site, direction.action, record)
    if direction is APPLY and reads.company_settings(site, record["company"]).we_order:
        raise Refused(site.translate(change_sets.WE_ORDER).format(company=record["company"]))
    if status != record["status"] or record.get("error"):
        site.update_document(SET, record["name"], {"status": status, "error": None})
    site.commit()
    return status


def _note_error(site: Site, record: Mapping[str, Any], error: Exception) -> None:
    """A sentence for what is refused, the traceback for what nobody expected; seen by the manager and on the record."""
    site.rollback()
    text = str(error) if isinstance(error, PlanningError) else traceback.format_exc()
    site.set_fields(SET, record["name"], {"error": text})
    settings = reads.company_settings(site, record["company"])
    publish_one(site, record["company"], settings, change_sets.stopped_fault(site, {**record, "error": text}))
    site.commit()


class _Work:
    """One pass over the lines that are left to do."""

    def __init__(self, site: Site, record: dict[str, Any], direction: _Direction) -> None:
        self.site, self.record, self.direction = site, record, direction
        self.name, self.company = str(record["name"]), str(record["company"])

    def carry_out(self) -> Outcome:
        site, way = self.site, self.direction
        lines = site.fetch(change_queries.lines(site.qb, self.name, [way.from_status]))
        counts = self._counts()
        items, seconds = int(self.record[way.items] or 0), float(self.record[way.seconds] or 0.0)
        all_items, began, start_items = items + lines["item_code"].nunique(), perf_counter(), items
        reorder_rows.forget_restored(site, self.company, item_levels.LEVEL_KINDS)
        site.commit()
        done = left = 0
        for piece in reorder_rows.pieces(lines, ITEMS_PER_PIECE):
            site.execute(change_queries.hold_items(site.qb, sorted(set(piece["item_code"]))))
            outcome = way.work(self, piece)
            site.upsert_rows(LINE, outcome, ["name"])
            done += int((outcome["status"] == way.done).sum())
            left += int((outcome["status"] == way.left).sum())
            items += piece["item_code"].nunique()
            self._keep(counts, done, left, items, seconds + perf_counter() - began)
            step = site.translate(way.progress).format(done=f"{items:,}", all=f"{all_items:,}")
            site.show_progress(SET, self.name, round(100.0 * items / all_items, 1), step)
            site.commit()
        spent = perf_counter() - began
        self._keep(counts, done, left, items, seconds + spent)
        status = self._end()
        return Outcome(status, done, left, items - start_items, round(spent, 3))

    def _counts(self) -> dict[str, int]:
        found = self.site.fetch(change_queries.counts(self.site.qb, self.name))
        return dict(zip(found["status"], found["lines"].astype(int), strict=True))

    def _keep(self, counts: Mapping[str, int], done: int, left: int, items: int, seconds: float) -> None:
        """In the transaction of the piece, so that the record says what the lines say."""
        way = self.direction
        values = {
            way.count_done: counts.get(way.done, 0) + done, way.count_left: counts.get(way.left, 0) + left,
            way.items: items, way.seconds: round(seconds, 3),
            way.per_1000: round(1000.0 * seconds / items, 3) if items else 0.0,
        }  # fmt: skip
        if way is ROLL_BACK:
            values["applied"] = counts.get("Applied", 0) - done - left
        self.site.set_fields(SET, self.name, values)

    def _end(self) -> str:
        """A document's save, so that Notifications on the state work."""
        site, way = self.site, self.direction
        record = change_sets.record_of(site, self.name)
        in_part = way is APPLY and record[way.count_left]
        status = change_sets.next_status(site, "finish in part" if in_part else "finish", record)
        site.update_document(SET, self.name, {
            "status": status, "progress_pct": 100, "current_step": "", "error": None, way.ended_at: site.now(),
        })  # fmt: skip
        resolve_one(site, self.company, "Levels Not Written")
        site.commit()
        return status

    # ---- applying -----------------------------------------------------------------------------------
    def apply_piece(self, lines: pd.DataFrame) -> pd.DataFrame:
        codes = sorted(set(lines["item_code"]))
        of_levels = lines["kind"] == LEVEL_KIND
        items = self.site.fetch(change_queries.items(self.site.qb, codes))
        outcomes = []
        if of_levels.any():
            outcomes.append(self._apply_levels(lines[of_levels], items, codes))
        if not of_levels.all():
            outcomes.append(self._apply_stock(lines[~of_levels], items, codes))
        outcome = pd.concat(outcomes, ignore_index=True)
        self.site.touch_documents("Item", _items_of(lines, outcome, "Applied"))
        return outcome

    def _apply_levels(self, lines: pd.DataFrame, items: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
        site = self.site
        found = self._with_standing(lines, codes).merge(items[["item_code", "variant_of"]], on="item_code", how="left")
        gone = ~found["item_code"].isin(items["item_code"])
        templates = [name for name in items["variant_of"].dropna().unique() if name]
        present = item_levels.pairs_of_any_row(site, [*codes, *templates])
        is_new, stands = found["is_new_row"] == 1, found["row"].notna()
        taken = pd.MultiIndex.from_frame(found[PAIR]).isin(pd.MultiIndex.from_frame(present[PAIR]))
        inherits = item_levels.lives_from_template(found, present)
        as_was = ~is_new & stands & item_levels.same(found, (LEVEL, QTY), ("old_level", "old_qty"))
        may_add = is_new & ~taken & ~inherits & ~gone
        values = {"new_level": "level", "new_qty": "qty"}
        item_levels.overwrite(
            site, self._taken_over(found[as_was]).rename(columns={"row": "name", **values}), self.company
        )
        item_levels.add(site, found[may_add].rename(columns=values), self.company, present)
        item_levels.mark_policies(site, self._policies(found[as_was | may_add], codes), True)
        by_us = stands & item_levels.same(found, (LEVEL, QTY), ("written_level", "written_qty"))
        notes = _first_true({
            ITEM_GONE: gone, FROM_TEMPLATE: is_new & inherits & ~taken, ROW_THERE: is_new & taken,
            ROW_GONE: ~is_new & ~stands, CHANGED_BY_US: by_us,
        }, CHANGED)  # fmt: skip
        return self._outcome(found, as_was | may_add, notes, "old", _level_texts)

    def _taken_over(self, rows: pd.DataFrame) -> pd.DataFrame:
        """A value that a person changed after we wrote it and that a reviewer included: the person's value is what is
        to be given back from now on."""
        his = rows["backup"].notna() & ~item_levels.same(rows, (LEVEL, QTY), ("written_level", "written_qty"))
        self.site.delete_rows(reorder_rows.BACKUP, rows.loc[his, "backup"].tolist())
        return rows.assign(backup=rows["backup"].mask(his, None))

    def _apply_stock(self, lines: pd.DataFrame, items: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
        site = self.site
        found = _without_line_names(lines).merge(items, on="item_code", how="left")
        found = found.merge(item_levels.kept_stock(site, codes), on="item_code", how="left")
        as_was = item_levels.same(found, ("safety_stock",), ("old_level",))
        write = found[as_was].rename(columns={"new_level": "wanted"})
        his = write["backup"].notna() & ~item_levels.same(write, ("safety_stock",), ("written_safety_stock",))
        site.delete_rows(reorder_rows.BACKUP, write.loc[his, "backup"].tolist())
        item_levels.write_stock(site, write.assign(backup=write["backup"].mask(his, None)), self.company)
        gone = found["safety_stock"].isna()
        by_us = item_levels.same(found, ("safety_stock",), ("written_safety_stock",))
        notes = _first_true({ITEM_GONE: gone, CHANGED_BY_US: by_us}, CHANGED)
        return self._outcome(found, as_was, notes, "old", _stock_texts)

    # ---- rolling back -----------------------------------------------------------------------------------
    def roll_back_piece(self, lines: pd.DataFrame) -> pd.DataFrame:
        codes = sorted(set(lines["item_code"]))
        of_levels = lines["kind"] == LEVEL_KIND
        outcomes = []
        if of_levels.any():
            outcomes.append(self._roll_back_levels(lines[of_levels], codes))
        if not of_levels.all():
            outcomes.append(self._roll_back_stock(lines[~of_levels], codes))
        outcome = pd.concat(outcomes, ignore_index=True)
        self.site.touch_documents("Item", _items_of(lines, outcome, "Rolled Back"))
        return outcome

    def _roll_back_levels(self, lines: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
        site = self.site
        found = self._with_standing(lines, codes)
        stands, is_new = found["row"].notna(), found["is_new_row"] == 1
        as_written = stands & item_levels.same(found, (LEVEL, QTY), ("new_level", "new_qty"))
        added, back = found[as_written & is_new], found[as_written & ~is_new]
        site.delete_rows(reorder_rows.ROW, added["row"].tolist())
        values = back[["row", "old_level", "old_qty"]].set_axis(["name", LEVEL, QTY], axis=1)
        reorder_rows.update_rows(site, reorder_rows.ROW, values, [LEVEL, QTY])
        self._give_up_backups(found[as_written], is_new, ("old_level", "old_qty"), ("former_level", "former_qty"))
        item_levels.mark_policies(site, self._policies(found[as_written], codes), False)
        by_us = stands & item_levels.same(found, (LEVEL, QTY), ("written_level", "written_qty"))
        notes = _first_true({ROW_GONE: ~stands, CHANGED_BY_US: by_us}, CHANGED)
        return self._outcome(found, as_written, notes, "new", _level_texts)

    def _roll_back_stock(self, lines: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
        site = self.site
        items = site.fetch(change_queries.items(site.qb, codes))
        found = _without_line_names(lines).merge(items, on="item_code", how="left")
        found = found.merge(item_levels.kept_stock(site, codes), on="item_code", how="left")
        as_written = item_levels.same(found, ("safety_stock",), ("new_level",))
        back = found[as_written]
        values = back[["item_code", "old_level"]].set_axis(["name", "safety_stock"], axis=1)
        reorder_rows.update_rows(site, "Item", values, ["safety_stock"])
        never = pd.Series(False, index=found.index)
        self._give_up_backups(back, never, ("old_level",), ("former_safety_stock",))
        by_us = item_levels.same(found, ("safety_stock",), ("written_safety_stock",))
        notes = _first_true({ITEM_GONE: found["safety_stock"].isna(), CHANGED_BY_US: by_us}, CHANGED)
        return self._outcome(found, as_written, notes, "new", _stock_texts)

    def _give_up_backups(
        self, rows: pd.DataFrame, is_new: pd.Series, old: Sequence[str], former: Sequence[str]
    ) -> None:
        """What we keep of a value that stands as we found it first is of no more use; else what we wrote last is now
        what stood before this set."""
        rows = rows[rows["backup"].notna()]
        first = is_new[rows.index] | item_levels.same(rows, old, former)
        reorder_rows.mark_restored(self.site, rows.loc[first, "backup"].tolist())
        again = rows[~first]
        fields = {column.partition("_")[2]: name for column, name in zip(former, old, strict=True)}
        written = pd.DataFrame({"name": again["backup"], "written": reorder_rows.as_json(again, fields)})
        self.site.upsert_rows(reorder_rows.BACKUP, written, ["name"])

    # ---- both -----------------------------------------------------------------------------------
    def _with_standing(self, lines: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
        """Lines with the row that stands for them now (row, LEVEL, QTY) and with what we keep of it."""
        rows = item_levels.standing_levels(self.site, self.company, codes).rename(columns={"name": "row"})
        kept = item_levels.kept_levels(self.site, self.company, codes).drop(columns=["company"])
        found = _without_line_names(lines).merge(rows[["row", *PAIR, LEVEL, QTY]], on=PAIR, how="left")
        return found.merge(kept, on=PAIR, how="left")

    def _policies(self, lines: pd.DataFrame, codes: list[str]) -> list[str]:
        names = self.site.fetch(change_queries.policy_names(self.site.qb, self.company, codes))
        return lines[PAIR].merge(names, on=PAIR)["name"].tolist()

    def _outcome(
        self, found: pd.DataFrame, done: pd.Series, notes: np.ndarray, side: str,
        texts: Callable[["_Work", pd.DataFrame, str], tuple[list[str], list[str]]],
    ) -> pd.DataFrame:  # fmt: skip
        """name, status, note, found_level, found_qty of every line. side: old or new, what was expected to stand."""
        way, is_done = self.direction, done.to_numpy()
        left = np.flatnonzero(~is_done)
        before, now = texts(self, found.iloc[left], side)
        sentences = np.full(len(found), None, dtype=object)
        # A loop over what was left: each sentence has its own values.
        for at, expected, standing in zip(left, before, now, strict=True):
            sentences[at] = self.site.translate(notes[at]).format(before=expected, found=standing)
        level, qty = (LEVEL, QTY) if LEVEL in found else ("safety_stock", None)
        return pd.DataFrame({
            "name": found["line"].to_numpy(), "status": np.where(is_done, way.done, way.left), "note": sentences,
            "found_level": found[level].fillna(0.0).to_numpy(float),
            "found_qty": found[qty].fillna(0.0).to_numpy(float) if qty else 0.0,
        })  # fmt: skip

    def level_text(self, level: float, qty: float) -> str:
        if pd.isna(level):
            return self.site.translate(ANOTHER_ROW)
        return self.site.translate(LEVEL_AND_QTY).format(level=as_number(level), qty=as_number(qty))


def _level_texts(of: _Work, rows: pd.DataFrame, side: str) -> tuple[list[str], list[str]]:
    """What was expected and what was found, in words."""
    expected = zip(rows[f"{side}_level"], rows[f"{side}_qty"], strict=True)
    found = zip(rows[LEVEL], rows[QTY], strict=True)
    return [of.level_text(*values) for values in expected], [of.level_text(*values) for values in found]


def _stock_texts(of: _Work, rows: pd.DataFrame, side: str) -> tuple[list[str], list[str]]:
    found = rows["safety_stock"].fillna(0.0)
    return [as_number(value) for value in rows[f"{side}_level"]], [as_number(value) for value in found]


def _without_line_names(lines: pd.DataFrame) -> pd.DataFrame:
    """name and kind belong to what stands and what is kept; a line's own name is `line` from here on."""
    return lines.rename(columns={"name": "line"}).drop(columns=["kind", "status"]).reset_index(drop=True)


def _first_true(cases: Mapping[str, pd.Series], otherwise: str) -> np.ndarray:
    """Row by row the first sentence whose condition holds."""
    conditions = [condition.to_numpy(bool) for condition in cases.values()]
    chosen: np.ndarray = np.select(conditions, [np.array(text, dtype=object) for text in cases], otherwise)
    return chosen


def _items_of(lines: pd.DataFrame, outcome: pd.DataFrame, status: str) -> list[str]:
    written = outcome.loc[outcome["status"] == status, "name"]
    return sorted(set(lines.loc[lines["name"].isin(written), "item_code"]))


APPLY = _Direction(
    "apply", "Proposed", "Applied", "Left", "applied", "left_alone", "apply_seconds", "items_applied",
    "apply_seconds_per_1000", "applied_at", APPLYING, _Work.apply_piece,
)  # fmt: skip
ROLL_BACK = _Direction(
    "roll back", "Applied", "Rolled Back", "Kept", "rolled_back", "kept", "roll_back_seconds", "items_rolled_back",
    "roll_back_seconds_per_1000", "rolled_back_at", ROLLING_BACK, _Work.roll_back_piece,
)  # fmt: skip
