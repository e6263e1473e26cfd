"""Whom to remind of an order that is about to cost a sale, and when: hourly, and from one approver to the next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# The job that reminds comes hourly but not to the minute.
_AN_HOUR: Final = timedelta(minutes=55)


@dataclass(frozen=True)
class ReminderRules:
    """hours_before: the deadline from which on people are reminded; escalate_hours: how long each of them is asked
    before the next one is asked too, 0: never."""

    hours_before: float = 24.0
    escalate_hours: float = 3.0


@dataclass(frozen=True)
class Reminder:
    """step: place of the approver to ask in the list; since: when the first one was asked of this deadline."""

    step: int
    since: datetime
    is_new: bool  # this approver has not been asked before


def next_reminder(
    now: datetime,
    deadline: datetime | None,
    approvers: int,
    rules: ReminderRules,
    asked_since: datetime | None = None,
    reminded_at: datetime | None = None,
    asked_step: int = -1,
) -> Reminder | None:
    """The reminder that is due now, None for none. approvers: how many could be asked, the first first.

    asked_since, reminded_at, asked_step: of the reminders so far. One that was sent within the hour is not repeated,
    however often this is asked. A deadline that passed unheeded is followed by the next one and goes on from there.
    """
    if deadline is None or approvers < 1 or deadline - now > timedelta(hours=rules.hours_before):
        return None
    if reminded_at is not None and now - reminded_at < _AN_HOUR:
        return None
    since = asked_since or now
    waited_hours = (now - since).total_seconds() / 3600.0
    step = int(waited_hours // rules.escalate_hours) if rules.escalate_hours > 0.0 else 0
    step = min(max(step, asked_step, 0), approvers - 1)
    return Reminder(step, since, step > asked_step)
