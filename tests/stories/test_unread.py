"""An event that this version cannot read freezes one account; nobody else notices."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from application.engine import unread
from application.engine.asks import Ask, Poisoned
from application.engine.journal import Recorded
from application.engine.unread import IllegibleLog
from application.parked import Kind, RetryParked
from domain.account.state import Status
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
    remembered,
    sell_out,
    told,
)
from tests.stories.facts import MAX_LOSS, MONDAY, TRAILING
from tests.stories.test_engine_policies import FIRST, bought

A_DAY = (
    open_venue(),
    open_account("a", MAX_LOSS, TRAILING),
    open_account("b", MAX_LOSS, TRAILING),
    gold("1999"),
    buy("a", "t1"),
    buy("b", "t2"),
    gold("2010"),
    sell_out("a", "t1", "0.40"),
    gold("2020"),
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():  # each is told as critical, in colour
        yield


async def lived(*asks: Ask, checkpoint: bool = False) -> Partition:
    partition = Partition()
    async with desk(partition, ends_well=checkpoint) as here:
        await here.ask(*asks)
    return partition


def spoil(partition: Partition, name: str, nth: int = 0) -> Recorded:
    """Cut the event short, as no version can read it; give it as it was."""
    found = [each for each in partition.events if each.name == name]
    was = found[nth]
    partition.events[was.position - 1] = replace(was, payload=was.payload[:-9])
    return was


def mend(partition: Partition, was: Recorded) -> None:
    partition.events[was.position - 1] = was


async def unreadable(here: Desk) -> list[tuple[str, str]]:
    return [
        (item.subject, item.cause.partition(":")[0])
        for item in await here.journal.parked()
        if item.kind is Kind.EVENT
    ]


async def test_its_account_is_frozen_as_it_stood_and_others_trade_on() -> None:
    partition = await lived(*A_DAY)
    was = spoil(partition, "account.position-opened/1")
    async with desk(partition) as here:
        frozen = here.account("a")
        assert (frozen.status, frozen.positions) == (Status.FROZEN, ())
        refused = await here.ask(buy("a", "t3"))
        assert told(refused)["code"] == "account-frozen"
        assert here.names("account-a")[-1] == "account.quarantined/1"
        assert await unreadable(here) == [
            (f"s1-{was.position}", f"account-a {was.name}")
        ]
        await here.ask(gold("1850"))
        assert here.names("account-a")[-1] == "account.quarantined/1"
        assert here.account("b").status is Status.BREACHED


async def test_it_is_frozen_once_however_often_it_is_met() -> None:
    partition = await lived(*A_DAY)
    spoil(partition, "account.position-closed/1")
    for ends_well in (False, False, True, True):  # from the log, from checkpoints
        async with desk(partition, ends_well=ends_well) as here:
            assert here.account("a").status is Status.FROZEN
            assert len(here.account("a").positions[0].trade_id) == 2
            assert here.names().count("account.quarantined/1") == 1
            assert len(await unreadable(here)) == 1
            await here.ask(gold("2021"))


@pytest.mark.parametrize("checkpoint", [False, True])
async def test_what_can_be_read_again_is_folded_as_if_it_always_could(
    checkpoint: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    partition = await lived(*A_DAY)
    was = spoil(partition, "account.position-opened/1")
    async with desk(partition, ends_well=checkpoint) as here:
        await here.ask(gold("2030"))
    mend(partition, was)
    async with desk(partition, ends_well=False) as again:
        account = again.account("a")
        assert account.status is Status.FROZEN  # until somebody has looked
        assert str(account.positions[0].quantity) == "0.60"
        assert account.marks.peak_equity.tick == 3  # none was judged since
        mended = remembered(again.engine)
    partition.checkpoint, partition.images = None, {}
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == mended


async def test_an_account_whose_beginning_is_unreadable_is_not_there() -> None:
    partition = await lived(*A_DAY)
    spoil(partition, "account.opened/1")
    async with desk(partition) as here:
        assert here.state("account-a") is None
        assert len(await unreadable(here)) == 1
        with pytest.raises(Poisoned):  # the log has its first version already
            await here.ask(open_account("a", MAX_LOSS))
        assert here.account("b").status is Status.ACTIVE


async def test_nothing_can_be_decided_on_half_a_challenge() -> None:
    """What should follow is parked; the next account of another challenge opens."""
    partition = await lived(
        open_venue(), gold("1999"), bought(EVALUATION, FUNDED), buy(FIRST, "t1")
    )
    spoil(partition, "challenge.phase-started/1")
    async with desk(partition) as here:
        assert here.challenge(CHALLENGE).stages == ()
        await here.ask(gold("1800"))
        assert here.account(FIRST).status is Status.BREACHED
        kinds = {item.kind for item in await here.journal.parked()}
        assert kinds == {Kind.EVENT, Kind.POLICY}
        assert "challenge.breached/1" not in here.names()


async def test_a_policy_passes_over_what_it_cannot_read() -> None:
    partition = await lived(open_venue(), gold("1999"), bought(EVALUATION, FUNDED))
    spoil(partition, "account.opened/1")
    async with desk(partition) as here:
        await here.host.policy.settled(here.engine.head.position)
        items = {item.kind: item for item in await here.journal.parked()}
        assert items.keys() == {Kind.EVENT, Kind.POLICY}
        assert here.host.policy.position == here.engine.head.position
        command = RetryParked(parked_id=items[Kind.EVENT].id, kind=Kind.EVENT)
        stream = f"parked-{command.parked_id}"
        refused = await here.ask(asking(stream, command))
        assert told(refused)["code"] == "restart-instead"


async def test_what_was_upcast_in_vain_is_as_unreadable() -> None:
    partition = await lived(*A_DAY)
    was = spoil(partition, "account.position-opened/1")
    partition.events[was.position - 1] = replace(was, fault="KeyError: 'side'")
    async with desk(partition) as here:
        (item,) = await here.journal.parked()
        assert item.cause == f"account-a {was.name}: KeyError: 'side'"


async def test_an_envelope_may_be_what_is_unreadable() -> None:
    partition = await lived(*A_DAY)
    was = next(each for each in partition.events if each.stream == "account-b")
    partition.events[was.position - 1] = replace(was, envelope=b"{}")
    async with desk(partition) as here:
        assert here.account("a").status is Status.ACTIVE
        assert here.state("account-b") is None


async def test_a_venue_that_cannot_be_read_stops_the_start_and_is_named() -> None:
    partition = await lived(*A_DAY, advance(MONDAY.replace(day=MONDAY.day + 1)))
    was = spoil(partition, "venue.day-boundary-passed/1")
    with pytest.raises(IllegibleLog, match=f"position {was.position}, venue-sb-1, "):
        async with desk(partition):
            pass


async def test_a_hole_in_the_log_stops_the_start_and_is_named() -> None:
    partition = await lived(*A_DAY)
    del partition.events[3]
    with pytest.raises(IllegibleLog, match="position 4 is missing"):
        async with desk(partition):
            pass


async def test_where_much_cannot_be_read_the_version_is_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unread, "MOST", 1)
    partition = await lived(*A_DAY)
    for nth in range(2):
        spoil(partition, "account.position-opened/1", nth)
    with pytest.raises(IllegibleLog, match="more than 1 streams"):
        async with desk(partition):
            pass
    assert "account.quarantined/1" not in [each.name for each in partition.events]
