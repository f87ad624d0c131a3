"""What was observed ends an account at once, or once somebody has looked at it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.account.bridge import ObservedBreach
from domain.account.commands import ConfirmBreach, DismissBreach, OpenAccount
from domain.account.state import Status
from domain.rules.phase import Rule
from infrastructure.event_store.memory import Partition
from tests.stories.engines import Desk, asking, desk, open_venue, remembered, told
from tests.stories.facts import DAILY_LOSS, MAX_LOSS, MONDAY, TRAILING, usd
from tests.stories.test_bridge import (
    DAY,
    HOUR,
    judged,
    observe,
    open_bridge,
    seen,
)
from tests.stories.test_engine_timers import judged_again

ON = {"breach_version": 3, "rules": ("max",), "reason": "why", "by": "an-admin"}


async def reviewed_bridge(here: Desk, *rules: Rule) -> None:
    ask = open_bridge(*(rules or (MAX_LOSS,)))
    command = ask.command
    assert isinstance(command, OpenAccount)
    assert command.bridge is not None
    terms = replace(command.bridge, observed_breach=ObservedBreach.REVIEW)
    ask = replace(ask, command=replace(command, bridge=terms))
    await here.ask(open_venue(), ask)


confirm = asking("account-a", ConfirmBreach(**ON))  # type: ignore[arg-type]
dismiss = asking("account-a", DismissBreach(**ON))  # type: ignore[arg-type]


async def test_it_is_told_and_waits_frozen() -> None:
    async with desk() as here:
        await reviewed_bridge(here)
        answer = await here.ask(observe(seen(1, MONDAY, 89_000)))
        assert told(answer)["verdicts"] == [
            ["e1", "max", "hard", "90000.00", "89000.00"]
        ]
        assert told(answer)["status"] == "frozen"
        assert here.account("a").status is Status.UNDER_REVIEW


async def test_what_comes_meanwhile_is_recorded_and_not_judged() -> None:
    async with desk() as here:
        await reviewed_bridge(here)
        assert await judged(here, seen(1, MONDAY, 89_000)) == [("e1", "max")]
        assert await judged(here, seen(2, MONDAY + HOUR, 88_000)) == []
        assert here.account("a").balance == usd("88000.00")


async def test_confirmed_it_is_final() -> None:
    async with desk() as here:
        await reviewed_bridge(here)
        await judged(here, seen(1, MONDAY, 89_000))
        assert told(await here.ask(confirm))["status"] == "breached"
        assert (await here.ask(dismiss)).status == 409
        assert await judged(here, seen(2, MONDAY + HOUR, 80_000)) == []


async def test_dismissed_it_goes_on_with_what_comes_next() -> None:
    async with desk() as here:
        await reviewed_bridge(here, MAX_LOSS, DAILY_LOSS)
        await judged(here, seen(1, MONDAY, 100_000), seen(2, MONDAY + HOUR, 89_000))
        assert told(await here.ask(dismiss))["status"] == "active"
        assert await judged(here, seen(3, MONDAY + 2 * HOUR, 99_000)) == []
        assert await judged(here, seen(4, MONDAY + DAY, 93_999)) == [("e4", "daily")]
        assert here.account("a").status is Status.UNDER_REVIEW


async def test_what_is_late_and_before_a_dismissal_counts_no_more() -> None:
    async with desk() as here:
        await reviewed_bridge(here)
        await judged(here, seen(1, MONDAY, 100_000), seen(5, MONDAY + HOUR, 89_000))
        await here.ask(dismiss)
        assert await judged(here, seen(3, MONDAY, 80_000)) == []
        assert here.account("a").status is Status.ACTIVE


@pytest.mark.parametrize("decision", [confirm, dismiss], ids=["confirm", "dismiss"])
async def test_a_restart_and_a_replay_come_to_the_same(decision: object) -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await reviewed_bridge(here, MAX_LOSS, TRAILING)
        await judged(here, seen(1, MONDAY, 104_000), seen(2, MONDAY + HOUR, 93_000))
        await here.ask(decision)  # type: ignore[arg-type]
        await judged(here, seen(3, MONDAY + DAY, 99_000))
        live = remembered(here.engine)
        await here.host.checkpoint()
        report = await judged_again(partition)
        assert report.equal, report.differences
    async with desk(partition) as again:
        assert remembered(again.engine) == live


async def test_where_nothing_is_under_review_nothing_is_decided() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(MAX_LOSS))
        await judged(here, seen(1, MONDAY, 89_000))
        for decision in (confirm, dismiss):
            answer = await here.ask(decision)
            assert (answer.status, told(answer)["code"]) == (409, "review-refused")
        assert here.account("a").status is Status.BREACHED


async def test_a_flow_that_is_observed_is_no_loss() -> None:
    async with desk() as here:
        await here.ask(open_venue(), open_bridge(TRAILING, DAILY_LOSS))
        await judged(here, seen(1, MONDAY, 110_000))
        paid = seen(2, MONDAY + HOUR, 100_000, flow=Decimal(-10_000))
        assert await judged(here, paid) == []
        assert here.account("a").marks.peak_equity.amount == usd("100000.00")
        lost = seen(3, MONDAY + HOUR, 89_999)
        assert [rule for _, rule in await judged(here, lost)] == ["trail"]
