"""One pair of servers for a whole test run, however many workers share it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infrastructure.embedded.profiles import throw_away
from infrastructure.embedded.servers import Servers, acquire, discard

pytest_plugins = ["tests.databases"]

RUN_FOLDER = "TRADESENSE_TEST_RUN"


QUICK, FULL = 50, 2_000  # examples of a law


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="the counts that the guarantees promise"
    )


@pytest.fixture(scope="session")
def is_full(request: pytest.FixtureRequest) -> bool:
    """Say whether to prove (`make prove`) or only to test (`make test`)."""
    return bool(request.config.getoption("--full"))


def pytest_configure(config: pytest.Config) -> None:
    """Name the run's folder in its first process; xdist's workers inherit the name."""
    counts = FULL if config.getoption("--full") else QUICK
    settings.register_profile("ours", max_examples=counts, deadline=None)
    settings.load_profile("ours")
    if not hasattr(config, "workerinput"):
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="ts-run-")
        Path(os.environ[RUN_FOLDER]).chmod(0o711)  # the servers' user passes through


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(RUN_FOLDER))
        discard(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the proofs have counted and measured, where everybody looks."""
    told = [
        f"{report.nodeid.rpartition('::')[2]}: {text}"
        for report in terminalreporter.stats.get("passed", [])
        for name, text in report.user_properties
        if name == "figure"
    ]
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Lease this run's Postgres and Valkey; make a database of your own on them."""
    fsync = os.environ.get("TS_TEST_FSYNC", "on") == "on"
    with acquire(Path(os.environ[RUN_FOLDER], "data"), throw_away(fsync=fsync)) as held:
        yield held
