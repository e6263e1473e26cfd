"""How much a person may approve, by his own right or for somebody who has delegated it to him.

Amounts in company currency; no limit is infinity, no right at all is 0. A delegation never gives more than the one who
delegates has himself at that moment, and what somebody holds by delegation cannot be passed on.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

NO_LIMIT: Final = float("inf")


@dataclass(frozen=True)
class ApproverRow:
    """A row of the company's approvers: a role or a user, and up to how much; 0: without limit."""

    role: str
    user: str
    limit: float


@dataclass(frozen=True)
class Delegation:
    """from_user lets to_user approve for him from from_day to to_day, both included, up to limit; 0: as much as he."""

    name: str
    from_user: str
    to_user: str
    from_day: date
    to_day: date
    limit: float = 0.0


@dataclass(frozen=True)
class Authority:
    """limit: the largest order; on_behalf_of: whose right it is, "" his own; delegation: its name."""

    limit: float = 0.0
    on_behalf_of: str = ""
    delegation: str = ""


def own_limit(user: str, roles: Collection[str], rows: Iterable[ApproverRow], approver_role: str) -> float:
    """Up to how much the user may approve by his own right.

    Only who has `approver_role` may at all. Without rows he has no limit; with rows he has the highest of those that
    name him or one of his roles, and none that names him means no right.
    """
    if approver_role not in roles:
        return 0.0
    listed = list(rows)
    if not listed:
        return NO_LIMIT
    his = [row.limit or NO_LIMIT for row in listed if row.user == user or (not row.user and row.role in roles)]
    return max(his, default=0.0)


def authority(user: str, day: date, delegations: Iterable[Delegation], limit_of: Callable[[str], float]) -> Authority:
    """The most the user may approve on `day`. limit_of: own_limit of any user, 0 for one who may not any more.

    His own right comes first where it reaches as far.
    """
    best = Authority(limit_of(user))
    for each in delegations:
        if each.to_user != user or each.from_user == user or not each.from_day <= day <= each.to_day:
            continue
        limit = min(limit_of(each.from_user), each.limit or NO_LIMIT)
        if limit > best.limit:
            best = Authority(limit, each.from_user, each.name)
    return best
