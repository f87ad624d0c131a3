"""Whatever has happened before: money that comes or goes is neither gain nor loss."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.account.commands import PostFlow
from domain.account.events import FlowPosted, RuleBreached
from domain.account.flow import FlowKind
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DayAnchor
from domain.rules.flow_marks import FlowMarks
from domain.rules.max_loss import Follows
from domain.rules.phase import LimitRule
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.refusal import Refused
from tests.stories.facts import (
    DAILY_LOSS,
    MAX_LOSS,
    TARGET,
    TRAILING,
    account_with,
    close,
    gold_at,
    trade,
    usd,
)
from tests.stories.story import DayOver, Item, Told
from tests.stories.test_weekly_loss import WEEKLY

FAR = Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(40))
OF_THE_DAY = [each for each in DayAnchor if each is not DayAnchor.DEPOSIT]
SHIFTED: tuple[LimitRule, ...] = (
    *(
        replace(DAILY_LOSS, id=each, measured_from=each, allowance=FAR)
        for each in OF_THE_DAY
    ),
    *(
        replace(TRAILING, id=f"t-{each}", follows=each, allowance=FAR)
        for each in Follows
    ),
    replace(WEEKLY, id="weekly", allowance=FAR),
)
ANY_MARKS = st.sampled_from(list(FlowMarks))
bids = st.decimals("1970", "2030", places=2).map(lambda bid: gold_at(str(bid)))
amounts = st.decimals("-9000", "9000", places=2).filter(bool)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Item, ...]:
    """Gold is bought, sold and closed, while days pass; the names tell them apart."""
    items: list[Item] = []
    for number in range(draw(st.integers(0, 12))):
        side = draw(st.sampled_from(list(Side)))
        items.append(
            draw(
                st.one_of(
                    bids,
                    bids,
                    st.just(trade(side, "0.50", trade_id=f"t{number}")),
                    st.integers(0, number).map(lambda of: close(f"t{of}")),
                    st.just(DayOver()),
                )
            )
        )
    return tuple(items)


def played(told: Told, items: tuple[Item, ...]) -> Told:
    for item in items:
        try:
            told = told.next(item)
        except Refused:
            continue
    return told


def flow(amount: Decimal, kind: FlowKind = FlowKind.CORRECTION) -> PostFlow:
    money = Money.rounded(amount, "USD")
    return PostFlow(flow_id="f", kind=kind, amount=money, reason="", by="")


def distances(told: Told) -> dict[str, Money]:
    standing = told.opened.standing(told.moment.market)
    return {
        each.id: each.observed(standing) - each.floor(standing)
        for each in told.opened.phase.limits
    }


@given(histories(), amounts)
def test_what_is_shifted_is_as_far_away_as_before(
    history: tuple[Item, ...], amount: Decimal
) -> None:
    told = played(account_with(*SHIFTED, TARGET), history)
    if told.opened.is_over:
        return
    after = told.next(flow(amount))
    assert [type(each) for each in after.events] == [FlowPosted]
    assert distances(after) == distances(told)


@given(histories(), amounts, st.lists(bids | st.just(DayOver()), max_size=8))
def test_what_the_market_does_next_is_judged_alike(
    history: tuple[Item, ...], amount: Decimal, market: list[Item]
) -> None:
    near = [
        replace(each, allowance=Allowance(AmountBasis.ABSOLUTE, Decimal(2_500)))
        for each in SHIFTED
    ]
    told = played(account_with(*near, TARGET), history)
    if told.opened.is_over:
        return
    moved = told.next(flow(amount))
    for item in market:
        told, moved = told.next(item), moved.next(item)
        assert [type(e) for e in moved.events] == [type(e) for e in told.events]


@given(histories(), amounts)
def test_a_static_floor_stays_and_is_nearer_by_what_went(
    history: tuple[Item, ...], amount: Decimal
) -> None:
    told = played(account_with(replace(MAX_LOSS, allowance=FAR)), history)
    after = told.next(flow(amount))
    gone = distances(after)["max"] - distances(told)["max"]
    assert gone == Money.rounded(amount, "USD")


@given(
    histories(),
    st.decimals("0.01", "9000", places=2),
    ANY_MARKS,
    st.sampled_from(list(Follows)),
)
def test_nobody_loses_an_account_by_being_paid(
    history: tuple[Item, ...], amount: Decimal, how: FlowMarks, follows: Follows
) -> None:
    near = Allowance(AmountBasis.SHARE_OF_ANCHOR, Decimal(3))
    trailing = replace(TRAILING, follows=follows, flow_marks=how, allowance=near)
    told = played(account_with(trailing, DAILY_LOSS, deposit=usd("90000.00")), history)
    try:
        paid = told.next(flow(-amount, FlowKind.PAYOUT))
    except Refused:
        return
    assert not any(isinstance(each, RuleBreached) for each in paid.events)
