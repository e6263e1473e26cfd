"""What a run has learned, kept on the site so that one item can be forecast at once without the others.

One state per company and kind, replaced as a whole. The rows are written and read by the app alone: no role has a right
on them. A process keeps the last states it used, told by their digest, so that a second request reads a line only.
"""

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from erp_forecast_addon.services import state_bytes
from erp_forecast_addon.site import doctypes, state_queries
from erp_forecast_addon.site.port import Site

DOCTYPE: Final = "Forecast State"
# A statement with one part stays far below MariaDB's smallest usual max_allowed_packet.
_LETTERS_PER_PART: Final = 1_900_000
_STATES_PER_PROCESS: Final = 4

_held: "OrderedDict[str, Any]" = OrderedDict()


@dataclass(frozen=True)
class Kept:
    """state: as it was saved; version, data_hash: as given then; learned_at: site time."""

    state: Any
    version: str
    data_hash: str
    learned_at: datetime


def save(site: Site, company: str, kind: str, state: Any, *, version: str, data_hash: str = "") -> int:
    """Replace the company's state of this kind; returns its size in bytes. Commits.

    version: of the code that made it (load refuses another); data_hash: of the data that it was learned from.
    state: what state_bytes can write: dataclasses of the planner, numpy arrays, models of scikit-learn.
    """
    content = state_bytes.to_bytes(state)
    text = base64.b64encode(content).decode("ascii")
    pieces = [text[at : at + _LETTERS_PER_PART] for at in range(0, len(text), _LETTERS_PER_PART)]
    digest = hashlib.sha256(content).hexdigest()
    rows = pd.DataFrame({
        "company": company, "kind": kind, "version": version, "data_hash": data_hash, "digest": digest,
        "part": range(len(pieces)), "parts": len(pieces), "size_bytes": len(content), "content": pieces,
    })  # fmt: skip
    site.upsert_rows(DOCTYPE, rows, doctypes.UNIQUE_KEYS[DOCTYPE])
    site.execute(state_queries.delete_parts(site.qb, company, kind, len(pieces)))
    site.commit()
    _hold(digest, state)
    return len(content)


def load(site: Site, company: str, kind: str, *, version: str) -> Kept | None:
    """The company's state of this kind; None if there is none, or only one of another version.

    Raises BadInput when what stands there is damaged or was not written by this app.
    """
    heads = site.fetch(state_queries.head(site.qb, company, kind))
    if heads.empty or heads["version"].iloc[0] != version:
        return None
    head = heads.iloc[0]
    digest = str(head["digest"])
    if digest not in _held:
        content = _content(site, company, kind)
        if hashlib.sha256(content).hexdigest() != digest:
            return None  # replaced between the two reads, or cut off: as good as none
        _hold(digest, state_bytes.from_bytes(content))
    _held.move_to_end(digest)
    return Kept(_held[digest], version, str(head["data_hash"] or ""), pd.Timestamp(head["modified"]).to_pydatetime())


def forget(site: Site, company: str) -> None:
    """Delete all that was learned for a company. Commits."""
    site.execute(state_queries.delete_company(site.qb, company))
    site.commit()


def _content(site: Site, company: str, kind: str) -> bytes:
    parts = site.fetch(state_queries.parts(site.qb, company, kind))
    return base64.b64decode("".join(parts["content"]))


def _hold(digest: str, state: Any) -> None:
    _held[digest] = state
    _held.move_to_end(digest)
    while len(_held) > _STATES_PER_PROCESS:
        _held.popitem(last=False)
