"""What man's last year would have cost somebody who knew more than can be known: bounds of what a policy can reach.

Fixed levels (s, S) of each item, tried on a grid, by week: all of man's lead times and reviews are whole weeks, so the
costs are those of the play by day. Four who know more than is known:

- foresight: every week's demand before the play begins; orders that cost least over the whole play (Wagner & Whitin
  1958, with lost sales: Aksen, Altinkemer & Chand 2003), each at least the minimum. What a minimum order has too much
  is taken to lie to the end, which is a little too dear;
- hindsight: for each item the levels that turned out cheapest in the scored weeks themselves;
- next year's demand, not its order: levels of least expected cost on weeks drawn from the scored ones;
- the weeks before the scored ones, from the first day of the play on, 46 weeks too early: on weeks drawn from those.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.replay_world import World
from erp_forecast_addon.planning.simulation import DAYS_PER_YEAR, Limits, Rule, Start, simulate

_WEEK = 7
_STEPS = np.linspace(-1.0, 3.0, 13)
_LOT_FACTORS = (0.5, 1.0, 2.0, 3.5)
_DRAWN_COURSES, _DRAWN_WEEKS = 16, 104
_SEED = 0
_ALWAYS = 1e-6


@dataclass(frozen=True)
class _Trade:
    """(n,) each: lead_weeks; min_order_qty; of a unit: held, a year, and lost; line: of an order line."""

    lead_weeks: np.ndarray
    min_order_qty: np.ndarray
    held: np.ndarray
    lost: np.ndarray
    line: np.ndarray

    def select(self, rows: np.ndarray) -> "_Trade":
        return _Trade(*(part[rows] for part in vars(self).values()))


def bounds(world: World, weeks: np.ndarray, first_week: int, scored_from: int) -> dict[str, np.ndarray]:
    """(n,) cost of the scored weeks by item, for each of the four. weeks: (n, t) of the whole data; first_week: on
    which the play begins; scored_from: the first scored week of the data."""
    trade, played = _trade(world), weeks[:, first_week:]

    def cost(point: np.ndarray, up_to: np.ndarray) -> np.ndarray:
        return _cost(trade, played, point, up_to, world.start.on_hand_qty, scored_from - first_week)

    scored, before = weeks[:, scored_from:], weeks[:, :scored_from]
    best = _cheapest(trade, scored, cost)[2]
    found = {
        "every week's demand, with orders placed for it": _foresight(
            trade, played, world.start.on_hand_qty, scored_from - first_week
        ),
        "the levels that turned out cheapest": best,
    }
    for name, known in (("next year's weeks, not their order", scored), ("all weeks before, 46 of them early", before)):
        found[name] = cost(*_expected(trade, known))
    return found


def _trade(world: World) -> _Trade:
    costs, like = world.costs, np.ones(len(world.typed_lead_time_days))
    return _Trade(
        lead_weeks=np.rint(world.typed_lead_time_days / _WEEK).astype(np.int64),
        min_order_qty=world.limits.min_order_qty,
        held=like * costs.unit_cost * costs.holding_rate_per_year,
        lost=like * costs.shortage_cost,
        line=like * costs.order_cost,
    )


def _expected(trade: _Trade, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels of least expected cost on weeks drawn with replacement from `known`, of all items alike."""
    n, copies, warm = len(known), _DRAWN_COURSES, 3 * int(trade.lead_weeks.max())
    drawn = np.random.default_rng(_SEED).integers(0, known.shape[1], (copies, warm + _DRAWN_WEEKS))
    courses = known[:, drawn].reshape(n * copies, -1)
    rows = np.repeat(np.arange(n), copies)
    many = trade.select(rows)

    def cost(point: np.ndarray, up_to: np.ndarray) -> np.ndarray:
        begins = np.maximum(up_to, 0.0)[rows]
        return _cost(many, courses, point[rows], up_to[rows], begins, warm).reshape(n, copies).mean(axis=1)

    return _cheapest(trade, known, cost)[:2]


def _cheapest(
    trade: _Trade, known: np.ndarray, cost: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reorder point, order-up-to level and cost of the best of the grid; never ordering is one of it."""
    n, mean = len(known), known.mean(axis=1)
    cover = trade.lead_weeks + 1.0
    lot = np.sqrt(2.0 * trade.line * mean * 52.0 / trade.held)
    never = np.full(n, np.nan)
    best = [never, np.zeros(n), cost(never, np.zeros(n))]
    for step in _STEPS:  # a grid of fifty: each is a play of all items
        point = np.maximum(np.round(mean * cover + step * known.std(axis=1) * np.sqrt(cover)), 0.0) - _ALWAYS
        for factor in _LOT_FACTORS:
            up_to = np.maximum(point, 0.0) + np.maximum(np.round(lot * factor), 1.0)
            tried = cost(point, up_to)
            better = tried < best[2]
            best = [np.where(better, new, old) for new, old in zip((point, up_to, tried), best, strict=True)]
    return best[0], best[1], best[2]


def _cost(
    trade: _Trade, weeks: np.ndarray, point: np.ndarray, up_to: np.ndarray, start: np.ndarray, first: int
) -> np.ndarray:
    """(n,) holding, ordering and lost margin from week `first` on."""
    n, t = weeks.shape
    seen = simulate(
        weeks, np.repeat(trade.lead_weeks[:, None], t, axis=1), Rule(point, up_to, np.zeros(n)),
        Start.with_stock(start), limits=Limits(np.ones(n), trade.min_order_qty, np.full(n, np.inf)),
    ).between(first, t)  # fmt: skip
    held = seen.mean_on_hand_qty * trade.held * seen.days * _WEEK / DAYS_PER_YEAR
    return np.asarray(held + seen.order_lines * trade.line + seen.total_short_qty * trade.lost)


def _foresight(trade: _Trade, weeks: np.ndarray, start: np.ndarray, first: int) -> np.ndarray:
    """(n,) cost from week `first` on of the orders that cost least over all weeks (n, t)."""
    n, t = weeks.shape
    from_start = np.diff(np.minimum(np.cumsum(weeks, axis=1), start[:, None]), axis=1, prepend=0.0)
    rest, held = weeks - from_start, trade.held * _WEEK / DAYS_PER_YEAR
    kept = np.arange(t)[None, :] - np.arange(t)[:, None]
    least, until = np.zeros((n, t + 1)), np.zeros((n, t), dtype=np.int64)
    for week in range(t - 1, -1, -1):  # least cost from each week on, with nothing on the shelf
        least[:, week] = least[:, week + 1] + trade.lost * rest[:, week]
        weeks_kept = kept[week, week:]
        worth = held[:, None] * weeks_kept <= trade.lost[:, None]
        served = np.where(worth, rest[:, week:], 0.0)
        each = served * held[:, None] * weeks_kept + (rest[:, week:] - served) * trade.lost[:, None]
        too_much = np.maximum(trade.min_order_qty[:, None] - np.cumsum(served, axis=1), 0.0)
        cost = trade.line[:, None] + np.cumsum(each, axis=1) + too_much * held[:, None] * (t - 1 - week)
        cost = np.where((week >= trade.lead_weeks)[:, None], cost + least[:, week + 1 :], np.inf)
        at = np.argmin(cost, axis=1)
        best = cost[np.arange(n), at]
        until[:, week] = np.where(best < least[:, week], week + 1 + at, 0)
        least[:, week] = np.minimum(best, least[:, week])
    return _paid(trade, weeks, from_start, rest, until, start, first)


def _paid(
    trade: _Trade, weeks: np.ndarray, from_start: np.ndarray, rest: np.ndarray, until: np.ndarray, start: np.ndarray,
    first: int,
) -> np.ndarray:  # fmt: skip
    """The plan carried out. until: (n, t), up to which week an order that comes in this week lasts, 0 for none."""
    n, t = weeks.shape
    rows, held = np.arange(n), trade.held * _WEEK / DAYS_PER_YEAR
    ends, came, stock, cost = np.zeros(n, dtype=np.int64), np.zeros(n), start.copy(), np.zeros(n)
    for week in range(t):  # stock follows from stock
        arrives = (ends <= week) & (until[:, week] > 0)
        ends, came = np.where(arrives, until[:, week], ends), np.where(arrives, week, came)
        if arrives.any():
            ahead = np.arange(week, t)
            wanted = (ahead < ends[:, None]) & (held[:, None] * (ahead - week) <= trade.lost[:, None])
            qty = np.maximum(np.where(wanted, rest[:, week:], 0.0).sum(axis=1), trade.min_order_qty)
            stock += np.where(arrives, qty, 0.0)
            cost += np.where(arrives & (week - trade.lead_weeks >= first), trade.line, 0.0)
        serves = (week < ends) & (held * (week - came) <= trade.lost)
        sold = from_start[:, week] + np.where(serves, rest[:, week], 0.0)
        stock = stock - sold
        if week >= first:
            cost += stock * held + (weeks[rows, week] - sold) * trade.lost
    return cost
