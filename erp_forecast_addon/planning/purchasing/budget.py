"""The week's budget and the week's payments: lines ranked by the margin they protect per money spent, and the cut.

Money goes where it protects most: lines stand in the order of margin protected over amount, until the next no longer
fits; that is the cut, and what lies below it waits for the next week. Source: the greedy rule for a knapsack, Dantzig,
"Discrete-variable extremum problems", Operations Research 5 (1957). Stopping at the first line that does not fit, where
a smaller one further down might, keeps the cut a line that can be drawn. A line without a price stands first: a person
has to look at it anyway.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import COMMITTED

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CENT = 0.005
_MONDAY = np.timedelta64(3, "D")  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class Cut:
    """(n,) lines. rank: 1 for the most margin per money, 0 where nothing limits; margin_per_money: NaN without an
    amount; deferred: below the cut; by_cash: because of the week's payments, not of the budget; week: the Monday whose
    limit counts for the line; left: company currency left of that limit before any line; last_rank: of the last line
    above the cut in that week.
    """

    rank: Floats
    margin_per_money: Floats
    deferred: Flags
    by_cash: Flags
    week: NDArray[np.datetime64]
    left: Floats
    last_rank: Floats


@dataclass(frozen=True)
class Limits:
    """What may be spent. committed: table COMMITTED; budget, cash: a week, company currency, 0 for no limit."""

    budget: float = 0.0
    cash: float = 0.0
    committed: pd.DataFrame = field(default_factory=COMMITTED.empty)

    @property
    def any(self) -> bool:
        return self.budget > 0.0 or self.cash > 0.0


def limits_of(settings: PlanSettings, committed: pd.DataFrame) -> Limits:
    return Limits(settings.weekly_budget, settings.weekly_cash_limit, COMMITTED.check(committed))


def cut_lines(
    amount: Floats,
    margin_protected: Floats,
    ordered_on: NDArray[np.datetime64],
    due_on: NDArray[np.datetime64],
    limits: Limits,
) -> Cut:
    """amount: (n,) company currency, 0 where no price is known; margin_protected: (n,) company currency; ordered_on:
    (n,) the day on which the line's order leaves, whose week's budget it takes; due_on: (n,) the day of payment.

    Ties of the ratio are decided by the larger margin, then by place, so that the same lines give the same cut.
    """
    n = len(amount)
    ratio = np.divide(margin_protected, amount, out=np.full(n, np.nan), where=amount > _CENT)
    if not limits.any:
        nothing = np.full(n, np.nan)
        never = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        no = np.zeros(n, dtype=bool)
        return Cut(np.zeros(n), ratio, no, no, never, nothing, nothing)
    order = np.lexsort((np.arange(n), -margin_protected, -np.where(np.isnan(ratio), np.inf, ratio)))
    rank = np.empty(n)
    rank[order] = np.arange(1, n + 1)
    over, budget_week, budget_left = _beyond(amount, order, ordered_on, limits.budget, limits.committed, "ordered")
    late, cash_week, cash_left = _beyond(
        np.where(over, 0.0, amount), order, due_on, limits.cash, limits.committed, "due"
    )
    late &= ~over
    deferred = over | late
    by_budget = over | (~late & (limits.budget > 0.0))
    week = np.where(by_budget, budget_week, cash_week)
    return Cut(
        rank=rank,
        margin_per_money=ratio,
        deferred=deferred,
        by_cash=late,
        week=week,
        left=np.where(by_budget, budget_left, cash_left),
        last_rank=_last_rank_above(rank, deferred, week),
    )


def week_of(day: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The Monday of each day's week."""
    days = np.asarray(day, dtype="datetime64[D]")
    return np.asarray((days + _MONDAY).astype("datetime64[W]").astype("datetime64[D]") - _MONDAY)


def _beyond(
    amount: Floats,
    order: NDArray[np.int64],
    day: NDArray[np.datetime64],
    limit: float,
    committed: pd.DataFrame,
    kind: str,
) -> tuple[Flags, NDArray[np.datetime64], Floats]:
    """Which lines no longer fit into their week, the week, and what is left of it before any line. After the first line
    of a week that does not fit none does."""
    week = week_of(day)
    if limit <= 0.0:
        return np.zeros(len(amount), dtype=bool), week, np.full(len(amount), np.inf)
    bound = committed[committed["kind"] == kind]
    spent = bound.groupby(week_of(bound["day"].to_numpy()))["amount"].sum()
    left = limit - spent.reindex(week).fillna(0.0).to_numpy(dtype=float)
    ranked = pd.DataFrame({"week": week[order], "amount": amount[order], "left": left[order]})
    over = (ranked.groupby("week")["amount"].cumsum() > ranked["left"] + _CENT) & (ranked["amount"] > 0.0)
    cut = over.groupby(ranked["week"]).cummax() & (ranked["amount"] > 0.0)
    beyond = np.zeros(len(amount), dtype=bool)
    beyond[order] = cut.to_numpy()
    return beyond, week, left


def _last_rank_above(rank: Floats, deferred: Flags, week: NDArray[np.datetime64]) -> Floats:
    kept = pd.Series(np.where(deferred, 0.0, rank)).groupby(week).transform("max")
    return kept.to_numpy(dtype=float)
