"""A person at the desk: a browser that logs in, opens forms and takes pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
)  # fmt: skip
_SIZE = {"width": 1280, "height": 900}
# A cold site compiles and caches on its first pages.
PATIENCE_MS = 60_000
_REST_MS = 1500
# What the desk says in its console without a socket server; nothing else may be said there.
_NO_SOCKET = ("socket.io", "ERR_CONNECTION_REFUSED", "websocket", "WebSocket")


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window; CHROMIUM names another one."""
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        opened = playwright.chromium.launch(executable_path=path, headless=True, args=list(_ARGUMENTS))
        yield opened
        opened.close()


class Person:
    """Logged in as one user. errors: what the pages' scripts raised."""

    def __init__(self, chromium: Browser, url: str, user: str, password: str, pictures: Path | None) -> None:
        self.url, self.user, self.pictures = url.rstrip("/"), user, pictures
        self.context = chromium.new_context(viewport=_SIZE)
        self.context.set_default_timeout(PATIENCE_MS)
        self.errors: list[str] = []
        answer = self.context.request.post(f"{self.url}/api/method/login", form={"usr": user, "pwd": password})
        assert answer.ok, f"{user} cannot log in: {answer.status} {answer.text()[:300]}"
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, *route: str) -> Page:
        """Open /app/… and wait until the desk has drawn it and no request is under way."""
        self.page.goto(f"{self.url}/app/{'/'.join(quote(part) for part in route)}", wait_until="domcontentloaded")
        self.settle()
        return self.page

    def open_form(self, doctype: str, name: str) -> Page:
        self.open(doctype.lower().replace(" ", "-"), name)
        self.page.wait_for_function("name => window.cur_frm && cur_frm.doc && cur_frm.doc.name === name", arg=name)
        self.settle()
        return self.page

    def settle(self) -> None:
        """The desk has started, and no call has been under way for a moment."""
        self.page.wait_for_function("() => window.frappe && frappe.boot && window.cur_page")
        self.page.wait_for_load_state("networkidle")

    def call(self, method: str, **values: Any) -> tuple[int, str]:
        """POST to a whitelisted method as this user, past every form; -> HTTP status, text of the answer."""
        token = self.page.evaluate("frappe.csrf_token")
        answer = self.context.request.post(
            f"{self.url}/api/method/{method}", data=values, headers={"X-Frappe-CSRF-Token": token}
        )
        return answer.status, answer.text()

    def picture(self, name: str, height: int = _SIZE["height"]) -> None:
        """Save NAME.png of the window, made `height` pixels high; charts and dialogs have come to rest."""
        if self.pictures is None:
            return
        self.page.set_viewport_size({**_SIZE, "height": height})
        self.page.evaluate("document.querySelectorAll('.desk-alert').forEach(e => e.remove())")
        self.page.wait_for_timeout(_REST_MS)
        self.page.screenshot(path=str(self.pictures / f"{name}.png"))
        self.page.set_viewport_size(_SIZE)

    def leave(self) -> None:
        unexpected = [error for error in self.errors if not any(words in error for words in _NO_SOCKET)]
        self.context.close()
        assert not unexpected, f"{self.user} met script errors: {unexpected[:3]}"
