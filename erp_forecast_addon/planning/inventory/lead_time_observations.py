"""What receipts and open lines say about a supplier, as observations that a distribution can be learned from.

One order line is one observation, in as many parts as it came in; the parts weigh by quantity. Two questions are kept
apart, because an order that is asked for later than the usual lead time only shows that the supplier met a date:
how long the supplier takes (lead time), and how far from the agreed date it arrives (delay).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.lead_time_distribution import LONGEST_LEAD_TIME_DAYS
from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.tables import OPEN_LINES, RECEIPTS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BEFORE_ORDER = _(
    "{supplier}, {item_code}: a receipt of {received_on} lies before its order of {ordered_on}. It was left out of the "
    "lead times; correct the date of the receipt or of the order."
)
NO_QUANTITY = _(
    "{supplier}, {item_code}: a receipt of {received_on} brought {stock_qty}, which is no quantity. It was left out of "
    "the lead times."
)
IN_FUTURE = _(
    "{supplier}, {item_code}: a receipt is dated {received_on}, after {as_of}. It was left out of the lead times; "
    "correct the date of the receipt."
)
TOO_LONG = _(
    "{supplier}, {item_code}: a receipt of {received_on} belongs to an order of {ordered_on}, more than {longest} days "
    "earlier. It was left out of the lead times; correct the date of the order or of the receipt."
)
FORGOTTEN = _(
    "{supplier}, {item_code}: an order of {ordered_on} has been open for more than {longest} days. It was left out of "
    "the lead times; receive it or close it."
)
ASKED_BEFORE_ORDER = _(
    "{supplier}, {item_code}: an order of {ordered_on} asks for delivery on {schedule_on}, before it was placed. Its "
    "delay was left out; correct the date of delivery."
)
PROMISED_BEFORE_ORDER = _(
    "{supplier}, {item_code}: the expected delivery date {promised_on} lies before its order of {ordered_on}. It was "
    "left out of the delays; correct the expected delivery date."
)


@dataclass(frozen=True)
class Observations:
    """All (n,): parts of order lines, received or still open.

    supplier, item_code: text. order_age_days: days from the order to as_of. days: days from the order to the receipt,
    or to as_of for an open part (which therefore takes longer than that). asked_days: days from the order to the day
    asked for; agreed_days: to the one that the supplier has named, else to the one asked for; NaN where none is known
    or it cannot be. open: not yet received. weight: share of what the order has of the item; order_weight: share of the
    order (its lines weigh alike, the parts of a line by quantity).
    """

    supplier: NDArray[np.object_]
    item_code: NDArray[np.object_]
    order_age_days: Floats
    days: Floats
    asked_days: Floats
    agreed_days: Floats
    open: Flags
    weight: Floats
    order_weight: Floats

    @property
    def delay_days(self) -> Floats:
        """(n,) days after the agreed date, negative before it; NaN without one. Of an open part: so far."""
        return np.asarray(self.days - self.agreed_days)


def observe(receipts: pd.DataFrame, open_lines: pd.DataFrame, as_of: date) -> tuple[Observations, list[Fault]]:
    """receipts: table RECEIPTS; open_lines: table OPEN_LINES; as_of: the last complete day.

    A receipt before its order, without quantity, after as_of or more than LONGEST_LEAD_TIME_DAYS after its order is
    left out and told; so is a line that has been open for longer. Open parts placed after as_of say nothing and are
    left out without a word. A date asked for or named before the order is told, and only the delay is left out.
    """
    received, opened = RECEIPTS.check(receipts), OPEN_LINES.check(open_lines)
    today = pd.Timestamp(as_of)
    wrong, sentence = _wrong_receipts(received, today)
    forgotten = ((today - opened["ordered_on"]).dt.days > LONGEST_LEAD_TIME_DAYS).to_numpy()
    says = ~forgotten & (opened["ordered_on"] <= today).to_numpy() & (opened["open_qty"] > 0.0).to_numpy()
    parts = _parts(received[~wrong], opened[says], today)
    asked = (parts["schedule_on"] - parts["ordered_on"]).dt.days.astype(float)
    promised = (parts["promised_on"] - parts["ordered_on"]).dt.days.astype(float)
    early, impossible = (asked < 0.0).to_numpy(), (promised < 0.0).to_numpy()
    asked = asked.mask(early)
    faults = [
        *_faults(received[wrong], sentence[wrong], as_of),
        *_faults(opened[forgotten], np.full(int(forgotten.sum()), FORGOTTEN, dtype=object), as_of),
        *_of_lines(parts[early], ASKED_BEFORE_ORDER, as_of),
        *_of_lines(parts[impossible], PROMISED_BEFORE_ORDER, as_of),
    ]
    line, order = parts["line"].to_numpy(), parts["order"].to_numpy()
    share = parts["qty"] / parts.groupby("line")["qty"].transform("sum")
    first = parts.drop_duplicates("line")
    together = np.bincount(first["order"])[order]
    # Lines of one order for one item are one observation of that item.
    alike = first.groupby(["order", "item"], sort=False)["line"].transform("size")
    per_line = np.zeros(int(line.max()) + 1 if len(line) else 0)
    per_line[first["line"]] = alike
    return Observations(
        supplier=parts["supplier"].to_numpy(dtype=object),
        item_code=parts["item_code"].to_numpy(dtype=object),
        order_age_days=(today - parts["ordered_on"]).dt.days.to_numpy(dtype=float),
        days=(parts["until"] - parts["ordered_on"]).dt.days.to_numpy(dtype=float),
        asked_days=asked.to_numpy(dtype=float),
        agreed_days=promised.mask(impossible).fillna(asked).to_numpy(dtype=float),
        open=parts["open"].to_numpy(dtype=bool),
        weight=share.to_numpy(dtype=float) / per_line[line],
        order_weight=share.to_numpy(dtype=float) / together,
    ), faults


def _wrong_receipts(received: pd.DataFrame, today: pd.Timestamp) -> tuple[Flags, NDArray[np.object_]]:
    took = (received["received_on"] - received["ordered_on"]).dt.days
    cases = [
        (took < 0, BEFORE_ORDER),
        (received["stock_qty"] <= 0.0, NO_QUANTITY),
        (received["received_on"] > today, IN_FUTURE),
        (took > LONGEST_LEAD_TIME_DAYS, TOO_LONG),
    ]
    sentence = np.select([case for case, _text in cases], [text for _case, text in cases], "")
    return np.asarray(sentence != ""), sentence.astype(object)


def _parts(received: pd.DataFrame, opened: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """Received and open parts below each other, with numbers for order, line and item.

    Orders and lines without a name are told by supplier, item and day.
    """
    columns = ["supplier", "item_code", "ordered_on", "schedule_on", "promised_on", "order_line", "purchase_order"]
    both = pd.concat(
        [
            received[columns].assign(qty=received["stock_qty"], until=received["received_on"], open=False),
            opened[columns].assign(qty=opened["open_qty"], until=today, open=True),
        ],
        ignore_index=True,
    )
    order, line = both["purchase_order"].copy(), both["order_line"].copy()
    unnamed = (order == "").to_numpy()
    if unnamed.any():
        order[unnamed] = both.loc[unnamed, "supplier"] + "\x1f" + both.loc[unnamed, "ordered_on"].astype(str)
    unnamed = (line == "").to_numpy()
    if unnamed.any():
        line[unnamed] = order[unnamed] + "\x1f" + both.loc[unnamed, "item_code"]
    # Numbers from here on: 300,000 names are compared once.
    numbered = {"order": order, "line": line, "item": both["item_code"]}
    return both.assign(**{name: pd.factorize(names)[0] for name, names in numbered.items()})


def _of_lines(parts: pd.DataFrame, sentence: str, as_of: date) -> list[Fault]:
    lines = parts.drop_duplicates("line")
    return _faults(lines, np.full(len(lines), sentence, dtype=object), as_of)


def _faults(rows: pd.DataFrame, sentences: NDArray[np.object_], as_of: date) -> list[Fault]:
    """A loop over the few bad rows: each becomes a sentence."""
    wanted = ("supplier", "item_code", "ordered_on", "received_on", "schedule_on", "promised_on", "stock_qty")
    have = [name for name in wanted if name in rows]
    return [
        Fault(
            "Bad Data",
            str(sentence),
            {**{name: _plain(row[name]) for name in have}, "as_of": str(as_of), "longest": LONGEST_LEAD_TIME_DAYS},
            item_code=row["item_code"],
            supplier=row["supplier"],
        )
        for sentence, row in zip(sentences, rows[have].to_dict("records"), strict=True)
    ]


def _plain(value: object) -> object:
    return Day(value.date().isoformat()) if isinstance(value, pd.Timestamp) else value
