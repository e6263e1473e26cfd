"""The tables that cross the planner's border: columns, types and units, checked once at the door.

Every quantity is in the item's stock UOM, every amount in the company's currency, every day a midnight
datetime64[ns] in site time. Text columns are never missing ("" where there is nothing) unless marked nullable.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _


@dataclass(frozen=True)
class Column:
    """kind: text | day | moment | number | flag. nullable: NaN / NaT / None allowed.

    default: filled in where the column is absent."""

    kind: str
    nullable: bool = False
    default: Any = None


@dataclass(frozen=True)
class Table:
    name: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()

    def empty(self) -> pd.DataFrame:
        return pd.DataFrame({c: pd.Series(dtype=_DTYPES[spec.kind]) for c, spec in self.columns.items()})

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame with exactly the table's columns and types.

        Raises BadInput naming the table, the column and the first bad row (its position, from 0, and its key).
        """
        out = {}
        for column, spec in self.columns.items():
            if column in frame:
                out[column] = self._convert(frame, column, spec)
            elif spec.default is not None or spec.nullable:
                out[column] = pd.Series([spec.default] * len(frame), index=frame.index, dtype=_DTYPES[spec.kind])
            else:
                raise BadInput(_("{table}: column {column} is missing."), table=self.name, column=column)
        result = pd.DataFrame(out, index=frame.index).reset_index(drop=True)
        if self.key:
            twice = result.duplicated(list(self.key))
            if twice.any():
                row = int(np.flatnonzero(twice)[0])
                raise BadInput(
                    _("{table}: row {row} repeats the key {key}; each may stand there once."),
                    table=self.name,
                    row=row,
                    key=self._key_of(result, row),
                )
        return result

    def _convert(self, frame: pd.DataFrame, column: str, spec: Column) -> pd.Series:
        values = frame[column]
        if spec.kind == "text":
            return values.astype(object).where(values.notna(), "" if not spec.nullable else np.nan)
        if spec.default is not None and values.isna().any():
            # A missing cell means what a missing column means.
            values = values.astype(object).where(values.notna(), spec.default)
        if spec.kind == "flag":
            return values.astype(object).where(values.notna(), False).astype(bool)
        converted = (
            self._moments(values, spec) if spec.kind in ("day", "moment") else self._numbers(frame, column, values)
        )
        bad = converted.isna() & (values.notna() if spec.nullable else True)
        self._refuse(frame, column, bad.to_numpy(dtype=bool))
        return converted

    @staticmethod
    def _moments(values: pd.Series, spec: Column) -> pd.Series:
        moments: pd.Series = pd.to_datetime(values, errors="coerce").astype("datetime64[ns]")
        return moments.dt.normalize() if spec.kind == "day" else moments

    def _numbers(self, frame: pd.DataFrame, column: str, values: pd.Series) -> pd.Series:
        numbers: pd.Series = pd.to_numeric(values, errors="coerce").astype(float)
        self._refuse(frame, column, np.isinf(numbers.to_numpy(dtype=float)))
        return numbers

    def _refuse(self, frame: pd.DataFrame, column: str, bad: np.ndarray) -> None:
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise BadInput(
                _("{table}: row {row} ({key}) has {column} = {value}, which is not a finite value of kind {kind}."),
                table=self.name,
                row=row,
                key=self._key_of(frame, row),
                column=column,
                value=frame[column].iloc[row],
                kind=self.columns[column].kind,
            )

    def _key_of(self, frame: pd.DataFrame, row: int) -> str:
        return " / ".join(str(frame[c].iloc[row]) for c in self.key or ("item_code",) if c in frame)


_DTYPES: dict[str, Any] = {
    "text": object,
    "day": "datetime64[ns]",
    "moment": "datetime64[ns]",
    "number": float,
    "flag": bool,
}
_text, _day, _number, _flag = Column("text"), Column("day"), Column("number"), Column("flag", default=False)
_opt_text, _opt_number, _zero = (
    Column("text", default=""),
    Column("number", nullable=True),
    Column("number", default=0.0),
)
_PAIR = ("item_code", "warehouse")

# Stock Ledger Entries that are not cancelled: the whole ledger of every pair that stands in it. Any order of rows.
LEDGER = Table(
    "Stock ledger",
    {
        "item_code": _text,
        "warehouse": _text,
        "name": _opt_text,  # Stock Ledger Entry.name; the same name twice counts once
        "posting_day": _day,
        "posted_at": Column("moment"),  # posting_datetime
        "creation": Column("moment", nullable=True),  # decides between rows of the same posted_at
        "actual_qty": _number,  # signed
        "qty_after_transaction": _opt_number,
        "voucher_type": _opt_text,
        "is_demand": _flag,  # this kind of voucher counts as demand
        "demand_day": Column(
            "day", nullable=True
        ),  # the day of the sale that a return is netted against; NaT: posting_day
    },
)

# Daily demand, only the days on which the ledger moved. closing_qty: stock at the end of that day, which stays
# until the next row.
BUCKETS = Table(
    "Demand buckets",
    {
        "item_code": _text,
        "warehouse": _text,
        "day": _day,
        "demand_qty": _number,  # outgoing demand, customer returns netted on the day of their sale
        "closing_qty": _opt_number,  # NaN: unknown, the shelf counts as stocked
        "opening_qty": _opt_number,
    },
    key=(*_PAIR, "day"),
)

# One row per planned pair: where it stands today.
POSITIONS = Table(
    "Positions",
    {
        "item_code": _text,
        "warehouse": _text,
        "on_hand_qty": _number,  # Bin.actual_qty; may be negative
        "valuation_rate": _zero,  # per stock UOM
        "we_order": Column("flag", default=True),  # False: ERPNext's own reorder orders this pair
        "order_suppressed_until": Column("day", nullable=True),  # a person rejected an order; none proposed until then
    },
    key=_PAIR,
)

# Everything open by date. qty > 0 comes in, qty < 0 goes out. A day in the past is overdue and counts at once.
DATED = Table(
    "Open supply and demand",
    {
        "item_code": _text,
        "warehouse": _text,
        "day": _day,
        "qty": _number,
        "kind": _text,  # one of DATED_KINDS
        "voucher_no": _opt_text,
    },
)
SUPPLY_KINDS = ("purchase_order", "material_request", "planned_production", "our_draft")
FIRM_DEMAND_KINDS = (
    "sales_order",
    "production",
    "subcontract",
    "production_plan",
    "material_issue",
    "transfer_out",
    "pos_invoice",
)
DATED_KINDS = SUPPLY_KINDS + FIRM_DEMAND_KINDS

ITEMS = Table(
    "Items",
    {
        "item_code": _text,
        "item_name": _opt_text,
        "item_group": _opt_text,
        "brand": _opt_text,
        "stock_uom": _opt_text,
        "stock_uom_whole": _flag,  # UOM.must_be_whole_number of the stock UOM
        "min_order_qty": _zero,  # Item.min_order_qty, stock UOM
        "safety_stock": _zero,  # Item.safety_stock as typed by a person
        "lead_time_days": _opt_number,  # Item.lead_time_days; NaN or 0: not set
        "selling_rate": _opt_number,  # per stock UOM
        "disabled": _flag,
        "end_of_life": Column("day", nullable=True),
        "variant_of": _opt_text,  # the template of a variant
        "is_purchase_item": Column("flag", default=True),
        "exists": Column("flag", default=True),  # False: the ledger knows it, the item list does not
    },
    key=("item_code",),
)

# Who could supply an item. At most one row per item and supplier; is_default marks the one ERPNext would take.
SOURCING = Table(
    "Sourcing",
    {
        "item_code": _text,
        "supplier": _text,
        "is_default": _flag,
        "rate": _opt_number,  # per purchase UOM, in `currency`; NaN: no price
        "currency": _opt_text,
        "exchange_rate": Column("number", nullable=True),  # company currency per unit of `currency`
        "uom": _opt_text,  # purchase UOM; "" means the stock UOM
        "conversion_factor": _opt_number,  # stock UOM per purchase UOM; NaN: unknown, an error
        "uom_whole": _flag,
        "min_order_qty": _zero,  # of this supplier, stock UOM
        "order_multiple_qty": _zero,  # pack size, stock UOM; 0: none
        "lead_time_days": _opt_number,  # mean; NaN: unknown from this source
        "lead_time_std_days": _opt_number,
        "lead_time_source": _opt_text,  # receipts | item price | item | settings
        "blocked_reason": _opt_text,  # "" or a sentence why nothing may be ordered there
    },
    key=("item_code", "supplier"),
)

# ---- what a plan puts out; the columns carry the fieldnames of our DocTypes ----

# Safety Stock Policy, one row per planned pair.
POLICIES = Table(
    "Policies",
    {
        "item_code": _text,
        "warehouse": _text,
        "abc_class": _text,  # A | B | C
        "demand_class": _text,  # Smooth | Erratic | Intermittent | Lumpy | New | No Demand
        "method": _text,  # Textbook
        "service_level_pct": _number,
        "safety_factor": _number,  # z
        "daily_demand_mean": _number,
        "daily_demand_std": _number,
        "lead_time_days": _number,
        "lead_time_std_days": _number,
        "lead_time_source": _text,
        "review_period_days": _number,
        "lead_time_demand_qty": _number,  # mean demand over the lead time
        "protection_days": _number,  # lead time + review period
        "protection_demand_qty": _number,  # mean demand over lead time + review period
        "safety_stock_qty": _number,
        "reorder_point_qty": _number,
        "order_up_to_qty": _number,
        "on_hand_qty": _number,
        # on hand + supply due by the end of the protection interval + our drafts - firm demand beyond the forecast:
        # order_up_to_qty - position_qty is what an order brings, before lot sizes
        "position_qty": _number,
        "days_of_cover": _opt_number,  # position / daily mean; NaN without demand
        "shortage_on": Column(
            "day", nullable=True
        ),  # first day on which projected stock falls below 0, nothing ordered
        "safety_stock_value": _number,
        "explanation_template": _text,
        "explanation_values": Column("text"),  # values: a dict per row
    },
    key=_PAIR,
)

# One row per line to order.
PROPOSALS = Table(
    "Proposals",
    {
        "item_code": _text,
        "warehouse": _text,
        "supplier": _text,
        "currency": _text,
        "qty": _number,  # purchase UOM
        "uom": _text,
        "conversion_factor": _number,
        "stock_qty": _number,  # qty * conversion_factor
        "rate": _number,  # per purchase UOM, in `currency`
        "amount": _number,  # qty * rate, in `currency`
        "base_amount": _number,  # company currency
        "need_on": Column("day"),  # the day on which the stock is needed
        "schedule_date": Column("day"),  # required by: need_on, or the earliest arrival if that is later
        "order_by": Column("day"),  # last day to order for need_on (never before as_of + 1)
        "days_late": _number,  # schedule_date - need_on, days
        "money_at_risk": _number,  # company currency: sales lost in expectation if nothing is ordered
        "reason_template": _text,
        "reason_values": Column("text"),
        "evidence": Column("text"),  # dict of frozen inputs; purchasing.evidence.recompute(evidence) gives stock_qty
    },
    key=_PAIR,
)

# ---- lead times, learned from receipts ----

# One row per receipt line of a submitted order; no returns, no drop shipments, no internal suppliers.
RECEIPTS = Table(
    "Receipts",
    {
        "supplier": _text,
        "item_code": _text,
        "ordered_on": _day,  # day of the order, or of its confirmation
        "received_on": _day,
        "stock_qty": _number,
    },
)

# item_code "": the supplier as a whole, for items never received.
LEAD_TIMES = Table(
    "Lead times",
    {
        "supplier": _text,
        "item_code": _text,
        "observations": _number,  # orders, not receipt lines
        "lead_time_days": _number,
        "lead_time_std_days": _opt_number,  # NaN: a single order tells no deviation
    },
    key=("supplier", "item_code"),
)

# ---- proposals grouped into orders ----

# One order per supplier and currency, most money at risk first.
ORDERS = Table(
    "Orders",
    {
        "supplier": _text,
        "currency": _text,
        "order_rank": _number,  # 1: act on it first
        "lines": _number,
        "amount": _number,  # in `currency`
        "base_amount": _number,
        "money_at_risk": _number,  # company currency
        "schedule_date": Column("day"),  # the earliest line
        "order_by": Column("day"),  # the most urgent line
    },
    key=("supplier", "currency"),
)

# ---- what is known ahead, and what people say about the future ----

# Item groups or warehouses, groups and leaves alike.
TREE = Table("Tree", {"name": _text, "parent": _opt_text}, key=("name",))

# One row per span of a Demand Event; an event with a numeric series has a row per day of it. Empty scope: everything.
EVENTS = Table(
    "Demand events",
    {
        "event": _text,  # name of the record
        "title": _text,  # events of one title are one driver
        "event_type": _opt_text,  # the family of events that resemble each other
        "company": _opt_text,
        "from_day": _day,
        "to_day": _day,
        "value": Column("number", default=1.0),  # intensity of an event, value of a signal
        "is_signal": _flag,  # a number of every day; False: something that is there or not
        "item_code": _opt_text,  # an item or a template
        "item_group": _opt_text,  # with all groups below it
        "brand": _opt_text,
        "warehouse": _opt_text,  # with all warehouses below it
    },
)

# One row per holiday and day; no weekly days off.
HOLIDAYS = Table("Holidays", {"title": _text, "day": _day}, key=("title", "day"))

# Selling prices by the days they hold for. Where several hold, the one that begins last counts.
PRICES = Table(
    "Selling prices",
    {
        "item_code": _text,
        "from_day": Column("day", nullable=True),  # NaT: ever since
        "to_day": Column("day", nullable=True),  # NaT: until further notice
        "rate": _number,  # company currency per stock UOM, > 0
    },
)

# Approved changes of the forecast by a person. warehouse "": all warehouses of the item together.
OVERRIDES = Table(
    "Forecast overrides",
    {
        "name": _text,
        "item_code": _text,
        "warehouse": _opt_text,
        "from_day": _day,
        "to_day": _day,
        "kind": _text,  # one of OVERRIDE_KINDS
        "value": _number,  # stock UOM over the whole span | percent of the forecast, -100 and above | stock UOM a day
        "approved_at": Column("moment", nullable=True),
    },
    key=("name",),
)
OVERRIDE_KINDS = ("Quantity", "Percent", "Replace per Day")

# Items that another takes the place of. is_choice: a person named the successor; otherwise it is an Item Alternative.
REPLACEMENTS = Table(
    "Replacements", {"item_code": _text, "successor": _text, "is_choice": _flag}, key=("item_code", "successor")
)
