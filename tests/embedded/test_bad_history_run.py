"""Bad histories and events in a whole run: what the exception says, and that the sound items' forecasts stay.

The same shop is planned twice, with and without what is bad. Sound items share profiles, weights and alignment with a
bad one, so theirs may move by TOLERANCE of their mean; where nothing of it is learned from, they are the same.
"""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

SOUND = [f"Sound {number:02d}" for number in range(24)]
BAD, DAYS = "Bad", 430
# One series of 25 may move what all of them share by so much of a sound item's mean.
TOLERANCE = 0.05


def made_shop(path: Path) -> EmbeddedShop:
    shop = EmbeddedShop(path)
    rng = np.random.default_rng(8)
    for code in SOUND:
        history(shop, code, rng.poisson(rng.gamma(3, 2), DAYS).astype(float))
    return shop


def history(shop: EmbeddedShop, item_code: str, sold: np.ndarray, received: float | None = None) -> None:
    """A receipt, then these sales (returns: below 0) day by day up to yesterday."""
    shop.item(item_code)
    supply = sold.clip(min=0).sum() + 20 if received is None else received
    moved = np.concatenate([[supply], -sold])
    last = pd.Timestamp(shop.today - timedelta(days=1))
    rows = pd.DataFrame({
        "item_code": item_code, "warehouse": shop.warehouse, "actual_qty": moved,
        "qty_after_transaction": moved.cumsum(), "posting_date": pd.date_range(end=last, periods=len(moved)),
        "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * len(sold),
    })  # fmt: skip
    shop.ledger(rows[rows["actual_qty"] != 0])


@pytest.fixture
def shop(tmp_path: Path) -> EmbeddedShop:
    return made_shop(tmp_path / "shop.db")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    shop = made_shop(tmp_path_factory.mktemp("sound") / "shop.db")
    assert shop.run()["status"] == "Completed"
    return curves(shop)


def curves(shop: EmbeddedShop) -> dict[str, np.ndarray]:
    """item_code -> the curve's means."""
    found = {row["item_code"]: row["curve"] for row in shop.rows("Demand Forecast")}
    return {
        code: np.array((json.loads(curve) if isinstance(curve, str) else curve)["mean"], dtype=float)
        for code, curve in found.items()
    }


def planned(shop: EmbeddedShop, before: dict[str, np.ndarray]) -> float:
    """Run; by how much of its mean the sound item's forecast moved that moved most."""
    run = shop.run()
    assert run["status"] == "Completed", run["error"]
    after = curves(shop)
    return max(float(np.abs(after[code] - before[code]).mean() / before[code].mean()) for code in SOUND)


def told(shop: EmbeddedShop, kind: str, item_code: str | None = None) -> str:
    (case,) = [case for case in shop.cases(exception_type=kind) if item_code in (None, case["item_code"])]
    return str(case["message"])


def kinds_of_bad(shop: EmbeddedShop) -> set[str]:
    """What is said of the bad item's history; none of the items here has a supplier or a lead time."""
    return {case["exception_type"] for case in shop.cases(item_code=BAD)} - {"No Supplier", "No Lead Time"}


def regular(mean: float = 6.0) -> np.ndarray:
    return np.random.default_rng(2).poisson(mean, DAYS).astype(float)


Before = dict[str, np.ndarray]


def test_a_constant_series(shop: EmbeddedShop, undisturbed: Before) -> None:
    history(shop, BAD, np.full(DAYS, 5.0))
    assert planned(shop, undisturbed) < TOLERANCE
    assert kinds_of_bad(shop) == set()
    assert curves(shop)[BAD].mean() == pytest.approx(5.0, rel=0.1)


def test_all_zeros(shop: EmbeddedShop, undisturbed: Before) -> None:
    history(shop, BAD, np.zeros(DAYS))
    assert planned(shop, undisturbed) < TOLERANCE
    assert "Nothing was sold or issued in" in told(shop, "Too Little History", BAD)
    assert not curves(shop)[BAD].any()


def test_one_observation(shop: EmbeddedShop, undisturbed: Before) -> None:
    shop.item(BAD)
    shop.move(BAD, -7, 0)
    assert planned(shop, undisturbed) < TOLERANCE
    assert "a single day of history" in told(shop, "Too Little History", BAD)


def test_a_year_without_stock(shop: EmbeddedShop, undisturbed: Before) -> None:
    sold = regular()
    sold[30:395] = 0.0
    history(shop, BAD, sold, received=sold[:30].sum())
    shop.move(BAD, 20 + sold[395:].sum(), 20 + sold[395:].sum(), day=shop.today - timedelta(days=DAYS - 395 + 1))
    assert planned(shop, undisturbed) < TOLERANCE
    assert "Bad Data" not in kinds_of_bad(shop)
    assert curves(shop)[BAD].mean() > 0


def test_returns_that_outweigh_all_sales(shop: EmbeddedShop, undisturbed: Before) -> None:
    sold = np.zeros(DAYS)
    sold[[40, 200]] = 4.0
    history(shop, BAD, sold)
    shop.site.insert_rows("Delivery Note", pd.DataFrame({
        "name": ["R-1"], "company": shop.company, "posting_date": [shop.today - timedelta(days=30)], "is_return": 1,
    }))  # fmt: skip
    shop.move(BAD, 100, 112, day=shop.today - timedelta(days=30))
    last = shop.rows("Stock Ledger Entry", item_code=BAD, actual_qty=100.0)[0]["name"]
    shop.site.set_fields("Stock Ledger Entry", last, {"voucher_type": "Delivery Note", "voucher_no": "R-1"})
    shop.site.commit()
    assert planned(shop, undisturbed) < TOLERANCE
    assert "return" in told(shop, "Bad Data", BAD).lower()
    assert not curves(shop)[BAD].any()


def test_a_huge_spike(shop: EmbeddedShop, undisturbed: Before) -> None:
    sold = regular()
    sold[-40] = 1e7
    history(shop, BAD, sold)
    assert planned(shop, undisturbed) < TOLERANCE
    assert told(shop, "Outlier", BAD)
    assert curves(shop)[BAD].mean() == pytest.approx(6.0, rel=0.25)


def test_a_repeated_demand_bucket_cannot_be_stored(shop: EmbeddedShop, undisturbed: Before) -> None:
    """The site holds each day of a pair once, so a run never meets what tests/unit/test_bad_history.py tells of."""
    history(shop, BAD, regular())
    shop.run()
    bucket = shop.rows("Demand Bucket", item_code=BAD)[0]
    again = pd.DataFrame([{name: bucket[name] for name in ("item_code", "warehouse", "day", "demand_qty")}])
    with pytest.raises(Exception, match=r"(?i)unique"):
        shop.site.insert_rows("Demand Bucket", again)
    shop.site.rollback()
    assert planned(shop, undisturbed) < TOLERANCE


def test_a_signal_that_ends_before_the_horizon(shop: EmbeddedShop, undisturbed: Before) -> None:
    noise = np.random.default_rng(4).normal(15, 5, 300)
    days = [shop.today - timedelta(days=310 - at) for at in range(300)]
    shop.site.insert_document("Demand Event", {
        "title": "Degrees", "event_type": "Weather",
        "series": [{"date": day, "value": value} for day, value in zip(days, noise.tolist(), strict=True)],
    })  # fmt: skip
    shop.site.commit()
    assert planned(shop, undisturbed) < TOLERANCE
    assert "Degrees" in told(shop, "Demand Event")
    assert "taken to have no influence; add the later values" in told(shop, "Demand Event")


@pytest.mark.parametrize("scope", [{"item_group": "No Such Group"}, {"brand": "Nobody"}])
def test_an_unknown_scope(shop: EmbeddedShop, undisturbed: Before, scope: dict[str, str]) -> None:
    shop.site.insert_document("Demand Event", {
        "title": "Fair", "event_type": "Promotion", "from_date": shop.today, "to_date": shop.today, **scope,
    })  # fmt: skip
    shop.site.commit()
    assert planned(shop, undisturbed) == 0
    assert next(iter(scope.values())) in told(shop, "Demand Event")
    assert "all else is planned as before" in told(shop, "Demand Event")
