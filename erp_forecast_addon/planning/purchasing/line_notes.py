"""What else a buyer should know of a line, beside the rule that set its quantity: one sentence per matter."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.wording import dict_column, readable

Note = tuple[str, dict[str, Any]]

BREAK = _("From {min_qty} {stock_uom} on {supplier} is cheaper; the saving is more than holding the rest costs.")
PULLED = _("Ordered with the rest, which so reaches the minimum of {supplier}; days until it would be due: {days}.")
AHEAD = _("Ordered ahead, so that the order reaches the minimum of {supplier}; days of demand more: {days}.")
TAKEN = _("Ordered from {supplier} instead of {usual}: {percent}% cheaper in all.")
SOONER = _("Late: ordered from {supplier} instead of {usual}, which gains {days} days.")
SOONER_A_DAY = _("Late: ordered from {supplier} instead of {usual}, which gains a day.")
CHEAPER = _("{alternative} would save {saving} {currency} in all; days until delivery: {days} instead of {own_days}.")
FASTER = _(
    "{alternative} would deliver sooner, for {saving} {currency} more in all; days until delivery: {days} instead of "
    "{own_days}."
)
RANK = _("Rank {rank} of {lines} by margin protected per money spent; the week's cut is after rank {last_rank}.")
PUT_OFF = _(
    "On order but not counted: {qty} {stock_uom}. They were agreed for a day in time, but as their supplier "
    "delivers, half of such orders come only after the days that this order covers."
)
WARNING = _("{supplier}: {warning}")


def notes(lines: pd.DataFrame, currency: str) -> NDArray[np.object_]:
    """(n,) tuples of (template, values). lines: what order_lines decided; currency: of the company.

    Loops over the lines that a matter concerns: each is a sentence of its own.
    """
    told: list[list[Note]] = [[] for _line in range(len(lines))]
    for mask, template, values in _matters(lines, currency):
        rows = np.flatnonzero(mask)
        columns = [lines[name].to_numpy(dtype=object)[rows] if isinstance(name, str) else _shown(name, rows)
                   for name in values.values()]  # fmt: skip
        for row, *cells in zip(rows.tolist(), *columns, strict=True):
            told[row].append((template, dict(zip(values, cells, strict=True)) | {"currency": currency}))
    return dict_column([tuple(each) for each in told])  # type: ignore[misc]  # any objects


def _shown(values: NDArray[np.float64], rows: NDArray[np.int64]) -> list[int | float]:
    return readable(values[rows])


def _matters(lines: pd.DataFrame, currency: str) -> list[tuple[NDArray[np.bool_], str, dict[str, Any]]]:
    """Which lines, the sentence, and its values: a column of text by name, or numbers."""

    def number(name: str) -> NDArray[np.float64]:
        return lines[name].to_numpy(dtype=float)

    moved = (lines["supplier"] != lines["usual_supplier"]).to_numpy()
    sooner = number("taken_sooner_days")
    saving, own_days = number("alternative_saving"), number("arrival_day")
    named = (lines["alternative_supplier"] != "").to_numpy()
    cheaper = named & (saving > 0.0)
    other: dict[str, Any] = {
        "alternative": "alternative_supplier", "saving": np.abs(np.nan_to_num(saving)),
        "days": np.nan_to_num(own_days - number("alternative_days")), "own_days": own_days,
    }  # fmt: skip
    who = {"supplier": "supplier", "usual": "usual_supplier"}
    pulled, filled = number("pulled_forward_days"), number("filled_days")
    return [
        (number("price_break_qty") > 0.0, BREAK,
         {"min_qty": number("price_break_qty"), "stock_uom": "stock_uom", "supplier": "supplier"}),
        (pulled > 0.0, PULLED, {"days": pulled, "supplier": "supplier"}),
        ((pulled <= 0.0) & (filled > 0.0), AHEAD, {"days": filled, "supplier": "supplier"}),
        (moved & (sooner > 1.0), SOONER, {**who, "days": sooner}),
        (moved & (sooner == 1.0), SOONER_A_DAY, who),
        (moved & ~(sooner > 0.0) & (number("saved_share") > 0.0), TAKEN,
         {**who, "percent": 100.0 * number("saved_share")}),
        (cheaper, CHEAPER, other),
        (named & ~cheaper, FASTER, other),
        (number("budget_rank") > 0.0, RANK,
         {"rank": number("budget_rank"), "lines": number("budget_lines"),
          "last_rank": np.nan_to_num(number("budget_last_rank"))}),
        (number("put_off_qty") > 0.0, PUT_OFF, {"qty": number("put_off_qty"), "stock_uom": "stock_uom"}),
        ((lines["warning"] != "").to_numpy(), WARNING, {"supplier": "supplier", "warning": "warning"}),
    ]  # fmt: skip
