"""An engine starts on a log with an event that it cannot read, and lists that."""

from msgspec.structs import replace
from structlog.testing import capture_logs

from application.engine.host import Host
from application.parked import Kind
from domain.account.state import Account, Status
from infrastructure.event_store.journal import PostgresJournal
from tests.adapters.batches import batch_of, recorded
from tests.adapters.trading_desk import HandClock, trading_desk
from tests.databases import Database


async def test_an_engine_starts_beside_what_it_cannot_read(database: Database) -> None:
    async with trading_desk(
        "p1", PostgresJournal(database.dsn(), "p1"), "live"
    ) as desk:
        spoilt, sound = [await desk.opens_account() for _ in range(2)]
    await spoil(database, f"account-{spoilt}")

    for _ in range(2):  # from the log after a checkpoint, then from a checkpoint
        host = Host("p1", PostgresJournal(database.dsn(), "p1"), HandClock())
        with capture_logs():  # critical, and told in colour
            await host.start(lambda _: None)
        await host.policy.settled(host.engine.head.position)
        items = await host.engine.journal.parked()
        await host.stop()
        assert status(host, spoilt) is Status.FROZEN
        assert status(host, sound) is Status.ACTIVE
        assert [each.kind for each in items] == [Kind.EVENT, Kind.POLICY]
    frozen = database.execute(
        "SELECT originator_id FROM p1.events WHERE topic = 'account.quarantined/1'"
    )
    assert frozen == [(f"account-{spoilt}",)]


async def spoil(database: Database, stream: str) -> None:
    """Add what only a later version can read, as after going back from it."""
    journal = PostgresJournal(database.dsn(), "p1")
    head = await journal.take()
    stranger = recorded(head.position + 1, stream, version=2)
    await journal.commit(
        batch_of(head, (replace(stranger, name="account.promoted/1"),))
    )
    await journal.close()


def status(host: Host, account_id: str) -> Status:
    entry = host.engine.memory.shown(f"account-{account_id}")
    assert entry is not None
    assert isinstance(entry.state, Account)
    return entry.state.status
