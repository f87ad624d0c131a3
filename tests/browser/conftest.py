"""One site and one browser for all of these; a page of its own for each test."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from infrastructure.embedded.servers import Servers
from infrastructure.roles import Role
from tests.browser.chromium import executable
from tests.browser.site import Site, serving
from tests.databases import copied, template
from tests.doors.desk import Desk

__all__ = ("template",)

PATIENCE_MILLISECONDS: Final = 30_000
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 860}
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
LONG_FROM_NOW: Final = 10**14  # milliseconds since 1970
ZONE: Final = "America/New_York"  # of the reader: another one than the plans have


class Visit:
    """Pages of one visitor, and whatever a console or a foreign host heard of them."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self._context = context
        self._site = site
        self.complaints: list[str] = []
        self.foreseen = ""  # what the console may say, since the test brings it about
        context.on("request", self._note_request)
        context.on("console", self._note_message)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def open(self, path: str = "/") -> Page:
        page = self._context.new_page()
        page.goto(self._site.url + path)
        return page

    def log_in(self, page: Page, email: str, password: str) -> None:
        page.goto(f"{self._site.url}/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/challenges")

    def sign_in(self, desk: Desk) -> None:
        """Let every page of this visitor find the session that logging in leaves."""
        session = {
            "access_token": desk.headers["Authorization"].removeprefix("Bearer "),
            "refresh_token": "",
            "handle": "Somebody",
            "until": LONG_FROM_NOW,
        }
        kept = json.dumps(json.dumps(session))
        self._context.add_init_script(
            "if (location.protocol === 'http:')"
            f" sessionStorage.setItem('session', {kept})"
        )

    def _is_foreseen(self, message: ConsoleMessage) -> bool:
        """A machine too busy for its engine is asked again, which is what 503 means."""
        foreseen = (self.foreseen, "503 (Service Unavailable)")
        return any(each and each in message.text for each in foreseen)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._site.url, "data:", "blob:")):
            self.complaints.append(f"asked for {request.url}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not self._is_foreseen(message):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture(scope="package")
def site(
    servers: Servers, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    with copied(servers, template) as database:
        own = Servers({role: database.dsn(role) for role in Role}, servers.redis_url)
        with serving(own, folder) as site:
            yield site


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """It stands back: what it draws may be late, what is served to it may not."""
    patient = tmp_path_factory.mktemp("browser") / "chromium"
    patient.write_text(f'#!/bin/sh\nexec nice -n 10 {executable()} "$@"\n')
    patient.chmod(0o755)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=patient, args=["--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """A console error, or a request to another host, fails the test."""
    context = browser.new_context(
        viewport=DESKTOP, timezone_id=ZONE, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    visit = Visit(context, site)
    yield visit
    context.close()
    assert visit.complaints == []
