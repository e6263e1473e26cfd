"""What every pair needs once those who ask it have said what they need.

Pairs are looked at level by level of the network (purchasing.network): at each level what is missing becomes planned
orders, and these the demand of the next. Twice, where warehouses help each other out: first to know what each has too
much of when everybody who asks it is served, then with the transfers that come of it. A pair that gives is planned with
what it gave from then on; one planned before it gave stays so: it gave what it needs in no window of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.purchasing.explosion import asked_of, planned_receipts, released
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY
from erp_forecast_addon.planning.purchasing.need import due_now, net_position, order_need
from erp_forecast_addon.planning.purchasing.network import Edges, depths
from erp_forecast_addon.planning.purchasing.position import DatedFlows, Netting, Outlook, project, projected_stock
from erp_forecast_addon.planning.purchasing.transfers import Moves, can_spare, excess, match, rounded_up

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Shelves:
    """(n,) pairs, stock units. forecast: (n, days) that levels are made of; counted: (n, days) of it that is netted
    with firm demand; trigger_qty, order_up_to_qty, reorder_point_qty, due_days, by_position: of their levels;
    falls_qty: what the position falls by until an order can leave, may_order: an order may be drafted now;
    arrival_day: on which an order of now arrives; window_days: that it has to cover; step_qty: orders come in
    multiples of it (0: any quantity); whole: in whole pieces only.
    """

    on_hand: Floats
    reserved: Floats
    forecast: Floats
    counted: Floats
    flows: DatedFlows
    trigger_qty: Floats
    order_up_to_qty: Floats
    reorder_point_qty: Floats
    due_days: Floats
    falls_qty: Floats
    may_order: Flags
    by_position: Flags
    arrival_day: Ints
    window_days: Ints
    step_qty: Floats
    whole: Flags

    def select(self, rows: Ints) -> "Shelves":
        flows = self.flows
        chosen = DatedFlows(*(getattr(flows, f.name)[rows] for f in fields(flows)))
        own = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "flows"}
        return Shelves(flows=chosen, **own)

    @property
    def days(self) -> int:
        return self.forecast.shape[1]

    def __len__(self) -> int:
        return len(self.on_hand)


@dataclass(frozen=True)
class Look:
    """(n,) each. due: an order has to be drafted now; below_day: the first day on which stock is too low, -1 for none;
    need_qty: what is missing, 0 where nothing is due."""

    sight: Outlook
    position_qty: Floats
    due: Flags
    below_day: Ints
    need_qty: Floats


def look_at(shelves: Shelves, netting: Netting) -> Look:
    """Where each pair stands, and whether it needs an order now."""
    sight = project(
        shelves.on_hand,
        shelves.forecast,
        shelves.flows,
        shelves.trigger_qty,
        shelves.arrival_day,
        shelves.window_days,
        shelves.counted,
        netting,
    )
    position = net_position(shelves.on_hand, sight.supply_qty, sight.draft_qty, sight.above_forecast_qty)
    laid_out = due_now(sight.below_safety_day, shelves.arrival_day, shelves.due_days)
    short = position - shelves.falls_qty < shelves.reorder_point_qty - SMALLEST_QTY
    due = np.where(shelves.by_position, short, laid_out) & shelves.may_order
    last = shelves.arrival_day + shelves.due_days.astype(np.int64)
    seen = (sight.below_safety_day >= 0) & (~shelves.by_position | (sight.below_safety_day <= last))
    below = np.where(shelves.by_position & due & ~seen, last, sight.below_safety_day)
    need = np.where(due, order_need(shelves.order_up_to_qty, position), 0.0)
    return Look(sight, position, due, below, need)


@dataclass(frozen=True)
class Lending:
    """Who helps whom out. group: (n,) code of item and planning group, -1 for none; may_take, may_give: (n,);
    move_days: until a transfer is there; pays: (giver rows, taker rows, qty) -> which moves cost less than buying.
    """

    group: Ints
    may_take: Flags
    may_give: Flags
    move_days: int
    pays: Callable[[Ints, Ints, Floats], Flags]


@dataclass(frozen=True)
class Requirements:
    """shelves: the pairs with all that is asked of them; supplied, exploded: (n, days) planned needs of who is supplied
    and of what is made, as demand of the pairs they ask; moves: transfers between warehouses of a group; asked_at: what
    was missing before them; look: how each pair stands with all that; plain: the same without the moves; spare_qty:
    (n,) what a supplying pair can give; excess_qty: (n,) what a pair of a group has too much of; supplied_any: (n,)
    pairs that supply others.
    """

    shelves: Shelves
    supplied: Floats
    exploded: Floats
    moves: Moves
    asked_at: "Asked"
    look: Look
    plain: Look
    spare_qty: Floats
    excess_qty: Floats
    supplied_any: Flags


@dataclass(frozen=True)
class Asked:
    """(n,) what each pair lacked before it was helped out."""

    below_day: Ints
    need_qty: Floats
    position_qty: Floats


def requirements(
    shelves: Shelves,
    edges: Edges,
    in_production: Floats | None,
    netting: Netting,
    on_top_of_forecast: bool,
    lending: Lending | None,
) -> Requirements:
    """Plan all levels. in_production: (n, days) what is asked to be made already, on the days on which it is there;
    on_top_of_forecast: exploded demand is not part of the forecast of its components.
    """
    plan = _Levels(shelves, edges, in_production, netting, on_top_of_forecast)
    supplied, exploded, asked, moves = plan.walk(None, 0)
    too_much = np.zeros(len(shelves))
    if lending is not None:
        too_much = plan.too_much(lending, supplied, exploded)
        if too_much.any():
            supplied, exploded, asked, moves = plan.walk(plan.borrower(lending, too_much), lending.move_days)
    plain = plan.with_demand(supplied, exploded)
    moved = plain if lending is None else _with_moves(plain, moves, lending.move_days, asked.below_day)
    look = look_at(moved, netting)
    return Requirements(
        moved,
        supplied,
        exploded,
        moves,
        asked,
        look,
        _without_moves(look, plain, moves, netting),
        _spare(moved, supplied, plan.supplies, netting),
        too_much,
        plan.supplies,
    )


def _without_moves(look: Look, plain: Shelves, moves: Moves, netting: Netting) -> Look:
    """How pairs stand before the moves: only those that give or take stand otherwise."""
    rows = np.union1d(moves.giver, moves.taker)
    if not len(rows):
        return look
    before = look_at(plain.select(rows), netting)
    sight = Outlook(*(_replaced(getattr(look.sight, f.name), rows, getattr(before.sight, f.name))
                      for f in fields(Outlook)))  # fmt: skip
    return Look(sight, *(_replaced(getattr(look, f.name), rows, getattr(before, f.name)) for f in fields(Look)[1:]))


def _replaced(values: NDArray[Any], rows: Ints, new: NDArray[Any]) -> NDArray[Any]:
    out = values.copy()
    out[rows] = new
    return out


def _spare(shelves: Shelves, supplied: Floats, supplies: Flags, netting: Netting) -> Floats:
    """(n,) what each pair can give to who is supplied by it: what its own demand leaves over."""
    rows = np.flatnonzero(supplies)
    spare = np.zeros(len(shelves))
    if not len(rows):
        return spare
    own = shelves.select(rows)
    flows = replace(own.flows, on_top=own.flows.on_top - supplied[rows])
    spare[rows] = _can_spare(replace(own, flows=flows), look_at(replace(own, flows=flows), netting), netting)
    return spare


def _can_spare(own: Shelves, look: Look, netting: Netting) -> Floats:
    stock = projected_stock(own.on_hand, own.counted, own.flows, netting)
    asked_inside = look.sight.firm_qty + look.sight.on_top_qty
    later = np.maximum(own.reserved - asked_inside, 0.0)
    return can_spare(stock, own.trigger_qty, own.window_days, own.on_hand, own.reserved, later, own.whole)


class _Levels:
    """One company's levels; `walk` plans them all, the pairs that nobody asks first."""

    def __init__(
        self, shelves: Shelves, edges: Edges, in_production: Floats | None, netting: Netting, on_top: bool
    ) -> None:
        self.shelves, self.edges, self.netting, self.on_top = shelves, edges, netting, on_top
        self.n = len(shelves)
        self.depth, _circular = depths(edges.asking, edges.asked, self.n)
        self.asks = np.bincount(edges.asking, minlength=self.n) > 0
        self.asked_for = np.bincount(edges.asked, minlength=self.n) > 0
        self.supplies = np.bincount(edges.asked[~edges.is_bom], minlength=self.n) > 0
        self.begun = self._begun(in_production)

    def _begun(self, in_production: Floats | None) -> Floats | None:
        """Components of what is asked to be made already."""
        parts = self.edges.select(self.edges.is_bom)
        if in_production is None or not len(parts.asking):
            return None
        made = released(in_production, self.shelves.arrival_day)
        return asked_of(made, parts.asking, parts.asked, parts.qty_per, self.n)

    def with_demand(self, supplied: Floats, exploded: Floats) -> Shelves:
        """The pairs with what others ask of them. Their own levels know nothing of it, so the course of the stock
        decides when they order, not the position against a reorder point."""
        if not self.asked_for.any():
            return self.shelves
        flows = self.shelves.flows
        firm, on_top = flows.firm, flows.on_top + supplied
        if self.on_top:
            on_top = on_top + exploded
        else:
            firm = firm + exploded
        own = self.shelves.by_position & ~self.asked_for
        return replace(self.shelves, flows=replace(flows, firm=firm, on_top=on_top), by_position=own)

    def walk(
        self, borrow: "Callable[[Ints, Look], Moves] | None", move_days: int
    ) -> tuple[Floats, Floats, Asked, Moves]:
        """-> supplied, exploded, what each pair lacked, and the moves that `borrow` found for it."""
        supplied, exploded, moves = self._nothing(), self._nothing(), Moves.none()
        if self.begun is not None:
            exploded = exploded + self.begun
        asked = Asked(*(np.zeros(self.n, t) for t in (np.int64, float, float)))
        if not len(self.edges.asking) and borrow is None:
            return supplied, exploded, asked, moves
        # A loop over the levels of the network: each is one pass over all its pairs.
        for level in range(int(self.depth.max(initial=0)) + 1):
            rows = np.flatnonzero((self.depth == level) & (self.asks | (borrow is not None)))
            if not len(rows):
                continue
            shelves = _with_moves(self.with_demand(supplied, exploded), moves, move_days, asked.below_day)
            part = shelves.select(rows)
            look = look_at(part, self.netting)
            if borrow is not None:
                asked.below_day[rows], asked.need_qty[rows] = look.below_day, look.need_qty
                asked.position_qty[rows] = look.position_qty
                new = borrow(rows, look)
                if len(new.qty):  # what is still missing is passed on
                    moves = moves.and_also(new)
                    part = _with_moves(shelves, new, move_days, asked.below_day).select(rows)
                    look = look_at(part, self.netting)
            self._pass_on(rows, part, look, supplied, exploded)
        return supplied, exploded, asked, moves

    def _nothing(self) -> Floats:
        return np.zeros((self.n, self.shelves.days if len(self.edges.asking) else 0))

    def _pass_on(self, rows: Ints, part: Shelves, look: Look, supplied: Floats, exploded: Floats) -> None:
        """Add what these rows ask for to the demand of whom they ask."""
        at = np.full(self.n, -1)
        at[rows] = np.arange(len(rows))
        edges = self.edges.select(at[self.edges.asking] >= 0)
        if not len(edges.asking):
            return
        stock = projected_stock(part.on_hand, part.counted, part.flows, self.netting)
        first_day = np.where(look.due & (look.need_qty > 0.0), look.below_day, -1)
        receipts = planned_receipts(stock, part.trigger_qty, first_day, look.need_qty, part.step_qty)
        asked = released(receipts, part.arrival_day)
        for demand, chosen in ((supplied, ~edges.is_bom), (exploded, edges.is_bom)):
            each = edges.select(chosen)
            np.add.at(demand, each.asked, asked[at[each.asking]] * each.qty_per[:, None])

    def too_much(self, lending: Lending, supplied: Floats, exploded: Floats) -> Floats:
        """(n,) what each pair of a group has too much of when everything is served that is asked of it."""
        shelves = self.with_demand(supplied, exploded)
        look = look_at(shelves, self.netting)
        spare = excess(
            _can_spare(shelves, look, self.netting), look.position_qty, shelves.order_up_to_qty, shelves.whole
        )
        return np.where(lending.may_give & (lending.group >= 0) & (look.need_qty <= 0.0), spare, 0.0)

    def borrower(self, lending: Lending, too_much: Floats) -> "Callable[[Ints, Look], Moves]":
        """A function that covers the needs of some rows from what others have too much of, which only becomes less."""
        spare = too_much.copy()

        def borrow(rows: Ints, look: Look) -> Moves:
            in_time = lending.move_days <= np.maximum(look.below_day, self.shelves.arrival_day[rows])
            wants = look.due & lending.may_take[rows] & in_time
            need = np.where(wants, rounded_up(look.need_qty, self.shelves.whole[rows]), 0.0)
            urgent = np.argsort(np.where(look.below_day < 0, self.shelves.days, look.below_day), kind="stable")
            richest = np.argsort(-spare, kind="stable")
            found = match(lending.group[rows[urgent]], need[urgent], lending.group[richest], spare[richest])
            moves = Moves(richest[found.giver], rows[urgent[found.taker]], found.qty)
            moves = moves.select(lending.pays(moves.giver, moves.taker, moves.qty))
            spare[:] = spare - moves.given(self.n)
            return moves

        return borrow


def _with_moves(shelves: Shelves, moves: Moves, move_days: int, need_day: Ints) -> Shelves:
    """The pairs with these transfers under way: drafts of ours where they arrive, demand of today where they leave."""
    if not len(moves.qty):
        return shelves
    n, days = shelves.forecast.shape
    arrives = np.minimum(np.maximum(need_day[moves.taker], move_days), days - 1)
    comes = np.bincount(moves.taker * days + arrives, moves.qty, minlength=n * days).reshape(n, days)
    goes = np.zeros((n, days))
    goes[:, 0] = moves.given(n)
    flows = shelves.flows
    return replace(
        shelves,
        flows=replace(
            flows,
            drafts=flows.drafts + comes,
            all_drafts=flows.all_drafts + moves.taken(n),
            on_top=flows.on_top + goes,
        ),
    )
