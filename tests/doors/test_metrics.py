"""What is measured is written down, bounded, and true."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from httpx import AsyncClient
from litestar import Litestar
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as families

from api.bootstrap import connection_pool
from api.figures import Figures
from tests.databases import Database
from tests.doors.desk import Desk
from tests.doors.test_health import AWAY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/metrics.md").read_text()
RULES = (ROOT / "deploy/alerts.yml").read_text()
OF_THE_LIBRARY = ("process_", "python_gc_")
NAME = re.compile(r"\btradesense_[a-z_]+\b")
SUFFIX = re.compile(r"_(total|bucket|count|sum)$")

Series = tuple[str, tuple[tuple[str, str], ...]]


async def scraped(http: AsyncClient) -> dict[Series, float]:
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    return dict(samples(answer.text))


def samples(text: str) -> Iterator[tuple[Series, float]]:
    for family in families(text):
        for name, labels, value, *_ in family.samples:
            yield (name, tuple(sorted(labels.items()))), value


def of(
    figures: dict[Series, float], figure: str, partition: str = "s1", **labels: str
) -> float:
    wanted = {"partition": partition, **labels}
    return figures[f"tradesense_{figure}", tuple(sorted(wanted.items()))]


def base(names: Iterable[str]) -> set[str]:
    return {SUFFIX.sub("", name) for name in names}


def listed() -> set[str]:
    """Give the figures that have a row on the page."""
    return base(re.findall(r"^\| `(tradesense_[a-z_]+)", PAGE, re.MULTILINE))


async def test_commands_are_counted_by_what_became_of_them(http: AsyncClient) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    account_id = await desk.open_account()
    await desk.quote("1.09990", "1.10000")
    await desk.quote("1.09980", "1.09970")
    before = await scraped(http)
    trade = {"account_id": account_id, "symbol": "EURUSD", "side": "buy"}
    for key, quantity in (("k1", "0.10"), ("k1", "0.10"), ("k2", "1000"), ("k2", "9")):
        await desk.post("/trades", trade | {"quantity": quantity}, key=key)
    after = await scraped(http)

    def more(figure: str, **labels: str) -> float:
        return of(after, figure, **labels) - of(before, figure, **labels)

    outcomes = {
        outcome: more("commands_total", outcome=outcome)
        for outcome in ("accepted", "refused", "repeated", "unknown", "busy")
    }
    expected = {"accepted": 1, "refused": 1, "repeated": 1, "unknown": 1, "busy": 0}
    assert outcomes == expected
    assert more("events_total", name="account.position-opened/1") == 1
    assert more("commit_seconds_count") == more("batch_events_count") == 2
    assert of(after, "quotes_accepted_total") == 1
    assert of(after, "quotes_refused_total", reason="crossed") == 1
    assert of(after, "accounts_exposed") == 1
    assert of(after, "engine_writing") == 1
    assert of(after, "projector_lag_events") == of(after, "log_position")


async def test_there_are_no_more_figures_when_there_are_more_accounts(
    http: AsyncClient, projected: None
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    await desk.open_account()
    await scraped(http)  # which has a route of its own
    before = await scraped(http)
    for _ in range(3):
        await desk.open_venue()
        await desk.open_account()
    after = await scraped(http)
    assert before.keys() == after.keys()


async def test_what_waits_for_somebody_is_counted(
    http: AsyncClient, database: Database, projected: None
) -> None:
    for kind in ("command", "policy", "event", "event"):
        database.execute(
            "INSERT INTO s1.parked (kind, subject, origin, cause, body)"
            " VALUES (%s, 'x', gen_random_uuid(), 'it broke', '')",
            kind,
        )
    figures = await scraped(http)
    kinds = ("command", "policy", "projection", "event")
    parked = [of(figures, "parked", kind=kind) for kind in kinds]
    assert parked == [1, 1, 0, 2]
    assert of(figures, "accounts_frozen", "p1") == 0


async def test_a_hole_in_the_log_is_seen_and_a_mere_lag_is_none(
    http: AsyncClient, database: Database
) -> None:
    desk = await Desk.opened(http)
    await desk.open_venue()
    assert of(await scraped(http), "position_gap") == 0
    for statement in (
        "ALTER TABLE s1.events DISABLE TRIGGER events_are_facts",
        "DELETE FROM s1.events WHERE notification_id = 1",
    ):
        database.execute(statement)
    assert of(await scraped(http), "position_gap") == 1


async def test_a_database_that_is_away_is_a_figure_too() -> None:
    figures, registry = Figures({}, connection_pool(AWAY)), CollectorRegistry()
    registry.register(figures)
    await figures.look()
    told = dict(samples(generate_latest(registry).decode()))
    assert told["tradesense_database_answers", ()] == 0


async def test_each_figure_is_on_the_page_and_the_page_lists_no_other(
    app: Litestar, http: AsyncClient
) -> None:
    text = (await http.get("/metrics")).text
    told = base([f.name for f in families(text) if not f.name.startswith("p")])
    assert told == listed()
    assert {f.name.split("_")[0] for f in families(text)} == {
        "tradesense",
        *(prefix.split("_")[0] for prefix in OF_THE_LIBRARY),
    }


def test_each_rule_is_about_a_figure_and_stands_beside_it() -> None:
    rules = dict(re.findall(r"- alert: (\w+)\n\s+expr: (.+)", RULES))
    assert len(rules) == RULES.count("- alert:")
    for name, expression in rules.items():
        about = base(NAME.findall(expression))
        assert about <= listed(), name
        for figure in about:
            row = re.search(rf"^\| `{figure}(?:_total)?[{{`].*$", PAGE, re.MULTILINE)
            assert row is not None
            assert f"`{name}`" in row[0], (name, figure)
    alarms = set(re.findall(r"`([A-Z][A-Za-z]+)`", PAGE))
    assert alarms == rules.keys()
