"""An account that loses more than a tenth of its deposit trades no more."""

from msgspec.structs import replace

from domain.account.errors import AccountBreached
from domain.account.events import (
    CloseReason,
    PositionClosed,
    PositionOpened,
    RuleBreached,
)
from domain.account.state import Status
from domain.rules.limit import Comparator, Measured
from domain.rules.marks import Mark
from tests.stories.facts import (
    DAILY_LOSS,
    MAX_LOSS,
    MONDAY,
    account_with,
    buy_gold,
    close_gold,
    gold_at,
    sell_gold,
    trade,
    usd,
)
from tests.stories.story import given

account = account_with(MAX_LOSS)


def test_touching_the_floor_is_allowed() -> None:
    given(account, buy_gold).when(gold_at("1900")).then_nothing()


def test_touching_the_floor_is_a_breach_where_the_terms_say_so() -> None:
    strict = replace(MAX_LOSS, comparator=Comparator.AT_OR_BELOW)
    story = given(account_with(strict), buy_gold)
    story.when(gold_at("1900.01")).then_nothing()
    story.when(gold_at("1900")).then_breached_at("90000.00")


def test_one_dollar_below_the_floor_is_a_breach_with_evidence_then_fills() -> None:
    story = given(account, buy_gold).when(gold_at("1899.99"))
    breached = story.then_breached_at("90000.00")
    assert (breached.equity, breached.balance) == (usd("89999.00"), usd("100000.00"))
    assert breached.breaches[0].anchor == Mark(usd("100000.00"), 0, MONDAY)
    (held,) = breached.positions
    assert (held.quote.sequence, str(held.price)) == (2, "1899.99")
    story.then(RuleBreached, PositionClosed)
    filled = story.then_closed("-10001.00")
    assert filled.reason is CloseReason.LIQUIDATION
    assert story.account.status is Status.BREACHED
    assert story.account.balance == usd("89999.00")


def test_an_ounce_of_gold_shows_the_very_cent() -> None:
    ounce = trade(buy_gold.side, "0.01")
    account = account_with(MAX_LOSS, deposit=usd("1000.00"))
    given(account, ounce).when(gold_at("1900.00")).then_nothing()
    given(account, ounce).when(gold_at("1899.99")).then_breached_at("900.00")


def test_a_short_is_valued_at_the_ask() -> None:
    story = given(account, sell_gold)  # at the bid of 1999
    story.when(gold_at("2098")).then_nothing()  # asked 2099
    story.when(gold_at("2098.01")).then_breached_at("90000.00")


def test_a_spread_alone_can_breach() -> None:
    account = account_with(MAX_LOSS, deposit=usd("500.00"))
    story = given(account, gold_at("0.90"))  # asked 1.90: the spread is 100 a lot
    story.when(trade(buy_gold.side, "0.50")).then(PositionOpened)
    too_many = story.when(trade(buy_gold.side, "0.51"))
    too_many.then(PositionOpened, RuleBreached, PositionClosed)
    assert too_many.then_breached_at("450.00").equity == usd("449.00")


def test_a_breached_account_refuses_even_to_close() -> None:
    story = given(account, buy_gold, gold_at("1800"))
    story.when(close_gold).then_refused(AccountBreached)
    story.when(buy_gold).then_refused(AccountBreached)


def test_the_price_may_recover_the_account_does_not() -> None:
    story = given(account, buy_gold, gold_at("1800"))
    story.when(gold_at("2500")).then_nothing()
    assert story.account.balance == usd("80000.00")


def test_all_crossed_floors_are_recorded_the_highest_first() -> None:
    story = given(account_with(MAX_LOSS, DAILY_LOSS), buy_gold)
    breached = story.when(gold_at("1800")).then_breached_at("95000.00", "90000.00")
    assert [each.limit.id for each in breached.breaches] == ["daily", "max"]


def test_at_equal_floors_the_id_decides() -> None:
    limits = [replace(MAX_LOSS, id=name) for name in ("zinc", "amber")]
    story = given(account_with(*limits), buy_gold)
    breached = story.when(gold_at("1800")).then_breached_at("90000.00", "90000.00")
    assert [each.limit.id for each in breached.breaches] == ["amber", "zinc"]


def test_the_lower_of_balance_and_equity_may_be_what_is_measured() -> None:
    """The balance has fallen by closed losses; an open gain does not make it good."""
    either = replace(MAX_LOSS, measured=Measured.LOWER_OF_BOTH)
    history = (buy_gold, trade(sell_gold.side, "1.00", trade_id="other"))
    for limit, floors in ((MAX_LOSS, ()), (either, ("90000.00",))):
        story = given(account_with(limit), *history, gold_at("1890")).when(close_gold)
        if floors:
            story.then_breached_at(*floors)
        else:
            story.then(PositionClosed)
