"""When all is calm: the model, the live engine, a replay and a restart agree."""

from typing import Any

from msgspec import msgpack

from application.engine.asks import Ask
from application.engine.host import Host
from application.engine.parking import retry_id
from application.engine.tick_block import verify
from application.parked import Kind
from application.replay import replay
from domain.account.state import Account
from domain.values.market import Moment
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.simulation.model import Model
from tests.simulation.promises import Facts, must
from tests.simulation.realm import Realm
from tests.stories.engines import remembered


def all_has_followed(realm: Realm, host: Host) -> None:
    partition = realm.database.partition
    position = host.engine.head.position
    must(position == partition.head.position, "the engine lags behind")
    must(host.policy.position == position, "the policy lags behind")
    parked = partition.parked.values()
    waiting = {each.subject for each in parked if each.kind is Kind.POLICY}
    missing = [
        what
        for at, what in realm.model.challenges.unfollowed()
        if f"{realm.name}-{at}" not in waiting
    ]
    must(not missing, "nothing followed:", missing[:3])


def what_was_parked_is_decided(realm: Realm) -> None:
    """Each once; what was asked again was done once, or is parked once more."""
    model, partition = realm.model, realm.database.partition
    first: dict[str, str] = {}  # by the id of a retry, that of what was retried
    for item in partition.parked.values():
        how, _ = model.decided.get(item.id, (None, 0))
        must(item.settled == how, "parked", item.id, "is", item.settled, "not", how)
        if how != "retried" or not item.body:
            continue
        again = retry_id(realm.name, item.id)
        original = str(msgpack.decode(item.body, type=Ask).command_id)
        first[str(again)] = first.get(original, original)
        is_parked = any(origin == str(again) for _, origin in partition.parked_origins)
        must(again in partition.receipts or is_parked, "not asked again:", item)
    effects = model.effects.items()  # also of what time had to do before a refusal
    done = [first.get(each, each) for each, (_, direct) in effects if direct]
    twice = {each for each in first.values() if done.count(each) > 1}
    must(not twice, "done, and done again when it was retried:", *twice)


def the_live_engine_agrees(model: Model, host: Host) -> None:
    count = 0
    for _, entry in host.engine.memory.all_shown():
        if isinstance(entry.state, Account):
            venue = host.engine.venues[entry.state.venue_id]
            agrees(
                entry.state,
                model.accounts[entry.state.account_id],
                venue.shown_moment(),
            )
            count += 1
    must(count == len(model.accounts), "accounts were lost")


def agrees(account: Account, model: Facts, moment: Moment) -> None:
    marks = account.marks
    told = {
        "balance": account.balance.amount,
        "peak_balance": marks.peak_balance.amount.amount,
        "peak_equity": marks.peak_equity.amount.amount,
        "day_balance": marks.day_balance.amount.amount,
        "day_equity": marks.day_equity.amount.amount,
        "status": account.status.value,
        "paused": set(account.paused),
        "called": account.is_called,
        "closing": set(account.closing),
    }
    for what, value in told.items():
        must(model[what] == value, account.account_id, what, value, "not", model[what])
    held = {each.trade_id: each.quantity for each in account.positions}
    modelled = {name: each["quantity"] for name, each in model["positions"].items()}
    must(held == modelled, account.account_id, "holds", held, "not", modelled)
    equity = account.equity(moment.market).amount
    must(equity == model["equity"] or account.is_over, "equity", equity, model)


async def a_replay_agrees(partition: Partition) -> None:
    checkpoint, images = partition.checkpoint, tuple(partition.images.values())
    assert checkpoint is not None
    must(checkpoint.position == partition.head.position, "not all is saved")
    journal = MemoryJournal(partition)
    report = await replay(journal, checkpoint, images, None, lambda _: None)
    must(report.equal, "a replay differs:", report.differences[:3])
    must(report.events == partition.head.position, "a replay has left out events")


def the_ticks_are_chained(partition: Partition) -> None:
    for blocks in partition.tick_blocks.values():
        verify(blocks)


def the_same_is_remembered(live: Facts, again: Host) -> None:
    now = remembered(again.engine)
    for what, was in live.items():
        must(now[what] == was, "a restart remembers", *unlike(what, was, now[what]))


def unlike(what: str, was: Any, now: Any) -> tuple[object, ...]:
    if not isinstance(was, dict):
        return (what, now, "not", was)
    names = [each for each in was.keys() | now.keys() if was.get(each) != now.get(each)]
    return (what, *((each, now.get(each), "not", was.get(each)) for each in names[:2]))
