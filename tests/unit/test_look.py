"""A look after an event sees what a plan of the same stock and documents would."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks import purchasing_company
from benchmarks.purchasing_company import AS_OF, Company
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.replenishment import Looked, Replenishment, Standing, look, packed, replenish, unpacked

NOTHING_TO_FILL = {"min_order_amount": 0.0, "truck_weight": 0.0, "truck_volume": 0.0}
LINE = ["supplier", "currency", "ship_to", "qty", "uom", "stock_qty", "rate", "base_amount"]
DAYS = ["need_on", "schedule_date", "order_by"]
PAIR = ["item_code", "warehouse"]


@pytest.fixture(scope="module")
def company() -> Company:
    """Every pair alone: no network, no budget, no minimum to fill, nobody takes the place of the usual supplier."""
    made = purchasing_company.make(400, 20)
    terms = OrderTerms(made.supply.terms.terms.assign(**NOTHING_TO_FILL), made.supply.terms.days_off)
    settings = replace(made.settings, weekly_budget=0.0, weekly_cash_limit=0.0, alternative_suppliers="Offer")
    return replace(made, settings=settings, supply=replace(made.supply, network=Network(), terms=terms))


def planned(company: Company, as_of=AS_OF, **changes) -> Replenishment:
    return replenish(company.outlook(), company.positions, company.supply, replace(company.settings, **changes), as_of)


def looked_at(company: Company, plan: Replenishment, days: int = 0, **changes) -> Looked:
    ready = unpacked(plan.ready.item_code, plan.ready.warehouse, packed(plan.ready))
    at = company.positions.set_index(PAIR).reindex(pd.MultiIndex.from_arrays([ready.item_code, ready.warehouse]))
    standing = Standing(at["on_hand_qty"].fillna(0.0).to_numpy(), np.ones(len(ready), bool), company.supply.dated)
    made_on = np.full(len(ready), np.datetime64(AS_OF, "D"))
    now = AS_OF + timedelta(days=days)
    return look(ready, made_on, standing, company.supply.terms, replace(company.settings, **changes), now)


def after_an_event(company: Company, share: float) -> Company:
    """Stock has been sold or has come in since."""
    random = np.random.default_rng(5)
    sold = np.round(company.positions["on_hand_qty"] * random.uniform(share, 1.4, len(company.positions)))
    return replace(company, positions=company.positions.assign(on_hand_qty=sold))


def same_lines(looked: Looked, plan: Replenishment) -> None:
    lines = pd.DataFrame(looked.lines).set_index(PAIR).sort_index()
    ready = pd.MultiIndex.from_arrays([plan.ready.item_code, plan.ready.warehouse])
    expected = plan.proposals.set_index(PAIR).sort_index()
    expected = expected[expected.index.isin(ready)]
    assert len(expected) > 50
    assert lines.index.tolist() == expected.index.tolist()
    lines.index = expected.index
    pd.testing.assert_frame_equal(lines[LINE], expected[LINE], check_dtype=False, rtol=1e-9)
    for day in DAYS:
        np.testing.assert_array_equal(pd.to_datetime(lines[day]).to_numpy(), expected[day].to_numpy())


CHANGES = [
    {}, {"policy_method": "Fill Rate"}, {"policy_method": "Least Cost"}, {"policy_method": "Cycle Service Level"},
    {"policy_method": "Buffers"}, {"review": "Periodic", "review_period_days": 7}, {"approval_days": 0},
    {"demand_fence_days": 5}, {"ship_to": "Per Warehouse"},
    {"take_price_breaks": False}, {"production_horizon_days": 0},
]  # fmt: skip


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_same_lines_as_a_plan(company, changes):
    before = planned(company, **changes)
    assert len(before.ready) > 300
    later = after_an_event(company, 0.0)
    levels = replenish(
        later.outlook(), later.positions, later.supply, replace(later.settings, **changes), AS_OF, before.levels
    )
    same_lines(looked_at(later, before, **changes), levels)


def test_the_same_position_as_a_plan(company):
    plan = planned(company)
    position = plan.policies.set_index(PAIR)["position_qty"]
    at = pd.MultiIndex.from_arrays([plan.ready.item_code, plan.ready.warehouse])
    np.testing.assert_allclose(looked_at(company, plan).position_qty, position.reindex(at))


def test_days_later_the_calendar_and_the_forecast_have_moved_on(company):
    before = planned(company)
    later = replenish(
        company.outlook(), company.positions, company.supply, company.settings, AS_OF + timedelta(days=3), before.levels
    )
    same_lines(looked_at(company, before, days=3), later)


def test_an_old_plan_is_not_looked_at(company):
    plan = planned(company)
    assert not looked_at(company, plan, days=60).lines
    assert np.isnan(looked_at(company, plan, days=60).position_qty).all()
    assert np.isnan(looked_at(company, plan, days=-1).position_qty).all()


def test_what_a_person_put_to_rest_is_not_ordered(company):
    plan = planned(company)
    ready = plan.ready
    nothing = Standing(np.zeros(len(ready)), np.zeros(len(ready), bool), company.supply.dated)
    planned_on = np.full(len(ready), np.datetime64(AS_OF, "D"))
    assert not look(ready, planned_on, nothing, company.supply.terms, company.settings, AS_OF).lines


def test_pairs_that_ask_each_other_are_left_to_the_plan():
    made = purchasing_company.make(400, 20)
    plan = planned(made)
    houses = set(plan.ready.warehouse)
    assert houses == set()  # each house supplies, is supplied or lends


def test_who_is_blocked_or_has_no_supplier_is_left_out(company):
    blocked = company.supply.sourcing.assign(blocked_reason="On hold.")
    some = replace(company, supply=replace(company.supply, sourcing=blocked))
    assert len(planned(some).ready) == 0
    assert packed(planned(some).ready) == []


@pytest.mark.parametrize("text", ["", "{}", "[0]", "[2,1]", "nonsense"])
def test_a_text_that_cannot_be_read_is_said(text):
    with pytest.raises(BadInput, match=r"ITEM in Stores .* cannot be read"):
        unpacked(["ITEM"], ["Stores"], [text])
