"""The command line answers in one line, and refuses in one line."""

import json
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from api.cli.main import COMMANDS, main
from infrastructure.migrate import MIGRATIONS
from infrastructure.roles import Role
from tests.databases import Database


@pytest.fixture(autouse=True)
def _environment(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TS_ENV", "dev")
    monkeypatch.setenv("TS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", database.dsn(Role.OWNER))
    monkeypatch.setenv("REDIS_URL", database.servers.redis_url)


def tradesense(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def read(*words: str) -> Any:
    return json.loads(tradesense(*words, "--json").stdout)


def test_help_names_every_command() -> None:
    said = tradesense("--help").output
    assert all(name in said for name in COMMANDS)


def test_db_url_prints_a_dsn_that_lets_in() -> None:
    dsn = tradesense("db", "url", "--role", "analyst").output.strip()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    printed = json.loads(tradesense("db", "url", "--json").output)
    assert printed["role"] == "app"


def test_db_status_and_up_agree_that_nothing_is_pending() -> None:
    assert tradesense("db", "up").exit_code == 0
    assert "Pending: 0" in tradesense("db", "status").output


def test_db_down_undoes_the_newest_and_up_makes_it_again() -> None:
    assert tradesense("db", "down", "--yes").exit_code == 0
    assert "Pending: 1" in tradesense("db", "status").output
    assert tradesense("db", "up").exit_code == 0
    assert "Pending: 0" in tradesense("db", "status").output


def test_db_tells_programs_which_migrations_there_are() -> None:
    names = sorted(each.name for each in MIGRATIONS.glob("*.sql"))
    whole = {"applied": names, "pending": []}
    assert read("db", "status") == read("db", "up") == read("init") == whole
    undone = {"applied": names[:-1], "pending": names[-1:]}
    assert read("db", "down", "--yes") == undone
    assert read("reset", "--yes") == whole


def test_reset_empties_the_database_in_development_only(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("UPDATE p1.partition_head SET epoch = 41")
    for other in ("test", "production"):
        monkeypatch.setenv("TS_ENV", other)
        refused = tradesense("reset", "--yes")
        assert refused.exit_code == 1
        assert other in refused.output
    assert database.execute("SELECT epoch FROM p1.partition_head") == [(41,)]
    monkeypatch.setenv("TS_ENV", "dev")
    assert tradesense("reset", "--yes").exit_code == 0
    assert database.execute("SELECT epoch FROM p1.partition_head") != [(41,)]


def test_a_bad_setting_is_one_line_and_no_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "none")
    refused = tradesense("db", "url")
    assert refused.exit_code == 1
    assert refused.output == "Error: PORT cannot be 'none'.\n"


def test_doctor_finds_servers_and_says_their_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("TS_BROWSER", os.devnull)
    findings = {
        finding["name"]: finding
        for finding in json.loads(tradesense("doctor", "--json").output)
    }
    assert findings["postgres"]["ok"]
    assert findings["valkey"]["ok"]
    assert not findings["browser"]["ok"]
