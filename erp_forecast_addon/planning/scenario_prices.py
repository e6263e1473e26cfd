"""A change of selling prices in a scenario: what customers then ask for, and at what price they buy.

Demand answers with a constant elasticity e: at a price (1 + p) times as high it is (1 + p)^e times as large. Source:
Talluri & van Ryzin, The Theory and Practice of Revenue Management (2004), section 7.3.3 (constant-elasticity demand);
it is the form in which forecasting/effects.py learns what prices did to demand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# What an elasticity may be said to be; what is learned lies inside (effects.py).
STEEPEST_ELASTICITY = -10.0
# No demand that was ever seen tells what happens beyond.
LARGEST_FACTOR = 11.0

UNBELIEVABLE = _(
    "A selling price change of {percent}% with an elasticity of {elasticity} multiplies demand by {factor}. Nothing "
    "that was ever seen tells what happens then: give a smaller change."
)
LEARNED = _(
    "Items that answer to the selling price as the price history of their item groups taught: {count}, with "
    "elasticities from {low} to {high}; demand times {least} to {most}."
)
GIVEN = _(
    "Items of which the price history tells no effect of the price: {count}. The elasticity given counts for them: "
    "{elasticity}, demand times {factor}."
)
GIVEN_FOR_ALL = _(
    "The elasticity given counts for all items, whatever was learned: {elasticity}, demand times {factor}."
)
UNKNOWN = _(
    "Items of which the price history tells no effect of the price: {count}. No elasticity was given, so their demand "
    "stays."
)


@dataclass(frozen=True)
class Assumption:
    """What a scenario takes for granted: a sentence as template and values."""

    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Elasticity:
    """(m,) of items. learned: from the price history of the item's group; the others have what was typed."""

    value: Floats
    learned: Flags

    def factor(self, price_pct: float) -> Floats:
        """(m,) what demand is multiplied by. Raises BadInput where that is beyond all that can be known."""
        factor = np.power(1.0 + price_pct / 100.0, self.value)
        if factor.max(initial=0.0) > LARGEST_FACTOR:
            worst = int(factor.argmax())
            raise BadInput(
                UNBELIEVABLE, percent=_plain(price_pct), elasticity=_plain(self.value[worst]),
                factor=_plain(factor[worst], 1),
            )  # fmt: skip
        return np.asarray(factor)


def elasticities(item_groups: pd.Series, learned: Mapping[str, float], typed: float) -> Elasticity:
    """Of each item the elasticity that was learned for its group, the company's for a group never seen; with nothing
    learned ({}), the typed one. learned: Effects.elasticity."""
    n = len(item_groups)
    if not learned:
        return Elasticity(np.full(n, typed), np.zeros(n, dtype=bool))
    found = item_groups.map(dict(learned)).fillna(learned.get("", np.nan)).to_numpy(dtype=float)
    known = np.isfinite(found)
    return Elasticity(np.where(known, found, typed), known)


def told(elasticity: Elasticity, price_pct: float, typed: float, may_be_learned: bool) -> list[Assumption]:
    """What was taken for the answer of how many items. elasticity: of each chosen item, once."""
    factor, out = elasticity.factor(price_pct), []
    own = elasticity.learned
    if own.any():
        value = elasticity.value[own]
        out.append(Assumption(LEARNED, {
            "count": int(own.sum()), "low": _plain(value.min()), "high": _plain(value.max()),
            "least": _plain(factor[own].min(), 3), "most": _plain(factor[own].max(), 3),
        }))  # fmt: skip
    if not own.all():
        values: dict[str, Any] = {"count": int((~own).sum())}
        if not typed and may_be_learned:
            return [*out, Assumption(UNKNOWN, values)]
        values |= {"elasticity": _plain(typed), "factor": _plain(factor[~own][0], 3)}
        out.append(Assumption(GIVEN if may_be_learned else GIVEN_FOR_ALL, values))
    return out


def sold_at(items: pd.DataFrame, base_rate: pd.Series, margin_pct: float, factor: float) -> pd.DataFrame:
    """ITEMS at selling prices `factor` times as high. An item without one sells at cost and margin, as everywhere.

    base_rate: by item code, what a unit is bought for, company currency; NaN where not known.
    """
    held = items["selling_rate"] if "selling_rate" in items else pd.Series(np.nan, index=items.index)
    rate = pd.to_numeric(held).to_numpy(dtype=float)
    bought_at = base_rate.reindex(items["item_code"]).to_numpy(dtype=float)
    return items.assign(selling_rate=np.where(rate > 0.0, rate, bought_at * (1.0 + margin_pct / 100.0)) * factor)


def _plain(number: float, decimals: int = 2) -> float | int:
    rounded = round(float(number), decimals)
    return int(rounded) if rounded.is_integer() else rounded
