"""When what is on order arrives: the supplier's lead time, his delays and how long the order has been open already."""

from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.lead_time_delay import arrival
from erp_forecast_addon.planning.inventory.lead_time_distribution import quantiles
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned, later_than_usual, usual_days
from erp_forecast_addon.planning.tables import DATED, OPEN_LINES

_LEVELS = (0.5, 0.9)


def expected_arrivals(open_lines: pd.DataFrame, learned: Learned, as_of: date) -> pd.DataFrame:
    """OPEN_LINES with agreed_on (what the supplier has named, else what was asked for), expected_on (half of such
    orders are here by then), latest_on (nine tenths) and late_pct (chance of arriving after the agreed date, NaN
    without one). Lines whose supplier or company taught nothing, and lines older than can be believed, have no days.

    as_of: the last day on which a receipt would be known; every line is still open on it.
    """
    lines = OPEN_LINES.check(open_lines)
    supplier, item_code = (lines[name].to_numpy(dtype=object) for name in ("supplier", "item_code"))
    row = learned.lead_times.rows_of(supplier, item_code)
    age = (pd.Timestamp(as_of) - lines["ordered_on"]).dt.days.to_numpy()
    agreed = lines["promised_on"].where(lines["promised_on"] >= lines["ordered_on"], lines["schedule_on"])
    asked = (agreed - lines["ordered_on"]).dt.days.to_numpy(dtype=float)
    known = (row >= 0) & (age >= -1)  # -1: placed on the day after as_of, today
    days = np.full((len(lines), len(_LEVELS)), np.nan)
    late = np.full(len(lines), np.nan)
    if known.any():
        usual = usual_days(supplier[known], item_code[known], learned.delivered, learned.usual)
        ample = later_than_usual(asked[known], usual)
        share = arrival(
            learned.lead_times.probability[row[known]], learned.delays, supplier[known], asked[known], ample, age[known]
        )
        days[known] = quantiles(share, _LEVELS)
        column = np.arange(share.shape[1])[None, :]
        after = np.where(column > np.nan_to_num(asked[known])[:, None], share, 0.0).sum(axis=1)
        late[known] = np.where(np.isfinite(asked[known]), 100.0 * after, np.nan)
    expected, latest = (lines["ordered_on"] + pd.to_timedelta(each, unit="D") for each in days.T)
    return lines.assign(agreed_on=agreed, expected_on=expected, latest_on=latest, late_pct=late)


def as_delivered(dated: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Table DATED with open purchase orders on the day by which half of such orders are here, where that is later than
    the agreed one, which then stands in agreed_on: an early delivery is a gift that no plan should count on.

    expected: order_line, expected_on (NaT: not known) of open lines, as `expected_arrivals` has them.
    """
    rows = DATED.check(dated)
    known = expected.dropna(subset=["expected_on"]).drop_duplicates("order_line").set_index("order_line")["expected_on"]
    ordered = (rows["kind"].eq("purchase_order") & rows["order_line"].ne("")).to_numpy()
    if known.empty or not ordered.any():
        return rows
    day = rows["order_line"].map(known).where(ordered)
    later = (day > rows["day"]).to_numpy()
    return rows.assign(day=rows["day"].mask(later, day), agreed_on=rows["day"].where(later))
