"""Errors and faults.

An error stops the whole call (the input as a whole is unusable); a fault is a value that says what is wrong with one
item while everything else goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


class PlanningError(Exception):
    """Root of every error that the planner raises on purpose."""


class BadInput(PlanningError):
    """The input is unusable; the message says what is wrong, where, and what to do.

    The message is a template plus values so that a site can translate it.
    """

    def __init__(self, template: str, **values: Any) -> None:
        self.template = template
        self.values = values
        super().__init__(template.format(**values))

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.template).format(**self.values)


class Refused(PlanningError):
    """A person or job asked for something that the records do not allow now (wrong state, already running …)."""


class Busy(Refused):
    """Another job holds what this one needs; nothing is wrong, and the same call works once that job has ended."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one item, warehouse or supplier.

    kind: one of the Planning Exception types (see FAULT_KINDS); template/values: the sentence, translatable;
    money_at_risk: company currency; due_on: the last day on which acting still helps, if there is one.
    """

    kind: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    item_code: str | None = None
    warehouse: str | None = None
    supplier: str | None = None
    money_at_risk: float = 0.0
    due_on: date | None = None
    purchase_order: str | None = None  # the submitted order that the case is about
    order_line: str | None = None  # its line: a case of its own each

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.template).format(**self.values)


# Planning Exception.exception_type has exactly these options (a test compares them).
FAULT_KINDS = (
    "No Supplier",
    "No Lead Time",
    "No Price",
    "No UOM Conversion",
    "Supplier Blocked",
    "Item Disabled",
    "Negative Stock",
    "Too Little History",
    "Outlier",
    "Bad Data",
    "Unavoidable Shortage",
    "Edited Draft Differs",
    "MOQ Above Need",
    "Excess Stock",
    "Order Failed",
    "Not Planned",
    "Forecast Drift",
    "Demand Event",
    "Forecast Override",
    "Item Replacement",
    "Levels Not Written",
    "Late Supply",
    "Expedite Order",
    "Defer Order",
    "Cancel Order",
    "Supplier Going Late",
    "Price Jump",
    "Over Budget",
    "Order Below Minimum",
)
