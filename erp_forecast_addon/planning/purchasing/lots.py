"""From a need to a quantity that a supplier sells: minimum, multiple, whole units, purchase UOM.

Sizes are exact fractions, not floats: a third of a box is a third, so 30 thirds are 10 and not 9.99999.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# ERPNext keeps quantities to three decimals unless a site says otherwise.
QTY_DECIMALS = 3
SMALLEST_QTY = 10.0**-QTY_DECIMALS
# A factor typed as 0.333333 means 1/3: denominators up to a gross, within two millionths.
_LARGEST_DENOMINATOR = 144
_FACTOR_TOLERANCE = 2e-6
# Steps that only exist on paper (whole pounds that are also whole kilograms): 110,231 is no lot size.
_LARGEST_STEP_RATIO = 100
# k steps are enough when they miss the need by less than this share of a step (float noise).
_STEP_TOLERANCE = 1e-6
# Stands for no limit at all: numbers up to here divide without losing whole steps.
_LARGEST_QTY = 1e15


@dataclass(frozen=True)
class Lots:
    """qty: (n,) purchase UOM; stock_qty: (n,) stock UOM; possible: (n,), False: no quantity meets all rules."""

    qty: Floats
    stock_qty: Floats
    possible: Flags


def lot_sizes(
    need_qty: Floats,
    min_order_qty: Floats,
    order_multiple_qty: Floats,
    conversion_factor: Floats,
    uom_whole: Flags,
    stock_uom_whole: Flags,
    most_order_qty: Floats | None = None,
) -> Lots:
    """The smallest quantity >= need and >= minimum that is a multiple of the pack and whole where it has to be.

    All (n,). need, minimum, multiple: stock UOM; conversion_factor: stock UOM per purchase UOM, > 0 and finite;
    order_multiple_qty 0: no pack. A need of zero or less orders nothing. Where nothing has to be whole, the quantity
    is rounded up to three decimals of the purchase UOM. most_order_qty: stock UOM, inf for none: rounded down to it
    where that leaves the minimum and at least one step; a minimum above it wins.
    """
    wanted = np.where(need_qty > 0.0, np.maximum(need_qty, min_order_qty), 0.0)
    steps = _steps(order_multiple_qty, conversion_factor, uom_whole, stock_uom_whole)
    count = np.ceil(wanted / steps.stock_step - _STEP_TOLERANCE)
    count = np.where((wanted > 0.0) & (count < 1.0), 1.0, count)
    if most_order_qty is not None:
        below = np.floor(np.minimum(most_order_qty, _LARGEST_QTY) / steps.stock_step + _STEP_TOLERANCE)
        keeps = (below >= 1.0) & (below >= np.ceil(min_order_qty / steps.stock_step - _STEP_TOLERANCE))
        count = np.where(keeps, np.minimum(count, below), count)
    return Lots(
        qty=np.where(steps.possible, count * steps.qty_numerator / steps.qty_denominator, 0.0),
        stock_qty=np.where(steps.possible, count * steps.stock_numerator / steps.stock_denominator, 0.0),
        possible=steps.possible,
    )


def order_steps(
    order_multiple_qty: Floats, conversion_factor: Floats, uom_whole: Flags, stock_uom_whole: Flags
) -> Floats:
    """(n,) the step in which orders grow, stock units; 0 where only the decimals of a document bound it, or no quantity
    meets all rules. As in `lot_sizes`."""
    steps = _steps(order_multiple_qty, conversion_factor, uom_whole, stock_uom_whole)
    size = steps.stock_step
    finest = conversion_factor * SMALLEST_QTY * (1.0 + _STEP_TOLERANCE)
    return np.where(steps.possible & (size > finest), size, 0.0)


@dataclass(frozen=True)
class _Steps:
    """The smallest step of each row, in both units, as numerators and denominators so that k steps divide once."""

    stock_numerator: Floats
    stock_denominator: Floats
    qty_numerator: Floats
    qty_denominator: Floats
    possible: Flags

    @property
    def stock_step(self) -> Floats:
        return self.stock_numerator / self.stock_denominator


def _steps(multiple: Floats, factor: Floats, uom_whole: Flags, stock_whole: Flags) -> _Steps:
    rules = np.column_stack([multiple, factor, uom_whole.astype(float), stock_whole.astype(float)])
    distinct, row_of = np.unique(rules, axis=0, return_inverse=True)
    # A loop over the distinct combinations, a few dozen for thousands of lines: exact fractions have no array form.
    table = np.array([_step_row(*rule) for rule in distinct.tolist()], dtype=float).reshape(-1, 5)[row_of.reshape(-1)]
    return _Steps(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4] > 0.0)


def _step_row(multiple: float, factor: float, uom_whole: float, stock_whole: float) -> tuple[float, ...]:
    stock_step = smallest_step(multiple, factor, bool(uom_whole), bool(stock_whole))
    if stock_step is None:
        return 1.0, 1.0, 1.0, 1.0, 0.0
    qty_step = stock_step / as_fraction(factor)
    return (*(float(x) for x in (*stock_step.as_integer_ratio(), *qty_step.as_integer_ratio())), 1.0)


@lru_cache(maxsize=4096)
def smallest_step(multiple: float, factor: float, uom_whole: bool, stock_whole: bool) -> Fraction | None:
    """The smallest order step in stock units that keeps every rule, or None if only an absurdly large one would.

    It is the least common multiple of what is demanded: the pack, one purchase unit, one stock unit. A purchase unit
    that may be split and holds several whole stock units is split to thousandths at most, as a document holds it.
    """
    unit = as_fraction(factor)
    demanded = [as_fraction(multiple)] if multiple > 0.0 else []
    demanded += [unit] if uom_whole else []
    demanded += [Fraction(1)] if stock_whole else []
    demanded += [unit / 10**QTY_DECIMALS] if stock_whole and not uom_whole and unit > 1 else []
    if not demanded:
        return unit / 10**QTY_DECIMALS
    step = _least_common_multiple(demanded)
    return step if step <= _LARGEST_STEP_RATIO * max(*demanded, Fraction(1)) else None


def _least_common_multiple(sizes: Iterable[Fraction]) -> Fraction:
    sizes = list(sizes)
    denominator = lcm(*(size.denominator for size in sizes))
    return Fraction(lcm(*(int(size * denominator) for size in sizes)), denominator)


@lru_cache(maxsize=4096)
def as_fraction(value: float) -> Fraction:
    """The fraction that a person meant by a typed factor: 0.333333 is 1/3, 2.20462 is 220462/100000."""
    simple = Fraction(value).limit_denominator(_LARGEST_DENOMINATOR)
    if abs(simple - Fraction(value)) <= _FACTOR_TOLERANCE * Fraction(value):
        return simple
    return Fraction(repr(float(f"{value:.12g}")))


def whole_days_up(days: Floats) -> NDArray[np.int64]:
    """Days rounded up, with float noise (14.000000001) taken as whole."""
    return np.ceil(days - 1e-9).astype(np.int64)
