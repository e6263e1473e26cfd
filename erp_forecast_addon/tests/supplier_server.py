"""A supplier's server on this machine: a real HTTP server that keeps what it got and answers as it is told."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

SECRET = "a secret of the tests, long enough"


@dataclass(frozen=True)
class Reply:
    """hang_seconds: before the status; drip_seconds: between two bytes of a header that never ends; break_off: no
    answer; twice: the same answer two times, the second a 500."""

    code: int = 200
    body: bytes = b'{"status": "accepted"}'
    headers: dict[str, str] = field(default_factory=dict)
    hang_seconds: float = 0.0
    drip_seconds: float = 0.0
    break_off: bool = False
    twice: bool = False


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class SupplierServer:
    """Use as a context. replies: what it answers, one after the other; then always the last one."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies) or [Reply()]
        self.received: list[Received] = []
        self._stopped = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/orders"

    def orders(self) -> dict[str, list[Received]]:
        """What a supplier makes of it who heeds the key: key -> the messages that carried it."""
        taken: dict[str, list[Received]] = {}
        for each in self.received:
            taken.setdefault(each.headers["Idempotency-Key"], []).append(each)
        return taken

    def __enter__(self) -> "SupplierServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        self._http.shutdown()
        self._http.server_close()

    def _next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.received.append(Received(self.path, dict(self.headers), body))
                self.close_connection = True
                try:
                    server._answer(self, server._next())
                except OSError:  # the other end did not wait
                    return

            def log_message(self, *_args: object) -> None:
                """Tests read what was received, not what was logged."""

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.hang_seconds:
            self._stopped.wait(reply.hang_seconds)
        if reply.break_off:
            return
        if reply.drip_seconds:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self._stopped.is_set():
                handler.wfile.write(b"a")
                handler.wfile.flush()
                time.sleep(reply.drip_seconds)
        handler.send_response(reply.code)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)
        if reply.twice:
            handler.wfile.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
