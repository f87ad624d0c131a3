"""Whatever is asked, in whatever batches: a restart knows what the engine knew."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from application.engine.asks import Ask
from application.engine.journal import NotStored
from application.engine.tick_block import verify
from domain.account.state import Account
from domain.rules.inactivity import Activity, Inactivity, Since
from domain.rules.limit import Measured
from domain.rules.max_loss import Follows
from domain.rules.span import Span, Unit
from domain.values.quote import Side
from infrastructure.event_store.memory import Partition
from tests.stories.engines import (
    Desk,
    advance,
    asking,
    desk,
    open_account,
    open_venue,
    quotes,
    remembered,
    sell_out,
)
from tests.stories.facts import (
    DAILY_LOSS,
    DAILY_PAUSE,
    MAX_LOSS,
    MONDAY,
    TARGET,
    TRAILING,
    trade,
)
from tests.stories.test_trading_days import THREE
from tests.stories.test_weekly_loss import WEEKLY

PAUSING_TRAIL = replace(
    TRAILING,
    id="soft",
    follows=Follows.BALANCE,
    effect=DAILY_PAUSE.effect,
    measured=Measured.LOWER_OF_BOTH,
)
IDLE = Inactivity(
    id="idle",
    activity=Activity.FILLED,
    warn=Span(Unit.ELAPSED, 1),
    after=Span(Unit.CALENDAR, 2),
    since=Since.WARNING,
)
ACCOUNTS = {
    "a": (MAX_LOSS, TRAILING),
    "b": (DAILY_PAUSE, PAUSING_TRAIL, TARGET),
    "c": (DAILY_LOSS, MAX_LOSS, replace(TARGET, needs_flat=False)),
    "d": (WEEKLY, THREE, IDLE),
}
SYMBOLS = ("XAUUSD", "EURUSD", "USDJPY")
PRICES = {
    "XAUUSD": ["1900", "1950", "1970", "1999", "2010", "2040", "2100", "0"],
    "EURUSD": ["1.00000", "1.05000", "1.10000", "1.12000", "1.20000"],
    "USDJPY": ["140.000", "149.500", "150.000", "150.000", "165.000"],
}


@dataclass
class Script:
    """Asks in batches, and what happens after each batch."""

    batches: list[list[Ask]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


KINDS = ("quotes", "quotes", "buy", "sell", "close", "wait")
AFTER = ("nothing", "nothing", "checkpoint", "lose")


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script, now = Script(), MONDAY
    for number in range(draw(st.integers(1, 8))):
        batch: list[Ask] = []
        for place in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(KINDS))
            if kind in {"quotes", "wait"}:
                now += timedelta(hours=draw(st.sampled_from([0, 0, 1, 5, 30])))
            batch.append(draw(asks(kind, now, 4 * number + place)))
        script.batches.append(batch)
        script.after.append(draw(st.sampled_from(AFTER)))
    return script


@st.composite
def asks(draw: st.DrawFn, kind: str, now: datetime, number: int) -> Ask:
    account = draw(st.sampled_from(sorted(ACCOUNTS)))
    match kind:
        case "quotes":
            told = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4))
            pairs = [(each, draw(st.sampled_from(PRICES[each]))) for each in told]
            return quotes(*pairs, at=now)
        case "wait":
            return advance(now)
        case "close":
            which = draw(st.integers(0, number))
            part = draw(st.sampled_from([None, "0.10"]))
            return sell_out(account, f"{account}{which}", part)
        case side:
            order = trade(
                Side(side),
                draw(st.sampled_from(["0.10", "1.00", "3.00"])),
                draw(st.sampled_from(SYMBOLS)),
                trade_id=f"{account}{number}",
            )
            return asking(f"account-{account}", order)


async def play(script: Script, here: Desk) -> None:
    beginning = [open_venue(), *(open_account(a, *r) for a, r in ACCOUNTS.items())]
    first = quotes(*((s, PRICES[s][3]) for s in SYMBOLS))
    await here.ask(*beginning, first)
    for batch, after in zip(script.batches, script.after, strict=True):
        if after == "lose":
            before = remembered(here.engine)
            here.journal.fails_next_with = NotStored()
            await asyncio.gather(*map(here.engine.ask, batch), return_exceptions=True)
            if here.journal.fails_next_with is None:
                assert remembered(here.engine) == before
            here.journal.fails_next_with = None
        await asyncio.gather(*map(here.engine.ask, batch))
        if after == "checkpoint":
            await here.host.checkpoint()


async def played_and_restarted(script: Script) -> None:
    partition = Partition()
    async with desk(partition, ends_well=False) as here:
        await play(script, here)
        live = remembered(here.engine)
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live
    partition.checkpoint = None
    partition.images.clear()
    async with desk(partition, ends_well=False) as again:
        assert remembered(again.engine) == live
        for stream, entry in again.engine.memory.all_shown():
            stored = partition.streams[stream]
            assert [each.version for each in stored] == list(
                range(1, entry.version + 1)
            )
            assert_sound(entry.state)
    for blocks in partition.tick_blocks.values():
        verify(blocks)


def assert_sound(state: object) -> None:
    if isinstance(state, Account):
        assert state.margin.amount >= 0
        assert state.closing <= {each.trade_id for each in state.positions}
        assert state.is_over or not (state.paused and state.positions)


@given(scripts())
@settings(print_blob=True)
def test_a_restart_from_anywhere_knows_what_the_engine_knew(script: Script) -> None:
    asyncio.run(played_and_restarted(script))
