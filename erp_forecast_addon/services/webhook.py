"""One signed POST to a supplier: over `requests`, to an address that was checked, within a time that is kept."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import dispatch_address as addresses
from erp_forecast_addon.services.dispatch_schedule import (
    RECEIVED,
    REFUSED,
    RETRY,
    asked_wait_seconds,
    outcome_of,
)
from erp_forecast_addon.services.dispatch_signature import signed_headers

if TYPE_CHECKING:
    import requests

MOVED = _("The supplier answers with a redirect to {location}. Redirects are not followed: enter the final address.")
NO_ANSWER = _("No answer within {seconds} seconds.")
NOT_REACHED = _("{host} could not be reached: {error}")
BROKEN_OFF = _("The connection to {host} broke off: {error}")
EMPTY = _("The answer {code} had no text.")

_SHOWN_CHARACTERS: Final = 500
_READ_BYTES: Final = 8192
_TAG: Final = re.compile(r"<[^<>]*>")
_BRACKETS: Final = str.maketrans("<>", "‹›")
# Nothing compressed: a few bytes could unfold to gigabytes.
_PLAIN: Final = {"Accept": "application/json, */*", "Accept-Encoding": "identity", "User-Agent": "erp-forecast-addon"}


@dataclass(frozen=True)
class Patience:
    """Seconds: to connect, between two pieces of the answer, and for all of it with the look-up of the name."""

    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    total_seconds: float = 45.0


PATIENCE: Final = Patience()


@dataclass(frozen=True)
class Answer:
    """What came of one attempt. outcome: received | retry | refused | unclear; text: what the supplier said, or what
    went wrong, shortened; may_have_arrived: the message may have been read at the other end, whatever came back."""

    outcome: str
    text: str
    code: int | None = None
    asked_wait_seconds: float | None = None
    may_have_arrived: bool = True
    sent_to: str = ""


def post(
    url: str,
    body: bytes,
    key: str,
    secret: str,
    allowed: addresses.Allowed = addresses.NONE,
    patience: Patience = PATIENCE,
    translate: Callable[[str], str] = str,
    now: Callable[[], float] = time.time,
) -> Answer:
    """POST the body once and say what came of it; never raises for what the network or the supplier does.

    Redirects are not followed and proxies of the environment not used: either would lead elsewhere than checked.
    """
    try:
        where = addresses.target(url, allowed)
    except BadInput as error:
        return Answer(REFUSED, error.sentence(translate), may_have_arrived=False)
    headers = signed_headers(secret, int(now()), body, key)
    sending = _Sending(where, body, headers, allowed, patience, translate)
    return sending.answer()


class _Sending:
    """One attempt in a thread of its own: a look-up or an answer that drips byte by byte has no time-out of its own,
    so the deadline is kept by leaving the thread behind. It ends with its process or with the connection."""

    def __init__(
        self, where: addresses.Target, body: bytes, headers: Mapping[str, str], allowed: addresses.Allowed,
        patience: Patience, translate: Callable[[str], str],
    ) -> None:  # fmt: skip
        self.where, self.body, self.headers = where, body, headers
        self.allowed, self.patience, self.translate = allowed, patience, translate
        self.deadline = time.monotonic() + patience.total_seconds
        self.result: Answer | None = None
        self.error: BaseException | None = None
        self.connecting = False

    def answer(self) -> Answer:
        thread = threading.Thread(target=self._run, daemon=True, name="order-webhook")
        thread.start()
        thread.join(self.patience.total_seconds)
        if self.error is not None:
            raise self.error
        return self.result or self._no_answer()

    def _run(self) -> None:
        try:
            self.result = self._send()
        except Exception as error:  # raised again by whoever waits for this thread
            self.error = error

    def _send(self) -> Answer:
        try:
            found = addresses.resolved(self.where)
        except OSError as error:
            return self._said(RETRY, addresses.NO_SUCH_HOST, arrived=False, host=self.where.host, error=error)
        try:
            address = addresses.checked(self.where, found, self.allowed)
        except BadInput as error:
            return Answer(REFUSED, error.sentence(self.translate), may_have_arrived=False, sent_to=self.where.shown)
        self.connecting = True
        return self._exchange(address)

    def _exchange(self, address: addresses.IPAddress) -> Answer:
        import requests

        try:
            with _session(self.where) as session, self._post(session, address) as response:
                return self._read(response)
        except (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError) as error:
            return self._said(RETRY, NOT_REACHED, arrived=False, host=self.where.host, error=_short(error))
        except requests.exceptions.Timeout:
            return self._no_answer()
        except requests.exceptions.ConnectionError as error:
            refused = "NewConnectionError" in repr(error)
            template = NOT_REACHED if refused else BROKEN_OFF
            return self._said(RETRY, template, arrived=not refused, host=self.where.host, error=_short(error))
        except requests.exceptions.RequestException as error:
            return self._said(RETRY, BROKEN_OFF, arrived=True, host=self.where.host, error=_short(error))

    def _post(self, session: "requests.Session", address: addresses.IPAddress) -> "requests.Response":
        literal = f"[{address}]" if address.version == 6 else str(address)
        return session.post(
            f"{self.where.scheme}://{literal}:{self.where.port}{self.where.path}",
            data=self.body,
            headers={**self.headers, **_PLAIN, "Host": self.where.host_header},
            timeout=(self.patience.connect_seconds, self.patience.read_seconds),
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response: "requests.Response") -> Answer:
        code = response.status_code
        if 300 <= code < 400:
            location = _clean(response.headers.get("Location", ""))
            return self._said(REFUSED, MOVED, arrived=False, code=code, location=location)
        text = self._text_of(response) or self.translate(EMPTY).format(code=code)
        outcome = outcome_of(code)
        asked = asked_wait_seconds(response.headers.get("Retry-After"), datetime.now(timezone.utc))
        arrived = outcome == RECEIVED or code >= 500
        return Answer(outcome, text, code, asked, arrived, self.where.shown)

    def _text_of(self, response: "requests.Response") -> str:
        """The beginning of the body. That it breaks off changes nothing: the status has been said."""
        import requests

        read = b""
        try:
            for piece in response.iter_content(1024):
                read += piece
                if len(read) >= _READ_BYTES or time.monotonic() > self.deadline:
                    break
        except requests.exceptions.RequestException:
            pass
        return _clean(read.decode(response.encoding or "utf-8", errors="replace"))

    def _no_answer(self) -> Answer:
        seconds = f"{self.patience.total_seconds:g}"
        return self._said(RETRY, NO_ANSWER, arrived=self.connecting, seconds=seconds)

    def _said(self, outcome: str, template: str, arrived: bool, code: int | None = None, **values: Any) -> Answer:
        text = self.translate(template).format(**values)
        return Answer(outcome, text, code, may_have_arrived=arrived, sent_to=self.where.shown)


def _session(where: addresses.Target) -> "requests.Session":
    """A session that talks to an address but checks the certificate of the host."""
    import requests
    from requests.adapters import HTTPAdapter

    class ToCheckedAddress(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            if where.scheme == "https":
                kwargs |= {"server_hostname": where.host, "assert_hostname": where.host}
            super().init_poolmanager(*args, **kwargs)

    session = requests.Session()
    session.trust_env = False
    session.mount(f"{where.scheme}://", ToCheckedAddress(max_retries=0))
    return session


def _clean(text: str) -> str:
    """One line, without control characters, short enough for a list; and nothing that a browser would take for markup,
    as it is another's text and is shown to people who may do much."""
    plain = _TAG.sub(" ", text).translate(_BRACKETS)
    line = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"


def _short(error: Exception) -> str:
    """The innermost reason: requests and urllib3 wrap it two or three times."""
    inner: Any = error
    while getattr(inner, "args", ()) and isinstance(getattr(inner, "reason", inner.args[0]), Exception):
        inner = getattr(inner, "reason", inner.args[0])
    return _clean(str(inner))
