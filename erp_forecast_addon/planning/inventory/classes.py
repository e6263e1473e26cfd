"""ABC classes by the money that moves in a year."""

import numpy as np
from numpy.typing import NDArray

ABC_CLASSES = ("A", "B", "C")


def abc_classes(annual_money: NDArray[np.float64], thresholds: tuple[float, float]) -> NDArray[np.object_]:
    """(n,) classes "A", "B", "C". annual_money: (n,), company currency; thresholds: shares of the total (0.8, 0.95).

    Rows are ranked by money, largest first, ties in the order given, so equal input gives equal classes. A row belongs
    to A while the share of the rows *before* it is below the first threshold: the largest is always A, and the row that
    crosses the line still belongs to the class it completes. Rows without money are C.

    Source: Silver, Pyke & Thomas (2017), chapter 2 (distribution by value).
    """
    money = np.where(np.isfinite(annual_money), np.maximum(annual_money, 0.0), 0.0)
    total = float(money.sum())
    classes = np.full(len(money), "C", dtype=object)
    if total <= 0.0:
        return classes
    ranked = np.argsort(-money, kind="stable")
    share_before = np.concatenate([[0.0], np.cumsum(money[ranked])[:-1]]) / total
    a_until, b_until = thresholds
    classes[ranked] = np.where(share_before < a_until, "A", np.where(share_before < b_until, "B", "C"))
    classes[money <= 0.0] = "C"
    return classes
