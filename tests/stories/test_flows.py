"""Money that comes or goes by no trade: it moves the marks, and is no gain or loss."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.commands import (
    HoldPayout,
    PostFlow,
    ReleasePayout,
    ScaleAccount,
)
from domain.account.errors import (
    AccountBreached,
    FlowRefused,
    PayoutNotHeld,
    PayoutSettled,
    PayoutUncovered,
)
from domain.account.events import (
    AccountScaled,
    FlowPosted,
    PayoutHeld,
    PayoutReleased,
    RuleBreached,
)
from domain.account.evidence import arithmetic, floor_history
from domain.account.flow import FlowKind
from domain.account.flows import available
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DayAnchor
from domain.rules.flow_marks import FlowMarks
from domain.rules.max_loss import Follows
from domain.rules.phase import Rule
from domain.rules.profit_target import Basis
from domain.rules.sticky_target import StickyTarget
from tests.stories.days import traded
from tests.stories.facts import (
    DAILY_LOSS,
    MAX_LOSS,
    TARGET,
    TRAILING,
    account_with,
    buy_gold,
    gold_at,
    phase_with,
    usd,
)
from tests.stories.story import DayOver, Told, given

TEN_PERCENT_OF_THE_MARK = Allowance(AmountBasis.SHARE_OF_ANCHOR, Decimal(8))
EQUITY_EDGE = replace(TRAILING, allowance=TEN_PERCENT_OF_THE_MARK)


def flow(amount: str, kind: FlowKind, flow_id: str = "f-1") -> PostFlow:
    return PostFlow(
        flow_id=flow_id, kind=kind, amount=usd(amount), reason="why", by="an-admin"
    )


def payout(amount: str, payout_id: str = "p-1") -> PostFlow:
    return flow(f"-{amount}", FlowKind.PAYOUT, payout_id)


def correction(amount: str) -> PostFlow:
    return flow(amount, FlowKind.CORRECTION)


def credit(amount: str) -> PostFlow:
    return flow(amount, FlowKind.CREDIT)


def hold(amount: str, payout_id: str = "p-1") -> HoldPayout:
    return HoldPayout(payout_id=payout_id, amount=usd(amount), by="an-admin")


def release(payout_id: str = "p-1") -> ReleasePayout:
    return ReleasePayout(payout_id=payout_id, reason="why", by="an-admin")


def scaled_to(deposit: str, *rules: Rule) -> ScaleAccount:
    return ScaleAccount(
        flow_id="s-1",
        deposit=usd(deposit),
        phase=phase_with(*rules) if rules else None,
        terms_hash="sha256:1" if rules else None,
        reason="four good months",
        by="an-admin",
    )


def floor(told: Told, rule: Rule) -> str:
    standing = told.opened.standing(told.moment.market)
    (found,) = (r for r in told.opened.phase.limits if r.id == rule.id)
    return str(found.floor(standing).amount)


def grown(profit: str, *rules: Rule, deposit: str = "100000.00") -> Told:
    """A profit was made and closed."""
    beginning = account_with(*rules, deposit=usd(deposit))
    return given(beginning, *traded(profit), gold_at("1999")).told


def test_a_payout_is_debited_and_the_static_floor_stays() -> None:
    paid = given(grown("10000.00", MAX_LOSS)).when(payout("10000.00"))
    paid.then(FlowPosted)
    assert paid.account.balance == usd("100000.00")
    assert floor(paid.told, MAX_LOSS) == "90000.00"


@pytest.mark.parametrize(
    ("how", "mark", "level"),
    [
        (FlowMarks.RESET, "100000.00", "92000.00"),  # as Equity Edge prints it
        (FlowMarks.SHIFT, "100000.00", "92000.00"),
        (FlowMarks.KEEP, "125000.00", "115000.00"),
    ],
)
def test_p08_a_payout_of_all_profit_and_what_it_does_to_the_mark(
    how: FlowMarks, mark: str, level: str
) -> None:
    rule = replace(EQUITY_EDGE, flow_marks=how)
    story = given(grown("25000.00", rule))
    assert floor(story.told, rule) == "115000.00"
    if how is FlowMarks.KEEP:
        story.when(payout("25000.00")).then_refused(PayoutUncovered)
        return
    paid = story.when(payout("25000.00"))
    assert paid.account.marks.peak_equity.amount == usd(mark)
    assert floor(paid.told, rule) == level
    paid.when(buy_gold).when(gold_at("1920")).then_nothing()  # 92,000.00: touched
    breach = paid.when(buy_gold).when(gold_at("1919.99"))
    breach.then_breached_at("92000.00")


@pytest.mark.parametrize(
    ("how", "level"),
    [
        (FlowMarks.RESET, "95000.00"),  # the mark is what stands: 105,000
        (FlowMarks.SHIFT, "95000.00"),
        (FlowMarks.KEEP, "100000.00"),
    ],
)
def test_a_payout_of_a_part_and_what_it_does_to_the_mark(
    how: FlowMarks, level: str
) -> None:
    rule = replace(TRAILING, follows=Follows.BALANCE, flow_marks=how)
    paid = given(grown("10000.00", rule)).when(payout("5000.00"))
    assert floor(paid.told, rule) == level


def test_reset_and_shift_differ_where_profit_was_given_back() -> None:
    """110,000 at the highest, 109,000 when 5,000 are paid."""
    for how, level in ((FlowMarks.RESET, "94000.00"), (FlowMarks.SHIFT, "95000.00")):
        rule = replace(TRAILING, follows=Follows.BALANCE, flow_marks=how)
        story = given(grown("10000.00", rule), *traded("-1000.00", "back"))
        paid = story.when(payout("5000.00"))
        assert floor(paid.told, rule) == level


def test_p04_after_the_lock_a_payout_leaves_the_floor_at_the_deposit() -> None:
    """Topstep counts from 0: 7,000 of profit, 3,500 paid, and no loss below 0 left."""
    rule = replace(
        TRAILING,
        allowance=Allowance(AmountBasis.ABSOLUTE, Decimal(2_000)),
        follows=Follows.CLOSE_BALANCE,
        lock=Decimal(0),
        flow_marks=FlowMarks.KEEP,
    )
    told = given(grown("7000.00", rule, deposit="50000.00"), DayOver()).told
    paid = given(told).when(payout("3500.00"))
    assert paid.account.balance == usd("53500.00")
    assert floor(paid.told, rule) == "50000.00"


def test_the_day_is_as_far_from_its_floor_as_before() -> None:
    """Of 110,000 the day began with 5,000 may be lost; 1,000 are when 6,000 go out."""
    daily = replace(DAILY_LOSS, measured_from=DayAnchor.HIGHER_OF_BOTH)
    story = given(grown("10000.00", daily), DayOver(), *traded("-1000.00", "today"))
    assert floor(story.told, daily) == "105000.00"
    paid = story.when(payout("6000.00"))
    assert floor(paid.told, daily) == "99000.00"
    assert paid.account.balance == usd("103000.00")


def test_a_correction_is_judged_by_what_stands_after_it() -> None:
    story = given(grown("0.00", replace(DAILY_LOSS, id="day"), MAX_LOSS))
    story.when(correction("-10000.00")).then(FlowPosted)
    story.when(correction("-10000.01")).then(FlowPosted, RuleBreached)


def test_neither_credit_nor_payout_is_what_the_target_asks_for() -> None:
    """8,000 are asked for: a credit of them brings nothing nearer."""
    story = given(grown("0.00", TARGET))
    credited = story.when(credit("8000.00"))
    credited.then(FlowPosted)
    (goal,) = credited.account.phase.targets
    standing = credited.account.standing(credited.told.moment.market)
    assert goal.level(standing) == usd("116000.00")
    given(credited.told, *traded("7999.99", "nearly")).when(
        gold_at("1999")
    ).then_nothing()
    last = given(credited.told, *traded("8000.00", "enough")).told
    assert [type(each).__name__ for each in last.events][-1] == "ObjectivesMet"


def test_p10_an_approval_that_comes_again_debits_nothing() -> None:
    paid = given(grown("10000.00", MAX_LOSS), payout("4000.00"))
    paid.when(payout("4000.00")).then_refused(PayoutSettled)
    paid.when(payout("4000.00", "p-2")).then(FlowPosted)


def test_p11_what_an_open_loss_leaves_is_all_that_can_be_paid() -> None:
    """10,000 of profit, and a lot of gold 100 dollars under water."""
    story = given(
        grown("10000.00", MAX_LOSS), gold_at("1999"), buy_gold, gold_at("1920")
    )
    refused = story.when(payout("4000.00")).then_refused(PayoutUncovered)
    assert refused.arithmetic is not None
    assert (refused.arithmetic.limit, refused.arithmetic.actual) == (
        "2000.00",
        "4000.00",
    )
    story.when(payout("2000.00")).then(FlowPosted)


def test_what_was_asked_for_is_promised_to_no_other() -> None:
    asked = given(grown("3200.00", MAX_LOSS), hold("1000.00"))
    assert available(asked.account, asked.told.moment) == usd("2200.00")
    asked.when(hold("2200.01", "p-2")).then_refused(PayoutUncovered)
    asked.when(hold("2200.00", "p-2")).then(PayoutHeld)
    asked.when(hold("1.00")).then_refused(PayoutSettled)
    assert asked.account.balance == usd("103200.00")


def test_what_is_approved_is_what_was_held_for_it() -> None:
    asked = given(grown("3200.00", MAX_LOSS), hold("3200.00"))
    asked.when(payout("3000.00")).then_refused(FlowRefused)
    paid = asked.when(payout("3200.00"))
    paid.then(FlowPosted)
    assert paid.account.held == ()


def test_what_is_released_is_free_again_and_is_released_once() -> None:
    asked = given(grown("3200.00", MAX_LOSS), hold("3200.00"))
    freed = asked.when(release())
    freed.then(PayoutReleased)
    freed.when(hold("3200.00", "p-2")).then(PayoutHeld)
    freed.when(release()).then_refused(PayoutNotHeld)


def test_credit_is_lent_and_not_paid_out() -> None:
    told = given(grown("1000.00", MAX_LOSS), credit("5000.00")).told
    assert available(told.opened, told.moment) == usd("1000.00")


def test_nothing_is_paid_out_of_what_has_ended_and_everything_is_corrected() -> None:
    ended = given(account_with(MAX_LOSS), buy_gold, gold_at("1800"))
    ended.when(payout("1.00")).then_refused(AccountBreached)
    ended.when(correction("12.50")).then(FlowPosted)


def test_p06_scaling_gives_another_deposit_and_its_limits() -> None:
    """FTMO: 400,000 become 500,000, and 5 and 10 per cent of them may be lost."""
    story = given(grown("40000.00", DAILY_LOSS, MAX_LOSS, deposit="400000.00"))
    paid = story.when(payout("40000.00"))
    grew = paid.when(scaled_to("500000.00"))
    grew.then(AccountScaled)
    assert grew.account.balance == usd("500000.00")
    assert grew.account.policy_version == 2
    turned = grew.when(DayOver())
    assert floor(turned.told, DAILY_LOSS) == "475000.00"
    assert floor(turned.told, MAX_LOSS) == "450000.00"


def test_p07_how_much_is_a_choice_of_the_plan() -> None:
    story = given(account_with(MAX_LOSS, deposit=usd("400000.00")))
    for deposit in ("500000.00", "1000000.00", "2000000.00", "4000000.00"):
        story = given(story.when(replace(scaled_to(deposit))).told)
        assert story.account.balance == usd(deposit)
    assert floor(story.told, MAX_LOSS) == "3600000.00"


def test_scaling_may_bring_other_terms_under_their_own_hash() -> None:
    narrower = replace(
        MAX_LOSS, allowance=Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(8))
    )
    grew = given(account_with(MAX_LOSS)).when(scaled_to("200000.00", narrower))
    assert floor(grew.told, MAX_LOSS) == "184000.00"
    assert grew.account.terms_hash == "sha256:1"


def test_scaling_that_changes_nothing_is_refused() -> None:
    story = given(account_with(MAX_LOSS))
    story.when(scaled_to("100000.00")).then_refused(FlowRefused)


def test_a_breach_tells_of_the_flows_that_moved_its_floor() -> None:
    rule = replace(TRAILING, flow_marks=FlowMarks.SHIFT)
    told = given(grown("10000.00", rule), payout("5000.00"), buy_gold).told
    breach = given(told).when(gold_at("1899.99"))
    evidence = breach.then_breached_at("95000.00")
    (crossed,) = evidence.breaches
    assert arithmetic(evidence, crossed)[2:] == (
        "110000.00 - 5000.00 = 105000.00",
        "100000.00 x 10 % = 10000.00",
        "105000.00 - 10000.00 = 95000.00",
        "94999.00 < 95000.00",
    )
    assert [str(each.floor) for each in floor_history(evidence, crossed)] == [
        "90000.00",
        "100000.00",
        "95000.00",
    ]
    assert floor_history(evidence, crossed)[2].because == (
        "flows of -5000.00 in all have moved it since"
    )


def test_a_floor_that_was_set_back_says_so() -> None:
    rule = replace(TRAILING, follows=Follows.CLOSE_BALANCE, flow_marks=FlowMarks.RESET)
    paid = given(grown("10000.00", rule), DayOver(), payout("10000.00"), buy_gold)
    evidence = paid.when(gold_at("1890")).then_breached_at("90000.00")
    (crossed,) = evidence.breaches
    assert [each.because for each in floor_history(evidence, crossed)] == [
        "opened with 100000.00 USD",
        "a flow set the mark back to the deposit of 100000.00",
    ]


def test_a_breach_after_scaling_begins_its_history_there() -> None:
    story = given(account_with(MAX_LOSS), scaled_to("200000.00"), buy_gold)
    evidence = story.when(gold_at("1790")).then_breached_at("180000.00")
    (crossed,) = evidence.breaches
    (stood,) = floor_history(evidence, crossed)
    assert (str(stood.floor), stood.because) == (
        "180000.00",
        "scaled to 200000.00 USD",
    )


def test_floors_of_one_phase_are_moved_alike() -> None:
    kept = replace(TRAILING, id="other", flow_marks=FlowMarks.KEEP)
    with pytest.raises(ValueError, match="alike"):
        phase_with(TRAILING, kept)
    sticky = StickyTarget(
        id="sticky", percent=Decimal(8), basis=Basis.CLOSED, needs_flat=True
    )
    with pytest.raises(ValueError, match="shift"):
        phase_with(kept, sticky)


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        ("payout", "1.00"),
        ("credit", "-1.00"),
        ("correction", "0.00"),
        ("scaling", "1.00"),
    ],
)
def test_a_flow_goes_the_way_that_its_kind_says(kind: str, amount: str) -> None:
    with pytest.raises(ValueError, match="not the amount"):
        flow(amount, FlowKind(kind))


def test_what_no_amount_can_hold_is_refused() -> None:
    story = given(account_with(MAX_LOSS))
    story.when(credit("9999999999999.00")).then(FlowPosted)
    huge = given(account_with(MAX_LOSS), credit("99999999999999.00"))
    huge.when(credit("999999999999999.00")).then_refused(FlowRefused)
