"""What fails is set aside with its cause, others go on, and somebody decides on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from application.engine.asks import Ask, Poisoned
from application.engine.journal import Batch, Recorded, Rejected
from application.engine.parking import again, retry_id
from application.parked import Kind, Parked, RetryParked, SkipParked
from application.policies import challenge_progress, runner
from domain.challenge.decider import FailPhase
from domain.challenge.state import Status
from infrastructure.event_store.memory import Partition
from tests.stories.challenges import CHALLENGE, EVALUATION, FUNDED
from tests.stories.engines import (
    Desk,
    advance,
    asking,
    buy,
    desk,
    gold,
    open_account,
    open_venue,
    sell_out,
    told,
)
from tests.stories.facts import MAX_LOSS, MONDAY
from tests.stories.test_engine_policies import FIRST, LAST, bought

BEGINNING = (open_venue(), open_account("a", MAX_LOSS), gold("1999"))


def refusing(here: Desk, wanted: Callable[[Recorded], bool]) -> None:
    async def refuse(batch: Batch) -> None:
        if any(map(wanted, batch.events)):
            message = "the column cannot hold it"
            raise Rejected(message)

    here.journal.before_commit = refuse


def of_trade(trade_id: str) -> Callable[[Recorded], bool]:
    return lambda event: f'"{trade_id}"'.encode() in event.payload


def retry(item: Parked, key: str | None = None) -> Ask:
    command = RetryParked(parked_id=item.id, kind=item.kind)
    return asking(f"parked-{item.id}", command, key=key, natural=f"retry {item.id}")


def skip(item: Parked) -> Ask:
    command = SkipParked(parked_id=item.id, reason="a test account")
    return asking(f"parked-{item.id}", command, natural=f"skip {item.id}")


async def only_parked(here: Desk) -> Parked:
    (item,) = await here.journal.parked()
    return item


@asynccontextmanager
async def with_poison(key: str | None = None) -> AsyncIterator[tuple[Desk, Parked]]:
    """The trade `t1` cannot be stored, as long as `before_commit` says so."""
    async with desk() as here:
        await here.ask(*BEGINNING)
        refusing(here, of_trade("t1"))
        with pytest.raises(Poisoned):
            await here.ask(replace(buy("a", "t1"), command_id=None))
        yield here, await only_parked(here)


async def test_a_command_that_breaks_something_is_parked_with_its_cause() -> None:
    async with with_poison() as (here, item):
        assert (item.kind, item.subject) == (Kind.COMMAND, "account-a")
        assert item.cause == "Rejected: the column cannot hold it"
        assert again(item.body, "s1", item.id, "x").command == buy("a", "t1").command
        await here.ask(buy("a", "t2"))
        assert [each.trade_id for each in here.account("a").positions] == ["t2"]


async def test_what_is_retried_is_asked_again_as_it_was() -> None:
    async with with_poison() as (here, item):
        here.journal.before_commit = None
        answer = await here.ask(retry(item))
        assert told(answer)["status"] == "retried"
        (held,) = here.account("a").positions
        assert held.trade_id == "t1"
        assert here.names()[-2:] == ["parked.retried/1", "account.position-opened/1"]
        opened = here.partition.events[-1]
        assert f'"causation":"s1-{opened.position - 1}"'.encode() in opened.envelope
        assert await here.journal.parked() == ()


async def test_retrying_twice_does_it_once() -> None:
    async with with_poison() as (here, item):
        here.journal.before_commit = None
        both = await asyncio.gather(*(here.ask(retry(item)) for _ in range(2)))
        later = await here.ask(retry(item, key="another"))
        assert {each.body for each in (*both, later)} == {both[0].body}
        assert len(here.account("a").positions) == 1
        assert here.names().count("parked.retried/1") == 1


async def test_what_fails_again_is_parked_anew() -> None:
    async with with_poison() as (here, item):
        await here.ask(retry(item))
        anew = await only_parked(here)
        assert anew.id != item.id
        assert (anew.kind, anew.cause) == (item.kind, item.cause)
        here.journal.before_commit = None
        await here.ask(retry(anew))
        assert await here.journal.parked() == ()
        assert len(here.account("a").positions) == 1


async def poisoned_once(
    here: Desk, sent: Ask, wanted: Callable[[Recorded], bool]
) -> Parked:
    """It cannot be stored, and a moment later it could be."""
    refusing(here, wanted)
    with pytest.raises(Poisoned):
        await here.ask(sent)
    here.journal.before_commit = None
    return await only_parked(here)


async def test_what_is_sent_again_and_done_is_not_done_again_by_a_retry() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        sent = asking("account-a", buy("a", "t1").command, key="a key")
        item = await poisoned_once(here, sent, of_trade("t1"))
        await here.ask(sent, retry(item))
        assert [each.trade_id for each in here.account("a").positions] == ["t1"]


async def test_what_a_retry_has_done_is_the_answer_when_it_is_sent_again() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        sent = asking("account-a", buy("a", "t1").command, key="a key")
        item = await poisoned_once(here, sent, of_trade("t1"))
        await here.ask(retry(item))
        assert (await here.ask(sent)).is_replayed
        assert [each.trade_id for each in here.account("a").positions] == ["t1"]


async def test_a_retry_leaves_a_refusal_that_was_told_as_it_is() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING, buy("a", "t1"))
        sent = asking("account-a", sell_out("a", "t1").command, key="a key")
        item = await poisoned_once(here, sent, of_trade("t1"))
        await here.ask(sell_out("a", "t1"), sent, retry(item))
        (kept,) = (await here.journal.receipts([retry_id("s1", item.id)])).values()
        assert kept.status == 409
        assert await here.journal.parked() == ()


async def test_what_is_skipped_is_left_undone_and_says_why() -> None:
    async with with_poison() as (here, item):
        here.journal.before_commit = None
        assert told(await here.ask(skip(item)))["status"] == "skipped"
        assert await here.journal.parked() == ()
        assert here.account("a").positions == ()
        assert b'"reason":"a test account"' in here.partition.events[-1].payload
        refused = await here.ask(retry(item))
        assert told(refused)["code"] == "parked-settled"


async def test_a_table_is_rebuilt_not_retried() -> None:
    async with with_poison() as (here, item):
        refused = await here.ask(retry(replace(item, kind=Kind.PROJECTION)))
        assert told(refused)["code"] == "rebuild-instead"


async def test_a_decision_outlives_a_restart() -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await here.ask(*BEGINNING)
        refusing(here, of_trade("t1"))
        with pytest.raises(Poisoned):
            await here.ask(buy("a", "t1"))
        item = await only_parked(here)
        here.journal.before_commit = None
        here.engine.on_commit.clear()  # it dies before anything follows
        await here.engine.ask(retry(item))
    for _ in range(2):  # from the log, then from a checkpoint
        async with desk(partition) as again:
            await again.host.policy.settled(again.engine.head.position)
            assert len(again.account("a").positions) == 1
            assert await again.journal.parked() == ()
            refused = await again.ask(skip(item))
            assert told(refused)["code"] == "parked-settled"


async def test_a_heartbeat_that_fails_is_parked_once() -> None:
    async with desk() as here:
        await here.ask(*BEGINNING)
        refusing(here, lambda event: event.stream == "venue-sb-1")
        for _ in range(3):
            with pytest.raises(Poisoned):
                await here.ask(advance(MONDAY))
        await only_parked(here)


async def test_what_cannot_follow_is_parked_and_later_events_are_followed() -> None:
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"))
        refusing(here, lambda event: event.name == "account.opened/1")
        await here.ask(bought(EVALUATION, FUNDED))
        item = await only_parked(here)
        started = here.partition.events[-1]
        assert (item.kind, item.subject) == (Kind.POLICY, f"s1-{started.position}")
        assert here.state(f"account-{FIRST}") is None
        here.journal.before_commit = None
        await here.ask(retry(item))
        assert here.account(FIRST).challenge_id == CHALLENGE
        assert await here.journal.parked() == ()
        await here.ask(buy(FIRST, "t1"), gold("2100"), sell_out(FIRST, "t1"))
        assert here.account(LAST).phase.name == "funded"


async def test_a_follow_up_that_is_refused_is_parked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bug of the policy: it asks the challenge to pass an account it never had."""
    react = challenge_progress.react

    def confused(*heard: object) -> Ask | None:
        ask = react(*heard)  # type: ignore[arg-type]
        if ask is None or not ask.stream.startswith("challenge-"):
            return ask
        return replace(ask, command=FailPhase(account_id="b"))

    monkeypatch.setattr(runner, "react", confused)
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"), bought(EVALUATION, FUNDED))
        await here.ask(buy(FIRST, "t1"), gold("1800"))
        item = await only_parked(here)
        assert item.kind is Kind.POLICY
        assert item.cause.startswith("not-the-current-account")
        await here.ask(skip(item))
        assert here.challenge(CHALLENGE).status is Status.ACTIVE


async def test_a_policy_that_raises_is_asked_what_follows_once_it_is_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> Ask | None:
        raise KeyError("terms")

    async with desk() as here:
        await here.ask(open_venue(), gold("1999"))
        with monkeypatch.context() as patch:
            patch.setattr(runner, "react", broken)
            await here.ask(bought(EVALUATION, FUNDED))
            (started,) = await here.journal.parked()
        assert (started.body, started.cause) == (b"", "KeyError: 'terms'")
        await here.ask(retry(started))
        assert here.account(FIRST).challenge_id == CHALLENGE
        assert await here.journal.parked() == ()


async def test_a_policy_waits_for_a_log_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "BUSY_SECONDS", 0)
    async with desk() as here:
        await here.ask(open_venue(), gold("1999"))
        refusing(here, lambda event: event.name == "account.opened/1")
        failures, park = [ConnectionError, ConnectionError], here.journal.park

        async def away(failure: object) -> None:
            if failures:
                raise failures.pop()
            await park(failure)  # type: ignore[arg-type]

        monkeypatch.setattr(here.journal, "park", away)
        await here.ask(bought(EVALUATION, FUNDED))
        assert (await only_parked(here)).kind is Kind.POLICY
