"""What an answer means, and when the next attempt is made. Pure: the clock and the seed are arguments."""

import hashlib
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Final

# Outcomes of one attempt.
RECEIVED, RETRY, REFUSED, UNCLEAR = "received", "retry", "refused", "unclear"

DEFAULT_ATTEMPTS: Final = 12
_FIRST_WAIT_SECONDS: Final = 60.0
_LONGEST_WAIT_SECONDS: Final = 6 * 3600.0
# A supplier may ask for more patience than we have of ourselves, but not for more than a day.
_LONGEST_ASKED_SECONDS: Final = 24 * 3600.0
_DUPLICATE: Final = 409
# Request Timeout, Too Early, Too Many Requests: the same request may be good later.
_TRANSIENT: Final = frozenset({408, 425, 429})


def outcome_of(code: int) -> str:
    """What an HTTP answer means: 2xx arrived, 409 arrived before, 408/425/429 and 5xx later again, the rest never."""
    if 200 <= code < 300 or code == _DUPLICATE:
        return RECEIVED
    return RETRY if code in _TRANSIENT or code >= 500 else REFUSED


def wait_seconds(attempt: int, seed: str, asked_seconds: float | None = None) -> float:
    """Seconds to wait after the `attempt`-th failure (1, 2, …).

    Exponential backoff with jitter over its upper half: 60 s · 2^(attempt-1), six hours at most, times a share in
    [0.5, 1] drawn from the seed, so that a hundred orders that failed together do not come back together. At least
    what the supplier asked for (Retry-After), up to a day.
    """
    full = min(_FIRST_WAIT_SECONDS * 2.0 ** min(attempt - 1, 60), _LONGEST_WAIT_SECONDS)
    asked = min(asked_seconds or 0.0, _LONGEST_ASKED_SECONDS)
    return max(full * (0.5 + 0.5 * _share(f"{seed}:{attempt}")), asked)


def asked_wait_seconds(retry_after: str | None, now: datetime) -> float | None:
    """Retry-After as seconds from `now` (with a time zone): a number or an HTTP date (RFC 9110, 10.2.3).

    None: not there, or nothing that can be read.
    """
    given = (retry_after or "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, TypeError, IndexError):  # Python 3.10 raises any of them, by what is wrong
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max((moment - now).total_seconds(), 0.0)


def _share(seed: str) -> float:
    """A number in [0, 1) that the seed decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") / 2**64
