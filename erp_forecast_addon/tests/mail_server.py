"""A mail server on this machine that speaks just enough SMTP (RFC 5321) for smtplib, and does as it is told."""

import socketserver
import threading
from email import message_from_bytes
from email.message import Message
from types import TracebackType


class MailServer:
    """Use as a context. does: "accept", "refuse" (the recipient), "later" (the recipient, 451) or "vanish": take the
    message and break off without an answer. Nobody is known whose address begins with nobody@."""

    def __init__(self, does: str = "accept") -> None:
        self.does = does
        self.taken: list[bytes] = []
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                server._talk(self)

        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._tcp.daemon_threads = True
        self._thread = threading.Thread(target=self._tcp.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._tcp.server_address[1])

    @property
    def messages(self) -> list[Message]:
        return [message_from_bytes(each) for each in self.taken]

    def __enter__(self) -> "MailServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tcp.shutdown()
        self._tcp.server_close()

    def _talk(self, line: socketserver.StreamRequestHandler) -> None:
        def say(text: str) -> None:
            line.wfile.write(text.encode() + b"\r\n")

        say("220 here")
        while heard := line.rfile.readline():
            verb = heard.split()[0].upper() if heard.split() else b""
            if verb == b"QUIT":
                return say("221 bye")
            if verb == b"RCPT" and self.does == "later":
                say("451 come back later")
            elif verb == b"RCPT" and (self.does == "refuse" or b"<nobody@" in heard):
                say("550 nobody of that name")
            elif verb == b"DATA":
                say("354 go on")
                self.taken.append(self._message(line))
                if self.does == "vanish":
                    return None
                say("250 taken")
            else:
                say("250 fine")
        return None

    def _message(self, line: socketserver.StreamRequestHandler) -> bytes:
        lines = []
        while (read := line.rfile.readline()) not in (b".\r\n", b""):
            lines.append(read)
        return b"".join(lines)
