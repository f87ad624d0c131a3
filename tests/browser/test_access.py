"""Every page, light and dark, on a desk and in a hand: nothing that axe-core minds."""

from itertools import product
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.floor import BITCOIN, lose
from tests.browser.site import Site
from tests.doors.desk import Desk

AXE: Final = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(
    encoding="utf-8"
)
VIOLATIONS: Final = """() => axe.run({resultTypes: ["violations"]}).then((found) =>
    found.violations.map((each) => [each.id, each.nodes.map((node) => node.html)]))
"""
WIDER: Final = """() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll("body *")]
        .filter((each) => each.getBoundingClientRect().right > clientWidth + 1)
        .map((each) => each.outerHTML.slice(0, 90));
}"""
SMALL: Final = """() =>
    [...document.querySelectorAll("button, select, input, nav a, .button")]
    .filter((each) => each.checkVisibility() && each.type !== "radio")
    .filter((each) => each.getBoundingClientRect().height < 44)
    .map((each) => each.outerHTML.slice(0, 90))
"""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
NOBODYS: Final = "00000000-0000-4000-8000-000000000000"


def assert_is_for_everybody(page: Page) -> None:
    page.evaluate(AXE)
    for scheme, size in product(SCHEMES, (DESKTOP, PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        found = [page.evaluate(each) for each in (VIOLATIONS, WIDER, SMALL)]
        assert found == [[], [], []], (page.url, scheme, size)


@pytest.fixture(scope="module")
def desk(site: Site) -> Desk:
    return site.desk("Access")


@pytest.fixture(scope="module")
def pages(site: Site, desk: Desk) -> dict[str, tuple[str, str]]:
    """Where each page is, and what is there once it has all that it will have."""
    lost = site.run(desk.buy_sprint())["account_id"]
    breach = site.run(lose(desk, lost))
    account_id = site.run(desk.buy_sprint())["account_id"]
    site.run(desk.trade(account_id, quantity="0.10", symbol=BITCOIN))
    return {
        "live": ("/", "#watch .status.active, #watch .status.passed"),
        "mine": ("/challenges", "#owned tbody tr"),
        "account": (f"/accounts/{account_id}", "#ticket option"),
        "lost": (f"/accounts/{lost}", "#breaches li"),
        "breach": (f"/breaches/{breach['breach_id']}", ".legend .end"),
    }


@pytest.mark.parametrize("name", ["live", "mine", "account", "lost", "breach"])
def test_a_page_is_for_everybody(
    visit: Visit, desk: Desk, pages: dict[str, tuple[str, str]], name: str
) -> None:
    visit.sign_in(desk)
    path, filled = pages[name]
    page = visit.open(path)
    expect(page.locator(filled).first).to_be_attached()
    assert_is_for_everybody(page)


@pytest.mark.parametrize("path", ["/login", "/challenges", f"/accounts/{NOBODYS}"])
def test_a_page_is_for_strangers_too(visit: Visit, path: str) -> None:
    assert_is_for_everybody(visit.open(path))
