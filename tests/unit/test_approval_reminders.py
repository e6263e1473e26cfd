"""Who is reminded when: hourly at most, and then the next one too."""

from datetime import datetime, timedelta

import pytest

from erp_forecast_addon.planning.purchasing.reminders import ReminderRules, next_reminder

DEADLINE = datetime(2026, 11, 26, 14)
RULES = ReminderRules(hours_before=24.0, escalate_hours=3.0)


def test_nobody_is_reminded_long_before_nor_without_a_deadline():
    assert next_reminder(DEADLINE - timedelta(hours=25), DEADLINE, 2, RULES) is None
    assert next_reminder(DEADLINE, None, 2, RULES) is None
    assert next_reminder(DEADLINE - timedelta(hours=1), DEADLINE, 0, RULES) is None


def test_an_hourly_job_reminds_hourly_and_escalates_to_the_last():
    now, since, last, step = DEADLINE - timedelta(hours=24), None, None, -1
    asked, new = [], []
    for _hour in range(12):
        found = next_reminder(now, DEADLINE, 3, RULES, since, last, step)
        assert found is not None
        asked.append(found.step)
        new.append(found.is_new)
        since, last, step = found.since, now, found.step
        now += timedelta(hours=1)
    assert asked == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert new == [True, False, False, True, False, False, True, False, False, False, False, False]


@pytest.mark.parametrize("minutes", [0, 1, 30, 54])
def test_not_twice_an_hour_however_often_the_job_comes(minutes):
    last = DEADLINE - timedelta(hours=5)
    now = last + timedelta(minutes=minutes)
    assert next_reminder(now, DEADLINE, 1, RULES, last, last, 0) is None


def test_without_escalation_the_first_one_is_asked_for_ever():
    now = DEADLINE - timedelta(hours=1)
    since = now - timedelta(hours=20)
    found = next_reminder(now, DEADLINE, 3, ReminderRules(24.0, 0.0), since, now - timedelta(hours=2), 0)
    assert found is not None
    assert found.step == 0


def test_who_was_asked_stays_asked_when_the_deadline_moves_on():
    late = DEADLINE + timedelta(hours=1)
    found = next_reminder(late, DEADLINE + timedelta(days=1), 3, RULES, late, late - timedelta(hours=1), 2)
    assert found is not None
    assert found.step == 2
