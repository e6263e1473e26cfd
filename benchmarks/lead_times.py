"""Learned lead times against real purchase orders: five rolling splits in time.

    python -m benchmarks.lead_times --data DATA [--eval EVAL] [--early]

DATA holds scms_delivery.parquet, or a folder purchase_orders with it; EVAL holds quantiles.py, which judges (default:
the folder eval beside DATA). Orders are cut by the day they were sent, at 50, 60, 70, 80 and 90% of them; what comes
after a split is open on that day, for the learner and for the vendor's empirical quantiles alike, and the orders sent
between a split and the next are told. --early cuts at 20, 30 and 40% instead: where the constants were chosen.

Three questions, each order weighing alike:
- arrival: when is an order here, its agreed date known, as it is on the day of the order;
- lead time: how long do orders take whose agreed date was no later than usual, which is what stock has to cover;
- any order: how long does an order take, its agreed date unknown.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from benchmarks.scripts import load_script
from erp_forecast_addon.planning.inventory import lead_time_delay, lead_time_learning
from erp_forecast_addon.planning.inventory.lead_time_distribution import quantiles
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned

LEVELS = np.arange(1, 100) / 100.0
TAUS = (0.5, 0.8, 0.9, 0.95, 0.98)
SPLITS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
EARLY_SPLITS = (0.2, 0.3, 0.4, 0.5)
DEFAULT_DAYS = 60.0
MOST_POINTS, LEAST_GAIN_PCT = 5.0, 10.0


@dataclass(frozen=True)
class Told:
    """Quantiles of one question on one split. ours, theirs: (n, 99); days, weight: (n,) what came, of which order."""

    ours: np.ndarray
    theirs: np.ndarray
    days: np.ndarray
    weight: np.ndarray

    def only(self, rows: np.ndarray) -> "Told":
        return Told(self.ours[rows], self.theirs[rows], self.days[rows], self.weight[rows])


def orders(source: Path) -> pd.DataFrame:
    """One row per line that says when its order was sent; text columns plain, days as days."""
    raw = pd.read_parquet(source)
    sent = pd.to_datetime(raw["PO Sent to Vendor Date (date)"])
    lines = pd.DataFrame({
        "supplier": raw["Vendor"].astype(object), "item_code": raw["Item Description"].astype(object),
        "purchase_order": raw["PO / SO #"].astype(object), "order_line": raw["ID"].astype(str).astype(object),
        "ordered_on": sent, "schedule_on": pd.to_datetime(raw["Scheduled Delivery Date (date)"]),
        "received_on": pd.to_datetime(raw["Delivered to Client Date (date)"]),
        "stock_qty": raw["Line Item Quantity"].astype(float),
    })  # fmt: skip
    lines = lines[sent.notna()].sort_values("ordered_on", kind="stable", ignore_index=True)
    return lines.assign(
        days=(lines["received_on"] - lines["ordered_on"]).dt.days,
        weight=1.0 / lines.groupby("purchase_order")["order_line"].transform("size"),
    )


def learn(lines: pd.DataFrame, day: pd.Timestamp) -> Learned:
    """What is known on the evening of that day: orders sent, deliveries that have come."""
    sent = lines[lines["ordered_on"] <= day]
    come = sent["received_on"] <= day
    still_open = sent[~come].assign(open_qty=lambda c: c["stock_qty"])
    return lead_time_learning.learn_lead_times(sent[come], still_open, day.date(), DEFAULT_DAYS)


def empirical(lines: pd.DataFrame, day: pd.Timestamp, of: pd.DataFrame, column: str) -> np.ndarray:
    """(n, 99) quantiles of the vendor's deliveries known on that day, each order weighing alike; of all vendors where
    there are none. column: what is told, days or delay."""
    known = lines[(lines["received_on"] <= day) & (lines["days"] >= 0)]
    whole = _quantiles(known[column].to_numpy(dtype=float), known["weight"].to_numpy())
    # A loop over vendors: each has its own sorted list.
    by_vendor = {
        vendor: _quantiles(rows[column].to_numpy(dtype=float), rows["weight"].to_numpy())
        for vendor, rows in known.groupby("supplier")
    }
    return np.array([by_vendor.get(vendor, whole) for vendor in of["supplier"]])


def _quantiles(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    order = np.argsort(values, kind="stable")
    through = np.cumsum(weight[order]) / weight.sum()
    return values[order][np.minimum(np.searchsorted(through, LEVELS - 1e-12), len(values) - 1)]


def tell(lines: pd.DataFrame, day: pd.Timestamp, until: pd.Timestamp) -> tuple[dict[str, Told], float]:
    """Each question on one split, and the seconds that learning took."""
    began = time.perf_counter()
    learned = learn(lines, day)
    seconds = time.perf_counter() - began
    new = lines[(lines["ordered_on"] > day) & (lines["ordered_on"] <= until) & (lines["days"] >= 0)]
    supplier, item = new["supplier"].to_numpy(dtype=object), new["item_code"].to_numpy(dtype=object)
    asked = (new["schedule_on"] - new["ordered_on"]).dt.days.to_numpy(dtype=float)
    own, taken = learned.lead_times.rows_of(supplier, item), learned.delivered.rows_of(supplier, item)
    usual = quantiles(learned.delivered.probability, (0.5,))[taken, 0]
    ample = lead_time_learning.later_than_usual(asked, usual.astype(float))
    arrival = lead_time_delay.arrival(
        learned.lead_times.probability[own], learned.delays, supplier, np.where(asked >= 0, asked, np.nan), ample
    )
    vendor = empirical(lines, day, new, "days")
    by_date = empirical(lines, day, new, "delay") + asked[:, None]
    came, weight = new["days"].to_numpy(dtype=float), new["weight"].to_numpy()

    def told(ours: np.ndarray, theirs: np.ndarray = vendor) -> Told:
        return Told(ours.astype(float), theirs, came, weight)

    by_row = quantiles(learned.lead_times.probability, LEVELS)[own]
    arrives = quantiles(arrival, LEVELS)
    dated = asked >= 0
    return {
        "arrival, agreed date known": told(arrives),
        "the same against agreed date + vendor's delays": told(arrives, by_date).only(dated),
        "lead time, date not later than usual": told(by_row).only(~ample),
        "any order, date unknown": told(quantiles(learned.delivered.probability, LEVELS)[taken]),
    }, seconds


def loss(told: Told, predicted: np.ndarray) -> float:
    """Pinball loss, mean of the levels, weighted by order (eval's pinball knows no weights)."""
    y = told.days[:, None]
    rows = np.where(y >= predicted, LEVELS * (y - predicted), (1.0 - LEVELS) * (predicted - y)).mean(axis=1)
    return float(np.average(rows, weights=told.weight))


def shares(judge: ModuleType, told: Told, predicted: np.ndarray) -> np.ndarray:
    """Share of PIT <= tau for each of TAUS, weighted by order."""
    u = judge.pit(LEVELS, predicted, told.days)
    return np.array([np.average(u <= tau, weights=told.weight) for tau in TAUS])


def report(judge: ModuleType, name: str, splits: list[Told]) -> None:
    weight = np.array([told.weight.sum() for told in splits])
    ours, theirs = (
        np.array([loss(told, getattr(told, side)) for told in splits]) for side in ("ours", "theirs")
    )  # fmt: skip
    pits = np.array([shares(judge, told, told.ours) for told in splits])
    their_pits = np.array([shares(judge, told, told.theirs) for told in splits])
    gain = 100.0 * (1.0 - (weight @ ours) / (weight @ theirs))
    off, their_off = (
        100.0 * np.abs(np.average(each, axis=0, weights=weight) - TAUS).mean() for each in (pits, their_pits)
    )
    per_split = 100.0 * np.abs(pits - TAUS).mean(axis=1)
    print(f"\n{name}: {round(weight.sum()):,} orders")
    print("  split                 " + "".join(f"{at:>9}" for at in range(1, len(splits) + 1)) + "      all")
    print("  pinball, learned      " + _row(ours) + f"{weight @ ours / weight.sum():9.2f}")
    print("  pinball, vendor's     " + _row(theirs) + f"{weight @ theirs / weight.sum():9.2f}")
    lower = 100.0 * (1.0 - ours / theirs)
    print(
        "  lower by (%)          " + _row(lower, 1) + f"{gain:9.1f}{_verdict(gain >= LEAST_GAIN_PCT, LEAST_GAIN_PCT)}"
    )
    print("  points off calibration" + _row(per_split, 1) + f"{off:9.1f}{_verdict(off <= MOST_POINTS, MOST_POINTS)}"
          f"; the vendor's {their_off:.1f}")  # fmt: skip
    print("  share of PIT below    " + _row(np.array(TAUS)))
    print("                        " + _row(np.average(pits, axis=0, weights=weight), 3))


def _row(values: np.ndarray, decimals: int = 2) -> str:
    return "".join(f"{each:9.{decimals}f}" for each in values)


def _verdict(met: bool, limit: float) -> str:
    return f"  ({'met' if met else 'missed'}: {limit:g})"


def _found(places: list[Path]) -> Path | None:
    return next((place for place in places if place.is_file()), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--early", action="store_true", help="the splits on which the constants were chosen")
    given = parser.parse_args()
    source = _found([given.data / name for name in ("scms_delivery.parquet", "purchase_orders/scms_delivery.parquet")])
    if source is None:
        print(f"Skipped: {given.data} holds no scms_delivery.parquet.")
        return 0
    places = [given.eval] if given.eval else [given.data / "../eval", given.data / "../../eval"]
    script = _found([place / "quantiles.py" for place in places])
    judge = load_script(script) if script else None
    if judge is None:
        print(f"Skipped: no quantiles.py in {', '.join(map(str, places))}; name its folder by --eval.")
        return 0
    lines = orders(source)
    lines["delay"] = (lines["received_on"] - lines["schedule_on"]).dt.days
    sent = lines.drop_duplicates("purchase_order")["ordered_on"]
    days = [sent.quantile(share).normalize() for share in (EARLY_SPLITS if given.early else SPLITS)]
    print(f"{len(lines):,} lines of {len(sent):,} orders; splits " + ", ".join(f"{day:%Y-%m-%d}" for day in days[:-1]))
    found: dict[str, list[Told]] = {}
    took = []
    for day, until in pairwise(days):
        told, seconds = tell(lines, day, until)
        took.append(seconds)
        for name, each in told.items():
            found.setdefault(name, []).append(each)
    for name, splits in found.items():
        report(judge, name, splits)
    print(f"\nlearning took {max(took):.1f} s at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
