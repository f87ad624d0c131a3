"""A visitor who is nobody in particular watches what others do."""

import re
from decimal import Decimal

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.floor import BITCOIN, lose
from tests.browser.site import Site


def row(page: Page, handle: str) -> Locator:
    return page.locator("#board tbody tr", has_text=handle)


def test_a_trade_made_through_the_api_appears_and_is_drawn(
    visit: Visit, site: Site
) -> None:
    page = visit.open("/")
    desk = site.desk("Theodora")
    expect(row(page, "Theodora")).to_have_count(0)
    bought = site.run(desk.buy_sprint())
    site.run(desk.trade(bought["account_id"], quantity="0.50", symbol=BITCOIN))
    expect(row(page, "Theodora")).to_be_visible()

    row(page, "Theodora").get_by_role("button", name="Chart of Theodora").click()
    watch = page.locator("#watch")
    expect(watch.get_by_role("link", name="Theodora")).to_be_visible()
    expect(watch.locator("[data-f=status]")).to_have_text("active")
    expect(watch.locator("canvas").first).to_be_visible()
    expect(watch.locator("[data-f=left]")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(watch.locator("[data-f=zones]")).to_have_text(
        re.compile(r"00:00 UTC \(the plan\)\s+(19|20):00 America/New_York \(you\)")
    )
    expect(watch.locator(".legend .daily")).to_be_visible()
    expect(watch.locator("[data-f=summary]")).to_contain_text("daily floor 9,900.00")

    before = watch.locator("[data-f=balance]").inner_text()
    site.run(desk.trade(bought["account_id"], quantity="0.50", symbol=BITCOIN))
    expect(watch.locator("[data-f=balance]")).not_to_have_text(before)
    expect(page.locator(".pulse")).to_have_attribute("data-state", "live")


def test_a_breach_appears_and_leads_to_its_evidence(visit: Visit, site: Site) -> None:
    page = visit.open("/")
    desk = site.desk("Hieronymus")
    account_id = site.run(desk.buy_sprint())["account_id"]
    breach = site.run(lose(desk, account_id))

    news = page.locator("#feed li.breach", has_text="Hieronymus")
    expect(news).to_contain_text("breached daily loss")
    expect(news).to_contain_text(f"below {Decimal(breach['floor']):,.2f}")
    expect(row(page, "Hieronymus")).to_have_count(0)
    news.get_by_role("link").click()

    page.wait_for_url(f"**/breaches/{breach['breach_id']}")
    assert page.locator(".arithmetic code").all_inner_texts() == breach["arithmetic"]
    verdict = page.get_by_role("heading", level=1)
    expect(verdict).to_have_text("Hieronymus: daily loss was breached")
    for held in breach["positions"]:
        expect(page.get_by_text(held["open_price"]).first).to_be_visible()
    for quote in breach["quotes"]:
        tick = page.get_by_role("cell", name=str(quote["sequence"]), exact=True)
        expect(tick.first).to_be_visible()
    expect(page.locator(".legend .end")).to_contain_text("Breached at")

    page.get_by_role("link", name="the account").click()
    page.wait_for_url(f"**/accounts/{account_id}")
    expect(page.locator(".legend .end")).to_contain_text("Breached at")
    expect(page.locator("#breaches")).to_contain_text("9,900.00")
    expect(page.locator("[data-f=zones]")).to_have_text("The account has ended.")
    expect(page.get_by_role("form")).to_have_count(0)


def test_when_the_stream_is_down_the_page_asks_and_says_so(
    visit: Visit, site: Site
) -> None:
    page = visit.open("/login")
    page.route("**/api/v1/stream*", lambda route: route.fulfill(status=204))
    page.clock.install()
    page.goto(site.url)
    badge = page.locator(".pulse")
    expect(badge).to_have_attribute("data-state", "polling")
    desk = site.desk("Ludmilla")
    account_id = site.run(desk.buy_sprint())["account_id"]
    site.run(desk.trade(account_id, quantity="0.01", symbol=BITCOIN))
    page.clock.run_for(2_000)
    expect(row(page, "Ludmilla")).to_be_visible()

    page.route("**/api/v1/**", lambda route: route.fulfill(status=204))
    page.clock.run_for(7_000)
    expect(badge).to_have_attribute("data-state", "stale")
    expect(badge.locator("[data-f=age]")).to_have_text(re.compile(r"\d+ s"))
