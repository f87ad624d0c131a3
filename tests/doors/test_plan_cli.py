"""`tradesense plan` answers with words, JSON, and an exit code that means something."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli.main import main
from application.engine.asks import Ask
from application.engine.host import Host
from application.plan_documents import TEMPLATES, template
from domain.plan.decider import ActivatePlan, DraftPlan
from infrastructure.clock import SystemClock
from infrastructure.event_store.journal import PostgresJournal
from infrastructure.roles import Role
from tests.databases import Database
from tests.doors.conftest import database
from tests.stories.plans import DAILY, MAX_LOSS, TARGET, phase, written

__all__ = ("database",)

Write = Callable[[Any], str]
PLAN = written(phase(DAILY, MAX_LOSS, TARGET), phase(DAILY, MAX_LOSS, name="funded"))
STRICTER = written(
    phase(DAILY | {"amount": ["pct_initial", "4"]}, MAX_LOSS, TARGET),
    phase(DAILY, MAX_LOSS, name="funded"),
)
OPEN = written(phase({k: v for k, v in MAX_LOSS.items() if k != "cmp"}))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(plan: Any) -> str:
        number = len(list(tmp_path.iterdir()))
        file = tmp_path / f"{number}.json"
        file.write_text(plan if isinstance(plan, str) else json.dumps(plan))
        return str(file)

    return put


def tradesense(*words: str) -> Result:
    return CliRunner().invoke(main, ("plan", *words))


def test_a_plan_that_says_one_thing_passes(write: Write) -> None:
    passed = tradesense("lint", write(PLAN))
    assert passed.exit_code == 0
    assert passed.output.endswith(": 0 errors, 0 warnings\n")
    told = json.loads(tradesense("lint", write(PLAN), "--json").output)
    assert (told["ok"], told["findings"]) == (True, [])


def test_what_can_be_read_in_two_ways_exits_with_one(write: Write) -> None:
    refused = tradesense("lint", write(OPEN))
    assert refused.exit_code == 1
    for said in ("phases[0].rules[0].cmp", "either  lt:", "or      le:", "1 error, "):
        assert said in refused.output
    told = tradesense("lint", write(OPEN), "--json")
    assert told.exit_code == 1
    (finding,) = json.loads(told.output)["findings"]
    assert set(finding) == {"field", "reason", "readings", "severity"}


def test_a_doubt_refuses_nothing(write: Write) -> None:
    doubted = write(written(phase(MAX_LOSS, reset=["Etc/GMT-2", "00:00"])))
    told = tradesense("lint", doubted)
    assert (told.exit_code, "0 errors, 1 warning" in told.output) == (0, True)


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        '{"name": "a", "name": "b"}',
        PLAN | {"colour": "red"},
        PLAN | {"currency": "ZZZ"},
        PLAN | {"phases": [phase(TARGET | {"pct": 8.5})]},
    ],
    ids=str,
)
def test_what_is_no_plan_exits_with_two(write: Write, wrong: Any) -> None:
    file = write(wrong)
    for words in (("lint", file), ("diff", file, file), ("explain", file)):
        refused = tradesense(*words)
        assert refused.exit_code == 2, refused.output
        assert "Traceback" not in refused.output
    told = CliRunner().invoke(main, ("plan", "lint", file, "--json"))
    assert json.loads(told.stdout)["ok"] is False


def test_an_answer_of_the_api_may_be_kept_as_a_file(write: Write) -> None:
    kept = PLAN | {"plan_id": "x", "version": 3, "status": "active", "position": "p1-1"}
    assert tradesense("lint", write(kept)).exit_code == 0


def test_differences_exit_with_one_and_say_what_they_mean(write: Write) -> None:
    same = tradesense("diff", write(PLAN), write(PLAN))
    assert (same.exit_code, same.output[:13]) == (0, "0 differences")
    told = tradesense("diff", write(PLAN), write(STRICTER))
    assert told.exit_code == 1
    assert "- phases[evaluation].rules[daily].amount" in told.output
    as_json = tradesense("diff", write(PLAN), write(STRICTER), "--json")
    (found,) = json.loads(as_json.output)["differences"]
    assert found["for_trader"] == "stricter"
    assert tradesense("diff", write(PLAN), write(OPEN)).exit_code == 1


def test_an_explanation_has_numbers_that_hold(write: Write) -> None:
    told = tradesense("explain", write(PLAN))
    assert told.exit_code == 0
    words = " ".join(told.output.split())
    assert "Equity of 95,000.00 USD is allowed, 94,999.99 USD is a breach." in words
    as_json = json.loads(tradesense("explain", "two-step", "--json").output)
    assert [each["name"] for each in as_json["phases"]][-1] == "funded"
    larger = tradesense("explain", "two-step", "--deposit", "200000").output
    assert "The examples are of 200,000.00 USD." in larger
    assert tradesense("explain", "two-step", "--deposit", "7").exit_code == 2
    refused = tradesense("explain", write(OPEN))
    assert (refused.exit_code, "either" in refused.output) == (1, True)


def test_templates_are_listed_and_printed() -> None:
    listed = tradesense("templates").output
    assert all(name in listed for name in TEMPLATES)
    items = json.loads(tradesense("templates", "--json").output)["items"]
    assert [each["name"] for each in items] == list(TEMPLATES)
    for name in TEMPLATES:
        assert json.loads(tradesense("templates", name).output)["name"] == name
        assert tradesense("lint", name).exit_code == 0


@pytest.fixture
def in_log(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two versions of a plan, the first on sale."""
    monkeypatch.setenv("TS_ENV", "dev")
    monkeypatch.setenv("TS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", database.dsn(Role.OWNER))
    monkeypatch.setenv("REDIS_URL", database.servers.redis_url)
    asyncio.run(two_versions(database.dsn(Role.APP)))
    return "a-plan"


async def two_versions(dsn: str) -> None:
    host = Host("p1", PostgresJournal(dsn, "p1"), SystemClock())
    await host.start(lambda _: None)
    for command in (
        DraftPlan(plan_id="a-plan", document=template("two-step")),
        ActivatePlan(plan_id="a-plan", version=1),
        DraftPlan(plan_id="a-plan", document=template("two-step-trailing")),
    ):
        ask = Ask(
            stream="plan-a-plan",
            command=command,
            actor="an-admin",
            owner=None,
            request_id="a-request",
        )
        await host.engine.ask(ask)
    await host.stop()


def test_a_plan_in_the_log_is_named_by_its_id_and_version(in_log: str) -> None:
    on_sale = json.loads(tradesense("explain", in_log, "--json").output)
    assert on_sale["name"] == "two-step"
    found = tradesense("diff", f"{in_log}@1", f"{in_log}@2", "--json")
    assert found.exit_code == 1
    assert json.loads(found.output)["after"]["name"] == "two-step-trailing"
    assert tradesense("diff", in_log, "two-step").exit_code == 0
    for unknown in (f"{in_log}@3", f"{in_log}@0", f"{in_log}@x", "nothing"):
        assert tradesense("explain", unknown).exit_code == 2
