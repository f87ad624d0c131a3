"""One person buys only as much of the firm's money as the plan lets them hold."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from application.engine.asks import Ask
from domain.challenge.decider import account_of, decide
from domain.challenge.errors import NotPaid, RuleRefused
from domain.rules.allocation_cap import AllocationCap, Overrun
from domain.values.money import Money
from infrastructure.event_store.memory import Partition
from tests.stories.challenges import AT_NINE, EVALUATION, FUNDED, draft, purchase
from tests.stories.engines import (
    asking,
    buy,
    desk,
    gold,
    open_venue,
    remembered,
    told,
)
from tests.stories.facts import usd

CAP = AllocationCap(id="most", cap=Decimal(250_000), accounts=None)
CAPPED = replace(EVALUATION, rules=(*EVALUATION.rules, CAP))
NAMES = [f"01920000-0000-7000-8000-00000000000{n}" for n in range(1, 6)]


def bought(number: int, trader_id: str = "a-trader") -> Ask:
    """A challenge of 100,000."""
    command = purchase(draft(CAPPED, FUNDED), NAMES[number])
    command = replace(command, venue_id="sb-1", trader_id=trader_id)
    return asking(f"challenge-{NAMES[number]}", command)


@pytest.mark.parametrize(
    ("held", "wanted", "overrun"),
    [
        (("200000.00",), "200000.00", None),  # FTMO: 400,000 in all
        (("200000.00", "100000.00"), "100000.00", None),
        (("200000.00", "200000.00"), "10000.00", ("400000", "410000.00")),
        ((), "400000.01", ("400000", "400000.01")),
    ],
)
def test_the_cap_may_be_reached_and_not_passed(
    held: tuple[str, ...], wanted: str, overrun: tuple[str, str] | None
) -> None:
    cap = replace(CAP, cap=Decimal(400_000))
    found = cap.overrun([usd(each) for each in held], usd(wanted))
    assert found == (overrun and Overrun(limit=overrun[0], actual=overrun[1]))


def test_what_was_not_charged_is_not_sold() -> None:
    command = replace(purchase(draft(CAPPED, FUNDED)), payment=None)
    with pytest.raises(RuleRefused):
        decide(command, None, AT_NINE, [usd("200000.00")])
    with pytest.raises(NotPaid):
        decide(command, None, AT_NINE)


def test_the_number_of_accounts_is_counted_too() -> None:
    cap = replace(CAP, accounts=2)
    assert cap.overrun([usd("1.00")], usd("1.00")) is None
    assert cap.overrun([usd("1.00")] * 2, usd("1.00")) == Overrun(limit="2", actual="3")


def test_a_purchase_above_it_is_refused_with_the_numbers() -> None:
    command = purchase(draft(CAPPED, FUNDED))
    with pytest.raises(RuleRefused, match="250000") as refused:
        decide(command, None, AT_NINE, [usd("100000.00")] * 2)
    told_why = refused.value.arithmetic
    assert told_why is not None
    assert (told_why.rule, told_why.limit, told_why.actual) == (
        "most",
        "250000",
        "300000.00",
    )


async def test_what_a_person_holds_is_what_goes_on_whoever_asks_after_a_restart() -> (
    None
):
    partition = Partition()
    async with desk(partition) as here:
        await here.ask(open_venue(), gold("1999"), bought(0), bought(1))
        refused = await here.ask(bought(2))
        assert (refused.status, told(refused)["code"]) == (409, "rule-refused")
        assert (await here.ask(bought(2, "another"))).status == 201
        live = remembered(here.engine)
    async with desk(partition) as again:
        assert remembered(again.engine) == live
        assert (await again.ask(bought(3))).status == 409
        account = account_of(NAMES[0], "evaluation")
        await again.ask(buy(account, "t1"), gold("1000"))  # it is breached
        assert (await again.ask(bought(3))).status == 201


@pytest.mark.parametrize(
    "wrong", [{"cap": Decimal(0)}, {"cap": Decimal("NaN")}, {"accounts": 0}]
)
def test_a_cap_is_an_amount_and_a_number_of_accounts(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match="not a"):
        replace(CAP, **wrong)


def test_what_is_held_in_another_currency_counts_as_an_account_alone() -> None:
    cap = replace(CAP, cap=Decimal(300_000), accounts=3)
    euros, dollars = Money.parse("100000", "EUR"), usd("200000.00")
    assert cap.overrun((euros, dollars), usd("100000.00")) is None
    assert cap.overrun((euros, dollars), usd("100000.01")) == Overrun(
        limit="300000", actual="300000.01"
    )
    small = usd("1.00")
    assert cap.overrun((euros, small, small), small) == Overrun(limit="3", actual="4")
    unlimited = replace(cap, accounts=None)
    assert unlimited.overrun((euros,) * 9, usd("300000.00")) is None
