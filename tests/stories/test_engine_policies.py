"""What follows from a pass or a breach follows once, whatever happens between."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from application.engine.asks import Ask
from application.engine.journal import NotStored
from domain.challenge.decider import PurchaseChallenge, account_of
from domain.challenge.state import Status
from domain.rules.phase import Phase
from infrastructure.event_store.memory import Partition
from tests.stories.challenges import (
    CHALLENGE,
    EVALUATION,
    FUNDED,
    VERIFICATION,
    draft,
    purchase,
)
from tests.stories.engines import (
    Desk,
    advance,
    asking,
    buy,
    desk,
    gold,
    open_venue,
    sell_out,
)
from tests.stories.facts import DAILY_PAUSE, MONDAY

FIRST, SECOND, LAST = (
    account_of(CHALLENGE, phase.name) for phase in (EVALUATION, VERIFICATION, FUNDED)
)


def bought(*phases: Phase) -> Ask:
    command: PurchaseChallenge = purchase(draft(*phases))
    command = replace(command, venue_id="sb-1")
    return asking(f"challenge-{CHALLENGE}", command)


BEGINNING = (open_venue(), gold("1999"), bought(EVALUATION, VERIFICATION, FUNDED))


async def pass_it(here: Desk, account_id: str) -> None:
    start, rich = ("1999", "2100")
    await here.ask(
        gold(start),
        buy(account_id, f"t-{account_id}"),
        gold(rich),
        sell_out(account_id, f"t-{account_id}"),
    )


async def test_a_purchase_opens_the_first_account() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        account = here.account(FIRST)
        assert account.challenge_id == CHALLENGE
        assert account.terms_hash == here.challenge(CHALLENGE).terms_hash
        assert here.names(f"account-{FIRST}") == ["account.opened/1"]


async def test_a_pass_opens_the_next_phases_account() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        await pass_it(here, FIRST)
        assert here.account(SECOND).phase.name == "verification"
        assert str(here.account(SECOND).balance.amount) == "100000.00"
        await pass_it(here, SECOND)
        assert here.account(LAST).phase.name == "funded"
        assert here.challenge(CHALLENGE).status is Status.FUNDED


async def test_a_breach_ends_the_challenge() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, buy(FIRST, "t1"), gold("1800"))
        assert here.challenge(CHALLENGE).status is Status.BREACHED
        assert here.names(f"challenge-{CHALLENGE}")[-1] == "challenge.breached/1"


async def test_a_pause_does_not() -> None:
    phase = replace(EVALUATION, rules=(DAILY_PAUSE, *EVALUATION.rules))
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), bought(phase, FUNDED))
        await here.ask(buy(FIRST, "t1"), gold("1940"))
        assert here.account(FIRST).paused
        assert here.challenge(CHALLENGE).status is Status.ACTIVE


async def test_what_followed_says_from_what() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        started, opened = here.partition.events[-2:]
        assert opened.name == "account.opened/1"
        assert f'"causation":"s1-{started.position}"'.encode() in opened.envelope
        assert b'"actor":"policy:challenge-progress"' in opened.envelope


async def test_a_crash_between_the_effect_and_the_checkpoint_doubles_nothing() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING)
        await here.host.checkpoint()
        await pass_it(here, FIRST)
        names = here.names()
    async with desk(partition, ends_well=False) as again:
        await again.host.policy.settled(again.engine.head.position)
        assert again.names() == names
        await pass_it(again, SECOND)
        assert again.names().count("account.opened/1") == 3


async def test_a_crash_before_the_effect_makes_it_up() -> None:
    """The challenge was stored; the policy never heard of it."""
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING[:2])
        here.engine.on_commit.clear()
        await here.engine.ask(BEGINNING[2])
        assert here.state(f"account-{FIRST}") is None
    async with desk(partition, ends_well=False) as again:
        await again.host.policy.settled(again.engine.head.position)
        assert again.account(FIRST).challenge_id == CHALLENGE


async def test_a_pause_heard_late_is_not_the_breach_that_came_after_it() -> None:
    phase = replace(EVALUATION, rules=(DAILY_PAUSE, *EVALUATION.rules))
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(open_venue(), gold("1999"), bought(phase, FUNDED))
        await here.host.checkpoint()
        here.engine.on_commit.clear()  # the policy hears nothing more
        for each in (
            buy(FIRST, "t1"),
            gold("1945"),
            advance(MONDAY + timedelta(days=1)),
            buy(FIRST, "t2"),
            gold("1800"),
        ):
            await here.engine.ask(each)
        pause, breach = (
            event.position
            for event in here.partition.events
            if event.name == "account.rule-breached/1"
        )
        assert pause < breach
    async with desk(partition, ends_well=False) as again:
        await again.host.policy.settled(again.engine.head.position)
        assert again.challenge(CHALLENGE).status is Status.BREACHED
        ended = again.partition.events[-1]
        assert ended.name == "challenge.breached/1"
        assert f'"causation":"s1-{breach}"'.encode() in ended.envelope


async def test_a_log_that_cannot_be_written_for_a_while_holds_up_no_effect() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING[:2])
        failures = iter([None, NotStored(), NotStored()])

        async def sometimes(_: object) -> None:
            here.journal.fails_next_with = next(failures, None)

        here.journal.before_commit = sometimes
        await here.ask(BEGINNING[2])
        assert here.account(FIRST).challenge_id == CHALLENGE


async def test_two_purchases_at_once_are_followed_up_both() -> None:
    other = "01920000-0000-7000-8000-000000000002"
    async with desk() as here:
        await here.ask(*BEGINNING[:2])
        plan = draft(EVALUATION, FUNDED)
        asks = [
            asking(f"challenge-{each}", replace(purchase(plan, each), venue_id="sb-1"))
            for each in (CHALLENGE, other)
        ]
        await asyncio.gather(*(here.ask(each) for each in asks))
        for each in (CHALLENGE, other):
            account_id = account_of(each, "evaluation")
            assert here.account(account_id).challenge_id == each
