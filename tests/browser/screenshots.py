"""Pictures for the documentation, of a product that runs: `make run`, then this."""

import re
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from infrastructure.settings import load_settings
from tests.browser.chromium import executable

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES: Final = 200_000
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 780}
TALL: Final[ViewportSize] = {"width": 1280, "height": 900}
GROWING_MILLISECONDS: Final = 45_000
PATIENCE_MILLISECONDS: Final = 120_000  # until the demo traders have done something


def main() -> None:
    settings = load_settings()
    url = f"http://{settings.host}:{settings.port}"
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable())
        live(browser.new_page(viewport=DESKTOP, color_scheme="light"), url)
        breach(browser.new_page(viewport=PHONE, color_scheme="dark"), url)
        account(browser.new_page(viewport=TALL, color_scheme="dark"), url)
        browser.close()


def live(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#board tbody tr").nth(7).wait_for(timeout=PATIENCE_MILLISECONDS)
    drawn(page)
    expect(page.locator(".pulse")).to_have_attribute("data-state", "live")
    keep(page, "live")


def breach(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#feed .breach a").first.click(timeout=PATIENCE_MILLISECONDS)
    expect(page.locator(".legend .end")).to_be_visible()
    keep(page, "breach")


def account(page: Page, url: str) -> None:
    """Trade as the trader of development, and let the curve grow for a while."""
    page.goto(f"{url}/login")
    page.get_by_role("button", name="user@tradesense.ai").click()
    page.get_by_role("button", name="Buy sprint").click()
    ticket = page.locator("#ticket")
    ticket.get_by_label("Symbol").select_option("ETHUSD")
    ticket.get_by_label("Lots").fill("12.00")
    ticket.get_by_role("button", name="Buy").click()
    expect(page.locator("#positions tbody tr")).to_be_visible()
    page.wait_for_timeout(GROWING_MILLISECONDS)
    keep(page, "account")


def drawn(page: Page) -> None:
    summary = page.locator("[data-f=summary]")
    expect(summary).to_have_text(re.compile("^Equity"))


def keep(page: Page, name: str) -> None:
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(Path.cwd())}  {size // 1000} kB\n")
    if size > MOST_BYTES:
        raise SystemExit(f"larger than {MOST_BYTES // 1000} kB")


if __name__ == "__main__":
    main()
