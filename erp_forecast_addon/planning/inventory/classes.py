"""ABC classes by the money that moves in a year, XYZ classes by how much demand varies."""

import numpy as np
from numpy.typing import NDArray

ABC_CLASSES = ("A", "B", "C")
XYZ_CLASSES = ("X", "Y", "Z")


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


def xyz_classes(variation: NDArray[np.float64], thresholds: tuple[float, float]) -> NDArray[np.object_]:
    """(n,) classes "X", "Y", "Z", "" where the variation is NaN. variation: (n,) coefficient of variation of demand;
    thresholds: where Y and where Z begins.

    Source: Scholz-Reiter et al., Integration of demand forecasts in ABC-XYZ analysis (2012); the thresholds 0.5 and 1
    are the usual ones.
    """
    y_from, z_from = thresholds
    classes = np.select([variation < y_from, variation < z_from], ["X", "Y"], "Z").astype(object)
    classes[np.isnan(variation)] = ""
    return classes


def demand_variation(
    demand: NDArray[np.float64], observed: NDArray[np.bool_], periods_per_month: int, cycle: int
) -> NDArray[np.float64]:
    """(n,) coefficient of variation of a month's demand over the last two years at most, the season taken out.

    demand, observed: (n, t), oldest first; periods_per_month: columns that make a month; cycle: months a year. Months
    of the same season are divided by that season's share of the whole panel's demand, so that what all items do
    together every year varies none of them. NaN with fewer than three months or without demand.
    """
    n, t = demand.shape
    months = min(t // periods_per_month, 2 * cycle)
    if months < 3:
        return np.full(n, np.nan)
    sold = np.where(observed, np.maximum(demand, 0.0), 0.0)[:, t - months * periods_per_month :]
    by_month = sold.reshape(n, months, periods_per_month).sum(axis=2)
    if months == 2 * cycle:
        season = by_month.sum(axis=0).reshape(2, cycle).sum(axis=0)
        season = np.tile(season / season.mean(), 2) if season.min(initial=1.0) > 0.0 else np.ones(months)
        by_month = by_month / season
    # A series begins with its first demand: what did not exist yet does not vary.
    begun = np.cumsum(by_month, axis=1) > 0.0
    count = begun.sum(axis=1)
    mean = by_month.sum(axis=1) / np.maximum(count, 1)
    squares = (np.where(begun, by_month - mean[:, None], 0.0) ** 2).sum(axis=1)
    std = np.sqrt(squares / np.maximum(count - 1, 1))
    return np.divide(std, mean, out=np.full(n, np.nan), where=(mean > 0.0) & (count >= 3))
