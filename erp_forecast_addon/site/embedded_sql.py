"""How single values stand in an embedded site's file: dates as ISO text, moments with a space as in MariaDB."""

import re
from datetime import date, datetime
from typing import Any

from erp_forecast_addon.site import frames

# PyPika writes datetimes as '2026-11-21T02:00:00'. Text orders by time only where all of it has one form: microseconds.
_MOMENT = re.compile(r"'(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?'")


def literal_moments_as_stored(sql: str) -> str:
    return _MOMENT.sub(lambda found: f"'{found[1]} {found[2]}.{found[3] or '':0<6}'", sql)


def stored_value(value: Any, kind: str) -> Any:
    """A value of a document as it is stored in a column of that kind."""
    plain = frames.as_json(frames.plain_value(value))
    if plain is None:
        return 0 if kind in ("number", "integer") else None
    if isinstance(plain, datetime):
        return plain.date().isoformat() if kind == "day" else plain.isoformat(sep=" ", timespec="microseconds")
    if isinstance(plain, date):
        return plain.isoformat()
    if isinstance(plain, bool):
        return int(plain)
    return plain
