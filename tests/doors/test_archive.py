"""Days of ticks move into files, byte for byte; what needs them finds them there."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from httpx import AsyncClient

from api.cli.audit import compared
from api.cli.main import main
from application.engine.journal import TickBlock
from infrastructure.archive.manifest import ArchiveBroken
from infrastructure.archive.parquet import blocks_in, ticks_in
from infrastructure.archive.reading import TickArchive, verified
from infrastructure.archive.writing import Archiving
from infrastructure.clock import SystemClock
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.feeds.recorded import recorded
from infrastructure.roles import Role
from infrastructure.settings import Settings
from projections.digest import digest
from projections.rebuild import rebuild
from tests.databases import Database
from tests.doors.desk import Desk

pytest.importorskip("pyarrow")

PARTITIONS = ("p1", "s1")
THURSDAY = date(2026, 1, 8)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


async def traded(http: AsyncClient) -> Desk:
    """Four days of the euro, a trade that outlives them, and some refused quotes."""
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000", "2026-01-05T09:00:01Z")
    await desk.trade(account_id, quantity="0.10")
    for day in (5, 6, 7, 8):
        for hour in (10, 14, 20):
            at = f"2026-01-{day:02}T{hour}:00:00Z"
            await desk.quote(f"1.1{day}{hour}0", f"1.1{day}{hour}9", at)
        await desk.quote("1.2", "1.1", f"2026-01-{day:02}T21:00:00Z")
        await desk.quote("0", "1.1", f"2026-01-{day:02}T22:00:00Z")
    await desk.get(f"/accounts/{account_id}")
    return desk


def archived(
    database: Database, data: Path, venue_id: str, *, drop: bool = False
) -> TickArchive:
    here = TickArchive(data, "s1")
    dsn = database.dsn(Role.OWNER if drop else Role.AUDITOR)
    with psycopg.connect(dsn, autocommit=True) as connection:
        archiving = Archiving(connection, here, venue_id)
        list(archiving.archive(THURSDAY, lambda _: None))
        if drop:
            archiving.drop(THURSDAY, NOW, lambda _: None)
    return here


async def blocks_of(
    database: Database, venue_id: str, here: TickArchive | None = None
) -> list[TickBlock]:
    journal = PostgresJournal(database.dsn(Role.AUDITOR), "s1", here)
    try:
        return [each async for each in journal.tick_blocks(venue_id)]
    finally:
        await journal.close()


def kept(database: Database, venue_id: str) -> list[int]:
    with psycopg.connect(database.dsn(Role.AUDITOR)) as connection:
        rows = connection.execute(
            "SELECT number FROM s1.tick_blocks WHERE venue_id = %s ORDER BY number",
            (venue_id,),
        )
        return [number for (number,) in rows]


async def test_days_are_written_and_read_back_equal(
    http: AsyncClient, database: Database, tmp_path: Path
) -> None:
    desk = await traded(http)
    before = await blocks_of(database, desk.venue_id)
    here = archived(database, tmp_path, desk.venue_id)
    days = list(verified(here, desk.venue_id))
    assert [each.day.day for each in days] == [5, 6, 7]
    assert [(each.accepted, each.refused) for each in days] == [(4, 2), (3, 2), (3, 2)]
    folder = here.folder(desk.venue_id)
    again = [
        block
        for each in days
        for group in blocks_in(folder / each.blocks.name)
        for block in group
    ]
    assert again == before[: len(again)]
    assert kept(database, desk.venue_id) == [each.number for each in before]
    rows = list(ticks_in(folder / days[0].ticks.name))
    assert [row["reason"] for row in rows][-2:] == ["crossed", "not-a-price"]
    assert rows[-1]["said_bid"] == "0"


async def test_a_second_run_goes_on_where_the_first_ended(
    http: AsyncClient, database: Database, tmp_path: Path
) -> None:
    desk = await traded(http)
    here = archived(database, tmp_path, desk.venue_id)
    known = here.manifest(desk.venue_id)
    assert archived(database, tmp_path, desk.venue_id).manifest(desk.venue_id) == known
    await desk.quote("1.2", "1.3", "2026-01-09T10:00:00Z")
    with psycopg.connect(database.dsn(Role.AUDITOR), autocommit=True) as connection:
        archiving = Archiving(connection, here, desk.venue_id)
        (more,) = archiving.archive(date(2027, 1, 1), lambda _: None)
    assert more.day.day == 8  # the day of the last quote goes on
    assert more.first_number == known.link.number + 1
    assert len(list(verified(here, desk.venue_id))) == 4


@pytest.mark.parametrize("which", ["blocks", "ticks"])
async def test_one_changed_byte_is_found_and_nothing_is_dropped(
    http: AsyncClient, database: Database, tmp_path: Path, which: str
) -> None:
    desk = await traded(http)
    here = archived(database, tmp_path, desk.venue_id)
    before = kept(database, desk.venue_id)
    file = here.folder(desk.venue_id) / f"2026-01-06.{which}.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArchiveBroken, match=file.name):
        list(verified(here, desk.venue_id))
    with pytest.raises(ArchiveBroken):
        archived(database, tmp_path, desk.venue_id, drop=True)
    assert kept(database, desk.venue_id) == before


async def test_what_was_dropped_is_found_in_the_archive(
    http: AsyncClient, projected: None, database: Database, tmp_path: Path
) -> None:
    desk = await traded(http)
    before = await blocks_of(database, desk.venue_id)
    asked = {"venue_id": desk.venue_id, "interval": "1h"}
    candles = await desk.get("/market-data/symbols/EURUSD/candles", **asked)
    projector, auditor = database.dsn(Role.PROJECTOR), database.dsn(Role.AUDITOR)
    live = await digest(projector)
    here = archived(database, tmp_path, desk.venue_id, drop=True)
    known = here.manifest(desk.venue_id)
    assert known.dropped_to == known.link.number
    assert kept(database, desk.venue_id)[0] == known.link.number + 1

    assert await blocks_of(database, desk.venue_id, here) == before
    report = await compared(auditor, None, tmp_path)
    assert report.equal, report.differences
    lost = await compared(auditor, None)
    assert not lost.equal

    await rebuild(projector, PARTITIONS, data=tmp_path)
    again = await digest(projector)
    assert (again.candles, again.ticks) == (live.candles, live.ticks)
    assert candles["items"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("DELETE FROM s1.tick_blocks")


async def test_an_archive_is_a_feed(
    http: AsyncClient, database: Database, tmp_path: Path
) -> None:
    desk = await traded(http)
    here = archived(database, tmp_path, desk.venue_id)
    file = here.folder(desk.venue_id) / "2026-01-06.ticks.parquet"
    feed = recorded(file, SystemClock())
    rows = list(feed._rows())  # noqa: SLF001 - its pace is another test's
    assert [(row.symbol, row.bid[:7]) for row in rows] == [
        ("EURUSD", "1.16100"),
        ("EURUSD", "1.16140"),
        ("EURUSD", "1.16200"),
    ]


async def test_the_command_says_what_it_has_done(
    http: AsyncClient,
    database: Database,
    own_servers: Any,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = await traded(http)
    monkeypatch.setattr("api.cli.ticks.settings", lambda: settings)
    monkeypatch.setattr("api.cli.ticks.servers_of", lambda _: own_servers)
    venue = ["--venue", desk.venue_id]
    said = [["archive", "--before", "2026-01-07", *venue, "--json"]]
    said += [["archive", "--before", "2026-01-08", *venue, "--drop", "--json"]]
    said += [["verify", *venue, "--json"]]
    told = [CliRunner().invoke(main, ["ticks", *each]) for each in said]
    assert [each.exit_code for each in told] == [0, 0, 0], [e.output for e in told]
    first, second, checked = (json.loads(each.stdout) for each in told)
    assert [day["day"] for day in first["days"]] == ["2026-01-05", "2026-01-06"]
    assert (first["dropped"], first["dropped_to"]) == (0, 0)
    assert second["dropped"] == second["dropped_to"] == second["archived_to"]
    assert len(checked["days"]) == 3
    assert set(checked["days"][0]["blocks"]) == {"name", "bytes", "sha256"}
    words = CliRunner().invoke(main, ["ticks", "verify", *venue])
    assert "2026-01-05  blocks 1 to" in words.stdout
    wrong = CliRunner().invoke(main, ["ticks", "verify", "--venue", "../live"])
    assert wrong.exit_code == 1
