"""Signing a webhook, and checking a signature the way a supplier does.

HMAC-SHA256 (RFC 2104) over the timestamp, a full stop and the body's bytes: the timestamp is signed too, so that an old
message cannot be replayed later. Pure.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

TIMESTAMP: Final = "X-Forecast-Timestamp"
SIGNATURE: Final = "X-Forecast-Signature"
KEY: Final = "Idempotency-Key"
SCHEME: Final = "v1"
SHORTEST_SECRET: Final = 16
TOLERANCE_SECONDS: Final = 300


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """v1=HEX; timestamp in seconds since 1970 (UTC)."""
    signed = str(timestamp).encode() + b"." + body
    return f"{SCHEME}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def signed_headers(secret: str, timestamp: int, body: bytes, key: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json; charset=utf-8",
        KEY: key,
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(secret, timestamp, body),
    }


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """What a receiver checks: the signature, in constant time, and that the message is of these minutes."""
    stamp = headers.get(TIMESTAMP, "")
    if not stamp.isdigit() or abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(signature(secret, int(stamp), body), headers.get(SIGNATURE, ""))
