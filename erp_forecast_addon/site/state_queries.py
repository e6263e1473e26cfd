"""What is read of and deleted from Forecast State, as PyPika builders that run on both sites."""

from typing import Any


def head(qb: Any, company: str, kind: str) -> Any:
    """Version, hashes and time of a state, without its content."""
    state = qb.DocType("Forecast State")
    query = qb.from_(state).select(state.version, state.data_hash, state.digest, state.modified)
    return query.where((state.company == company) & (state.kind == kind) & (state.part == 0))


def parts(qb: Any, company: str, kind: str) -> Any:
    state = qb.DocType("Forecast State")
    query = qb.from_(state).select(state.content).where((state.company == company) & (state.kind == kind))
    return query.orderby(state.part)


def delete_parts(qb: Any, company: str, kind: str, since_part: int) -> Any:
    """Parts of a longer state that stood there before."""
    state = qb.DocType("Forecast State")
    mine = (state.company == company) & (state.kind == kind)
    return qb.from_(state).delete().where(mine & (state.part >= since_part))


def delete_company(qb: Any, company: str) -> Any:
    state = qb.DocType("Forecast State")
    return qb.from_(state).delete().where(state.company == company)
