"""A stranger's first five minutes: in, a challenge, a trade, and out again."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.site import Site
from tests.doors.desk import PASSWORD

MOST_TABS = 60


def tab_to(page: Page, selector: str) -> None:
    """As somebody does who has no mouse; what has the focus must be seen to have it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        outline = focused.evaluate("each => getComputedStyle(each).outlineStyle")
        assert outline != "none", focused.evaluate("each => each.outerHTML")
        if focused.evaluate("(each, wanted) => each.matches(wanted)", selector):
            return
    raise AssertionError(f"no way to {selector} by keyboard")


def test_a_stranger_logs_in_buys_trades_closes_and_leaves(
    visit: Visit, site: Site
) -> None:
    page = visit.open("/")
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("button", name="user@tradesense.ai").click()
    page.wait_for_url(f"{site.url}/")
    page.get_by_role("link", name="Challenges").click()
    page.get_by_role("radio", name="50,000.00").first.check()
    page.get_by_role("button", name="Buy sprint").click()

    page.wait_for_url("**/accounts/*")
    expect(page.locator("[data-f=equity]")).to_have_text("50,000.00")
    ticket = page.locator("#ticket")
    ticket.get_by_label("Symbol").select_option("BTCUSD")
    ticket.get_by_label("Lots").fill("0.20")
    ticket.get_by_role("button", name="Buy").click()
    expect(page.locator("#ticket-told")).to_contain_text("Bought 0.20 BTCUSD at")
    position = page.locator("#positions tbody tr")
    expect(position).to_contain_text("BTCUSD")

    visit.foreseen = "409 (Conflict)"
    ticket.get_by_label("Lots").fill("1000")
    ticket.get_by_role("button", name="Sell").click()
    expect(page.locator("#ticket-told")).to_have_class(re.compile("refused"))

    position.get_by_role("button", name="Close BTCUSD").click()
    expect(page.locator("#positions-empty")).to_be_visible()
    expect(page.locator("#trades tbody tr")).to_contain_text("BTCUSD")
    expect(page.locator("#positions-told")).to_contain_text("Closed BTCUSD at")

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{site.url}/")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_everything_that_trading_needs_is_reached_by_keyboard(
    visit: Visit, site: Site
) -> None:
    desk = site.desk("Tabitha")
    page = visit.open("/login")
    tab_to(page, "input[name=email]")
    page.keyboard.type(desk.email)
    tab_to(page, "input[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/challenges")
    tab_to(page, "form:first-of-type button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/*")
    expect(page.locator("#ticket [data-f=ask]")).not_to_have_text("\N{EN DASH}")

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    tab_to(page, "select[name=symbol]")
    page.keyboard.type("BTC")
    tab_to(page, "input[name=quantity]")
    page.keyboard.type("0.01")
    tab_to(page, "button[value=buy]")
    page.keyboard.press("Enter")
    expect(page.locator("#positions tbody tr")).to_have_count(1)
    tab_to(page, "[data-close]")
    page.keyboard.press("Enter")
    expect(page.locator("#positions-empty")).to_be_visible()
    expect(page.locator("#positions-title")).to_be_focused()


def test_a_sandbox_account_is_shown_to_its_owner_alone(
    visit: Visit, site: Site
) -> None:
    desk = site.desk()
    site.run(desk.open_venue())
    account_id = site.run(desk.open_account())
    site.run(desk.quote("1.09990", "1.10000"))
    page = visit.open(f"/accounts/{account_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "This account is not public"
    )
    visit.log_in(page, desk.email, PASSWORD)
    page.goto(f"{site.url}/accounts/{account_id}")
    expect(page.locator("[data-f=equity]")).to_have_text("10,000.00")
    expect(page.locator("[data-f=left]")).to_have_text("15:00:00")

    site.run(desk.trade(account_id))
    expect(page.locator("[data-f=equity]")).to_have_text("9,990.00")
    site.run(desk.quote("1.08999", "1.09009"))
    expect(page.locator("[data-f=status]")).to_have_text("breached")
    expect(page.locator(".legend .end")).to_contain_text("Breached at")
    expect(page.get_by_role("button", name="Buy")).to_be_disabled()
    page.locator("#breaches a").click()
    expect(page.locator(".arithmetic li").last).to_have_text("8999.00 < 9000.00")
    expect(page.locator(".legend .end")).to_contain_text("Breached at")


def test_another_tab_is_signed_in_too_and_out_too(visit: Visit, site: Site) -> None:
    desk = site.desk()
    first, second = visit.open("/login"), visit.open("/")
    visit.log_in(first, desk.email, PASSWORD)
    expect(second.get_by_role("button", name="Log out")).to_be_visible()
    third = visit.open("/challenges")
    expect(third.locator("#owned-empty")).to_be_visible()
    second.get_by_role("button", name="Log out").click()
    for page in (first, third):
        expect(page.get_by_role("link", name="Log in", exact=True)).to_be_visible()


def test_colours_are_kept_once_chosen(visit: Visit) -> None:
    page = visit.open("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    toggle = page.get_by_role("button", name=re.compile("Colours"))
    toggle.click()
    expect(toggle).to_have_attribute("aria-label", "Colours: light")
    toggle.click()
    expect(toggle).to_have_attribute("aria-label", "Colours: dark")
    page.reload()
    assert page.evaluate(ground) != light
    expect(toggle).to_have_attribute("aria-label", "Colours: dark")
