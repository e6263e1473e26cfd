"""The tables that cross the planner's border: columns, types and units, checked once at the door.

Every quantity is in the item's stock UOM, every amount in the company's currency, every day a midnight
datetime64[ns] in site time. Text columns are never missing ("" where there is nothing) unless marked nullable.
"""

from dataclasses import dataclass
from functools import cached_property
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

    @property
    def may_be_absent(self) -> bool:
        return self.nullable or self.default is not None


@dataclass(frozen=True)
class Table:
    name: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()

    def empty(self) -> pd.DataFrame:
        return self._empty.copy(deep=False)

    @cached_property
    def _empty(self) -> pd.DataFrame:
        return pd.DataFrame({c: pd.Series(dtype=_DTYPES[spec.kind]) for c, spec in self.columns.items()})

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame with exactly the table's columns and types.

        Raises BadInput naming the table, the column and the first bad row (its position, from 0, and its key).
        """
        missing = [column for column, spec in self.columns.items() if column not in frame and not spec.may_be_absent]
        if missing:
            raise BadInput(_("{table}: column {column} is missing."), table=self.name, column=missing[0])
        if frame.empty:  # most tables of a single item are
            return self.empty()
        out = {}
        for column, spec in self.columns.items():
            if column in frame:
                out[column] = self._convert(frame, column, spec)
            else:
                out[column] = pd.Series([spec.default] * len(frame), index=frame.index, dtype=_DTYPES[spec.kind])
        result = pd.DataFrame(out, index=frame.index)
        result.index = pd.RangeIndex(len(result))
        if self.key and len(result) > 1:
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
        if is_sound(values, spec):
            return values
        missing = values.isna().to_numpy()
        if spec.kind == "text":
            text = values.astype(object)
            return text.where(~missing, "" if not spec.nullable else np.nan) if missing.any() else text
        if spec.default is not None and missing.any():
            # A missing cell means what a missing column means.
            values = values.astype(object).where(values.notna(), spec.default)
        if spec.kind == "flag":
            if values.dtype == bool:
                return values
            return values.astype(object).where(values.notna(), False).astype(bool)
        converted = (
            self._moments(values, spec) if spec.kind in ("day", "moment") else self._numbers(frame, column, values)
        )
        bad = converted.isna() & (values.notna() if spec.nullable else True)
        self._refuse(frame, column, bad.to_numpy(dtype=bool))
        return converted

    @staticmethod
    def _moments(values: pd.Series, spec: Column) -> pd.Series:
        moments = values
        if values.dtype != "datetime64[ns]":
            moments = pd.to_datetime(values, errors="coerce").astype("datetime64[ns]")
        return moments.dt.normalize() if spec.kind == "day" else moments

    def _numbers(self, frame: pd.DataFrame, column: str, values: pd.Series) -> pd.Series:
        numbers = values if values.dtype == float else pd.to_numeric(values, errors="coerce").astype(float)
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


def is_sound(values: pd.Series, spec: Column) -> bool:
    """Whether a column is already as its table wants it. Most are, and seeing that is cheaper than making them so."""
    held = values.to_numpy()
    if spec.kind == "text":
        return held.dtype == object and not pd.isna(held).any()
    if spec.kind == "flag":
        return bool(held.dtype == bool)
    if spec.kind == "number":
        return bool(held.dtype == float and np.isfinite(held).all())
    if held.dtype != _DTYPES["day"] or np.isnat(held).any():
        return False
    return spec.kind == "moment" or not (held.view("int64") % _DAY_NS).any()


_DAY_NS = 24 * 60 * 60 * 10**9
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
        "reserved_stock_qty": _zero,  # on the shelf, but promised to a document by ERPNext's stock reservation
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
        "order_line": _opt_text,  # Purchase Order Item.name of a purchase order
        "agreed_on": Column("day", nullable=True),  # where `day` is a later one that experience says
    },
)
SUPPLY_KINDS = ("purchase_order", "material_request", "manufacture_request", "planned_production", "our_draft")
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
        "shelf_life_days": _opt_number,  # Item.shelf_life_in_days; NaN or 0: it does not expire
        "weight_per_unit": _opt_number,  # of a stock unit, all items in one unit of weight; NaN: not known
        "volume_per_unit": _opt_number,  # of a stock unit; NaN: not known
        "lead_time_days": _opt_number,  # Item.lead_time_days; NaN or 0: not set
        "selling_rate": _opt_number,  # per stock UOM
        "disabled": _flag,
        "end_of_life": Column("day", nullable=True),
        "variant_of": _opt_text,  # the template of a variant
        "is_purchase_item": Column("flag", default=True),
        "is_made_here": Column("flag", default=False),  # asked of production, given a bill of materials
        "exists": Column("flag", default=True),  # False: the ledger knows it, the item list does not
    },
    key=("item_code",),
)

# What planners have said about policies. Empty scope columns mean everything; what is NaN or "" is left to the wider
# rule, and in the end to the settings. An item beats an item group (the deeper one first), that a class.
PLANNING_RULES = Table(
    "Planning rules",
    {
        "name": _text,
        "abc_class": _opt_text,
        "xyz_class": _opt_text,
        "item_group": _opt_text,  # with all groups below it
        "item_code": _opt_text,
        "warehouse": _opt_text,
        "method": _opt_text,
        "service_target": _opt_number,  # share in (0, 1)
        "min_qty": _opt_number,  # floor of the reorder point; the reorder point itself for Fixed. Stock UOM
        "max_qty": _opt_number,  # most that may be stocked; the order-up-to level itself for Fixed. Stock UOM
        "holding_rate_per_year": _opt_number,
        "order_cost": _opt_number,  # company currency, per line
        "shortage_cost": _opt_number,  # company currency, per unit; NaN: the margin
        "occasion_cost": _opt_number,  # company currency, of a demand not served in full; see inventory.occasional
    },
)

# The levels that stand, from the last plan: new ones replace them only where the difference is worth it.
FORMER_LEVELS = Table(
    "Former levels",
    {
        "item_code": _text,
        "warehouse": _text,
        "method": _opt_text,
        "service_level_pct": _opt_number,
        "clamp": _opt_text,
        "planning_rule": _opt_text,
        "safety_stock_qty": _number,
        "reorder_point_qty": _number,
        "order_up_to_qty": _number,
    },
    key=_PAIR,
)

# Lower prices for larger orders. One row per item, supplier and quantity from which a price holds.
PRICE_BREAKS = Table(
    "Price breaks",
    {
        "item_code": _text,
        "supplier": _opt_text,  # "": whoever supplies it
        "min_qty": _number,  # stock UOM
        "base_rate": _opt_number,  # the price itself, company currency per stock UOM; else one of the two below
        "discount_share": _opt_number,  # off the usual price, in [0, 1]
        "discount_amount": _opt_number,  # off the usual price, company currency per stock UOM
    },
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
        "lead_time_source": _opt_text,  # one of planning.inventory.lead_time.SOURCES; "": unknown
        "lead_time_row": Column("number", default=-1.0),  # row of the learned LeadTimeDistributions; -1: not learned
        "blocked_reason": _opt_text,  # "" or a sentence why nothing may be ordered there
        "on_time_pct": _opt_number,  # of what was due from him, this item's before all items'; NaN: not known
        "warning": _opt_text,  # "" or a sentence that a buyer should read before he orders there
    },
    key=("item_code", "supplier"),
)

# What each supplier asks of a whole order, and when orders leave. Absent suppliers ask for nothing.
ORDER_TERMS = Table(
    "Order terms",
    {
        "supplier": _text,
        "min_order_amount": _zero,  # company currency, of one order; 0: none
        "truck_weight": _zero,  # what one truck or container takes, in the unit of ITEMS.weight_per_unit; 0: no limit
        "truck_volume": _zero,  # likewise
        "truck_qty": _zero,  # stock units
        "truck_fill_share": _zero,  # the last truck is to be filled at least so far, in [0, 1]
        "ship_to": _opt_text,  # one of SHIP_TO_RULES; "": as the settings say
        "weekdays": _opt_text,  # days on which orders leave, digits 0 (Monday) to 6; "": any
        "holiday_list": _opt_text,  # "": he works every day
        "payment_days": _zero,  # from delivery to payment
    },
    key=("supplier",),
)
SHIP_TO_RULES = ("Joined", "Per Warehouse")

# The days off of holiday lists, weekly ones included.
DAYS_OFF = Table("Days off", {"holiday_list": _text, "day": _day}, key=("holiday_list", "day"))

# Money of the company that is bound already, company currency.
COMMITTED = Table(
    "Committed money",
    {
        "kind": _text,  # ordered: left as an order on that day | due: has to be paid on that day
        "day": _day,
        "amount": _number,
    },
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
        "xyz_class": _opt_text,  # X | Y | Z, "" without demand
        "demand_variation": _opt_number,  # coefficient of variation of a month's demand, season taken out
        "method": _text,  # one of inventory.methods.METHODS or of simulated_levels.SIMULATED
        "planning_rule": _opt_text,  # name of the rule that chose the method, "" for the settings
        "service_level_pct": _opt_number,  # the target; NaN: the method has none
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
        "order_qty": _opt_number,  # what an order brings, on average
        "demand_quantile_qty": _opt_number,  # enough until the next order has arrived, with the chance of the target
        "expected_fill_rate_pct": _opt_number,  # share of demand served from the shelf
        "expected_cycle_service_pct": _opt_number,  # share of order cycles without a shortage
        "expected_on_hand_qty": _opt_number,  # average stock
        "expected_stock_value": _opt_number,
        "yearly_cost": _opt_number,  # ordering, holding and units short; NaN without a price
        "clamp": _opt_text,  # one of inventory.methods.CLAMPS
        "levels_kept": _flag,  # the difference to the former levels was not worth a move
        "textbook_reorder_point_qty": _opt_number,
        "textbook_order_up_to_qty": _opt_number,
        "lead_time_observations": _opt_number,  # orders that the lead time was learned from
        "approval_days": _opt_number,  # until an order is approved, on average
        "red_qty": _opt_number,  # zones of the method Buffers
        "yellow_qty": _opt_number,
        "green_qty": _opt_number,
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
        # need_on - lead time - approval time: when to begin so that the approval has its time. It may be over.
        "order_on": Column("day", nullable=True),
        "days_lost": Column("number", default=0.0),  # how many days order_on is over, 0 if it is still to come
        "days_late": _number,  # schedule_date - need_on, days
        "money_at_risk": _number,  # company currency: sales lost in expectation if nothing is ordered
        "reason_template": _text,
        "reason_values": Column("text"),
        "evidence": Column("text"),  # dict of frozen inputs; purchasing.evidence.recompute(evidence) gives stock_qty
        "ordered_on": Column("day", nullable=True),  # the supplier's next day to order; NaT: as_of + 1
        "ship_to": _opt_text,  # the warehouse that an order of its own goes to; "": joined with the supplier's others
        "pulled_forward_days": _zero,  # due only so many days from now, ordered now to fill a minimum
        "alternative_supplier": _opt_text,  # another who is cheaper or faster
        "alternative_saving": _opt_number,  # total cost of the line here less there, company currency
        "alternative_days": _opt_number,  # how much sooner he would deliver; negative: later
        "margin_per_money": _opt_number,  # margin protected per money spent; NaN: no price
        "budget_rank": _zero,  # 1: the most margin per money; 0: no budget set
        "notes": Column("text", default=()),  # pairs (template, values): what else a buyer should know of the line
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
        "ordered_on": _day,  # day of the order
        "received_on": _day,
        "stock_qty": _number,
        "schedule_on": Column("day", nullable=True),  # the delivery asked for
        "promised_on": Column("day", nullable=True),  # what the supplier has named himself; NaT: nothing
        "order_line": _opt_text,  # Purchase Order Item.name: the receipts of a line are one observation
        "purchase_order": _opt_text,
    },
)

# What is still to come on submitted orders, one row per line; not closed, not dropped shipped, no internal suppliers.
OPEN_LINES = Table(
    "Open order lines",
    {
        "supplier": _text,
        "item_code": _text,
        "ordered_on": _day,
        "schedule_on": Column("day", nullable=True),
        "promised_on": Column("day", nullable=True),
        "open_qty": _number,  # stock UOM
        "order_line": _opt_text,
        "purchase_order": _opt_text,
    },
)

# What is shown of a supplier (item_code "") or of an item of his, as Supplier Lead Time.
SUPPLIER_LEAD_TIMES = Table(
    "Supplier lead times",
    {
        "supplier": _text,
        "item_code": _opt_text,
        "lead_time_days": _number,
        "lead_time_std_days": _number,
        "median_days": _number,
        "p90_days": _number,
        "observations": _number,  # orders with a receipt
        "open_lines": _number,
        "open_overdue_lines": _number,
        "due_orders": _number,  # orders whose agreed date has come: what on_time_pct and mean_delay_days lie on
        "on_time_pct": _opt_number,  # of what was due, by quantity, received on or before the agreed date
        "mean_delay_days": _opt_number,  # against the agreed date; early is negative; what is overdue, so far
        "trend_days_per_year": _opt_number,  # NaN: too few orders or too short a time to tell
        "trend_orders": _number,  # orders that the trend lies on; 0: none is told
        "last_receipt_on": Column("day", nullable=True),
        "source": _text,
        "explanation_template": _text,
        "explanation_values": Column("text"),  # a dict per row
    },
    key=("supplier", "item_code"),
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

# One order per supplier, currency and ship-to warehouse, most money at risk first.
ORDERS = Table(
    "Orders",
    {
        "supplier": _text,
        "currency": _text,
        "ship_to": _opt_text,
        "order_rank": _number,  # 1: act on it first
        "lines": _number,
        "amount": _number,  # in `currency`
        "base_amount": _number,
        "money_at_risk": _number,  # company currency
        "schedule_date": Column("day"),  # the earliest line
        "order_by": Column("day"),  # the most urgent line
        "ordered_on": Column("day", nullable=True),  # the day on which it leaves; NaT: as_of + 1
    },
    key=("supplier", "currency", "ship_to"),
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

# ---- orders and prices that are watched ----

# What is still to come on submitted orders, one row per line, where it is to arrive.
OPEN_ORDERS = Table(
    "Open orders",
    {
        "item_code": _text,
        "warehouse": _text,
        "supplier": _opt_text,
        "purchase_order": _text,
        "order_line": _text,  # Purchase Order Item.name
        "ordered_on": _day,
        "due_on": _day,  # the agreed date
        "open_qty": _number,  # stock UOM
        "unit_cost": _zero,  # company currency per stock UOM
    },
    key=("order_line",),
)

# What was paid or asked for, one row per order line or quotation line.
PAID = Table(
    "Prices paid",
    {
        "item_code": _text,
        "supplier": _text,
        "day": _day,
        "base_rate": _number,  # company currency per stock UOM
        "kind": _text,  # order | quotation | price list
    },
)
# ---- within the company: who supplies whom, and what goods are made of ----

# Warehouses that are planned; one that is left out appears nowhere.
NETWORK = Table(
    "Supply network",
    {
        "warehouse": _text,
        "supplied_by": _opt_text,  # the warehouse that its needs are asked of; "": it buys for itself
        "planning_group": _opt_text,  # warehouses of one group help each other out with what they have too much of
        "transfer_days": _opt_number,  # until goods of supplied_by are there; NaN: as the settings say
    },
    key=("warehouse",),
)

# Default bills of materials, one level. A component may stand there twice; its quantities are added up.
BOMS = Table(
    "Bills of materials",
    {
        "item_code": _text,
        "component": _text,
        "qty_per": _number,  # stock UOM of the component per stock UOM of the item
        "warehouse": _opt_text,  # where the component is taken from; "": the warehouse that makes the item
        "is_stocked": Column("flag", default=True),  # False: a phantom, its own components are taken instead
    },
)

# Requests that a person refused and that may not come back yet.
REFUSED_REQUESTS = Table(
    "Refused requests", {"item_code": _text, "warehouse": _text, "request_type": _text, "from_warehouse": _opt_text}
)

# What is asked for within the company, one row per line of a Material Request.
REQUESTS = Table(
    "Requests",
    {
        "item_code": _text,
        "warehouse": _text,  # where the goods are needed
        "request_type": _text,  # one of REQUEST_TYPES
        "from_warehouse": _opt_text,  # where they are taken from; "" for what is made
        "qty": _number,  # stock UOM
        "stock_uom": _opt_text,
        "need_on": Column("day"),
        "schedule_date": Column("day"),  # need_on, or the earliest day that is possible
        "order_by": Column("day"),  # the last day to start for need_on (never before as_of + 1)
        "order_on": Column("day"),  # need_on - lead time - approval time; may be over
        "days_late": _number,  # schedule_date - need_on
        "days_lost": _number,  # how long order_on is over
        "money_at_risk": _number,
        "reason_template": _text,
        "reason_values": Column("text"),
        "evidence": Column("text"),  # dict of frozen inputs; purchasing.requests.recompute_request gives qty
    },
    key=("item_code", "warehouse", "request_type", "from_warehouse"),
)
TRANSFER, MANUFACTURE = "Material Transfer", "Manufacture"
REQUEST_TYPES = (TRANSFER, MANUFACTURE)
