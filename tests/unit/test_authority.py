"""How much a person may approve, by his own right or by delegation."""

from datetime import date

from erp_forecast_addon.planning.purchasing.authority import (
    NO_LIMIT,
    ApproverRow,
    Authority,
    Delegation,
    authority,
    own_limit,
)

ROLE = "Forecast Approver"
DAY = date(2026, 11, 21)
LIMITS = {"ann": 1000.0, "bob": 200.0, "boss": NO_LIMIT}


def lent(to: str, of: str = "boss", limit: float = 0.0, first: date = DAY, last: date = DAY) -> Delegation:
    return Delegation("D", of, to, first, last, limit)


def may(user: str, *delegations: Delegation, day: date = DAY) -> Authority:
    return authority(user, day, delegations, lambda name: LIMITS.get(name, 0.0))


def test_without_rows_the_role_alone_decides():
    assert own_limit("ann", [ROLE], [], ROLE) == NO_LIMIT
    assert own_limit("ann", ["Purchase Manager"], [], ROLE) == 0.0


def test_with_rows_the_highest_that_names_him_or_his_role_counts():
    rows = [ApproverRow(ROLE, "", 500.0), ApproverRow("", "ann", 2000.0), ApproverRow("Director", "", 0.0)]
    assert own_limit("bob", [ROLE], rows, ROLE) == 500.0
    assert own_limit("ann", [ROLE], rows, ROLE) == 2000.0
    assert own_limit("dora", [ROLE, "Director"], rows, ROLE) == NO_LIMIT
    assert own_limit("ann", ["Director"], rows, ROLE) == 0.0, "a row gives no right without the role"


def test_who_no_row_names_may_not():
    assert own_limit("bob", [ROLE], [ApproverRow("", "ann", 100.0)], ROLE) == 0.0


def test_a_row_for_a_user_is_for_nobody_else_of_its_role():
    assert own_limit("bob", [ROLE], [ApproverRow(ROLE, "ann", 100.0)], ROLE) == 0.0


def test_a_delegation_gives_what_the_delegator_has_and_no_more():
    assert may("bob", lent("bob", "ann")) == Authority(1000.0, "ann", "D")
    assert may("bob", lent("bob", "ann", limit=5000.0)).limit == 1000.0
    assert may("bob", lent("bob", "ann", limit=700.0)).limit == 700.0
    assert may("bob", lent("bob", "boss")).limit == NO_LIMIT


def test_his_own_right_comes_first_where_it_reaches_as_far():
    assert may("ann", lent("ann", "bob")) == Authority(1000.0)


def test_a_delegation_holds_on_its_days_only():
    delegation = lent("bob", "ann", first=date(2026, 11, 20), last=date(2026, 11, 22))
    assert [may("bob", delegation, day=date(2026, 11, day)).limit for day in (19, 20, 22, 23)] == [200, 1000, 1000, 200]


def test_there_are_no_chains():
    # boss lets ann, ann lets bob: bob gets ann's own right, not the boss's.
    assert may("bob", lent("ann", "boss"), lent("bob", "ann")).limit == 1000.0


def test_who_may_not_any_more_gives_nothing():
    assert may("bob", lent("bob", "gone")) == Authority(200.0)
