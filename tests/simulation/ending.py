"""When all is calm: the model, the live engine, a replay and a restart agree."""

from application.engine.host import Host
from application.engine.tick_block import verify
from application.parked import Kind
from application.replay import replay
from domain.account.state import Account
from domain.values.market import Moment
from infrastructure.event_store.memory import MemoryJournal, Partition
from tests.simulation.model import Facts, Model, must
from tests.stories.engines import remembered


def all_has_followed(model: Model, partition: Partition, host: Host) -> None:
    parked = partition.parked.values()
    must(all(each.kind is Kind.COMMAND for each in parked), "it was parked:", parked)
    must(not (missing := model.unfollowed()), "nothing followed:", missing[:3])
    position = host.engine.head.position
    must(position == partition.head.position, "the engine lags behind")
    must(host.policy.position == position, "the policy lags behind")


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
        must(now[what] == was, "a restart remembers another", what)
