"""Queries of Policy Replays."""

from typing import Any


def last_completed(qb: Any, company: str) -> Any:
    """name of the company's latest completed replay."""
    replay = qb.DocType("Policy Replay")
    return (
        qb.from_(replay)
        .select(replay.name)
        .where((replay.company == company) & (replay.status == "Completed"))
        .orderby(replay.ended_at, order=qb.desc)
        .limit(1)
    )


def running(qb: Any, company: str) -> Any:
    """name of the company's replays that say that they are running."""
    replay = qb.DocType("Policy Replay")
    return qb.from_(replay).select(replay.name).where((replay.company == company) & (replay.status == "Running"))
