"""Whatever breaks, in whatever order: nothing lost, nothing doubled, nothing wrong."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final
from unittest.mock import PropertyMock, patch
from uuid import uuid4

import pytest
from msgspec import json
from msgspec.structs import replace

from application.catalogue import Fact
from application.engine import backlog, deciding, engine
from application.engine.asks import Ask
from application.engine.backlog import Backlog
from application.engine.engine import Engine
from application.engine.host import Host
from application.engine.journal import Batch
from application.engine.kept import KeptAnswers
from application.engine.memory import Memory
from application.engine.parking import again
from application.engine.start import Start
from application.engine.timers import Timers
from application.engine.venue import Venue
from application.parked import ParkedEvent
from application.parked import decide as decide_parked
from application.policies import runner
from application.policies.challenge_progress import Lookup, react
from domain.account import decider, stop_out, trading
from domain.account.stop_out import worth as gain
from domain.rules.marks import Marks
from domain.values.instrument import Instrument
from tests.simulation.journal import Lost, SimulatedJournal
from tests.simulation.loop import Stalled
from tests.simulation.world import Outcome, simulated

ROOT: Final = Path(__file__).parents[2]
COMMANDS: Final = 400
SEEDS: Final = (1, 2, 3, 5, 6, 7, 8, 9)
FULL_SEEDS: Final = 44
FULL_COMMANDS: Final = 2_400  # a seed, so that all together are beyond 100,000
PAST_FAILURES: Final = (
    (4, 400),  # a restart whose venue had a newer clock than quotes lost these
    (7, 400),  # a policy that could not read the log never read on
    (11, 400),  # as 4, found where a batch was lost after the restart
    (12, 1_000),  # a peak was lost between a venue's image and an older account's
    (100, 1_000),  # the receipt of a repeat was forgotten while another was read
    (1_001, 2_400),  # a start read images newer than its checkpoint
    (2, 2_000),  # a key that a client order id had answered was taken again
    (31, 400),  # an account froze with other marks than a start gave it
    (32, 400),  # what a restart had asked again was refused when it was retried
)
FAULTY_SEEDS: Final = range(31, 45)  # one of them must find what was put in
LATE_SEEDS: Final = (31, 35, 43, 433)


def run(seed: int, commands: int) -> Outcome:
    again = f"python -m tests.simulation {seed} {commands}"
    try:
        return simulated(seed, commands)
    except Exception as broken:
        raise AssertionError(f"{again}: {type(broken).__name__} {broken}") from broken


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_keeps_every_promise(seed: int) -> None:
    outcome = run(seed, COMMANDS)
    assert outcome.commands >= COMMANDS
    assert outcome.events > COMMANDS / 10
    assert outcome.verdicts


@pytest.mark.parametrize("seed", LATE_SEEDS)
def test_a_seed_keeps_every_promise_where_most_are_judged_late(seed: int) -> None:
    with few_at_once(seed):
        run(seed, COMMANDS)


@pytest.mark.parametrize(("seed", "commands"), PAST_FAILURES)
def test_what_once_broke_a_promise_breaks_none(seed: int, commands: int) -> None:
    run(seed, commands)


def test_a_seed_is_one_run_in_this_process_and_in_any() -> None:
    first, again = run(6, COMMANDS), run(6, COMMANDS)
    assert again == first
    assert run(5, COMMANDS).digest != first.digest
    command = [sys.executable, "-m", "tests.simulation", "6", str(COMMANDS)]
    surroundings = os.environ | {"PYTHONHASHSEED": "7"}
    told = subprocess.run(
        command, check=True, capture_output=True, cwd=ROOT, env=surroundings
    )
    assert json.decode(told.stdout, type=Outcome) == first


@pytest.mark.parametrize("half", [0, 1])  # one for each core
def test_as_many_commands_as_time_allows(
    half: int, record_property: Callable[[str, object], None], *, is_full: bool
) -> None:
    """A hundred thousand when everything is proved; one seed a core otherwise."""
    began, worked = perf_counter(), process_time()
    seeds = range(1_000 + half, 1_000 + (FULL_SEEDS if is_full else 2), 2)
    outcomes = [run(seed, FULL_COMMANDS) for seed in seeds]
    minutes = (perf_counter() - began) / 60
    commands = sum(each.commands for each in outcomes)
    lives = sum(each.processes for each in outcomes)
    pace = round(commands / minutes)
    alone = round(commands / (process_time() - worked) * 60)
    told = f"{commands} commands, {lives} engines, {pace} commands a minute"
    record_property("figure", f"{told}, {alone} with a core to itself")
    assert commands >= (50_000 if is_full else FULL_COMMANDS // 2)


# -- faults put in on purpose: a simulation that finds nothing proves nothing -------


async def eager(self: SimulatedJournal, batch: Batch) -> None:
    """Take no answer for a yes."""
    with suppress(Lost):
        await self._asked(lambda: self._store(batch))


def skipping(self: Venue) -> None:
    """Leave out a number of the sequence, now and then."""
    settle(self)
    if self.sequence % 7 == 0:
        self.sequence += 1


def estranged(position: str, stream: str, fact: Fact, lookup: Lookup) -> Ask | None:
    """Give a follow-up another id each time."""
    ask = react(position, stream, fact, lookup)
    return ask and replace(ask, command_id=uuid4())


def eternal(*parked: object) -> ParkedEvent:
    """Decide about what is parked as if nobody had."""
    command, _, actor, at = parked
    return decide_parked(command, None, actor, at)  # type: ignore[arg-type]


def once_more(body: bytes, *about: Any) -> Ask:
    """Retry without asking whether it was done meanwhile."""
    return replace(again(body, *about), natural_id=None)


@contextmanager
def few_at_once(seed: int) -> Iterator[None]:
    """As if every quote touched very many accounts."""
    with (
        patch.object(deciding, "SLICE", (1, 2, 5, 12)[seed % 4]),
        patch.object(backlog, "MOST_KEPT", (3, 6, 1_000)[seed % 3]),
        patch.object(engine, "MOST_JUDGED", (1, 2, 256)[seed // 2 % 3]),
    ):
        yield


async def nothing(*_: object) -> None:
    """Leave it undone."""


settle = Venue.settle


def one_night(*_: object) -> int:
    return 1


FAULTS: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    "no answer is taken for a yes": lambda: patch.object(
        SimulatedJournal, "commit", eager
    ),
    "memory answers without a lease": lambda: patch.object(
        Engine, "holds_lease", new_callable=PropertyMock, return_value=True
    ),
    "an answer is not kept": lambda: patch.object(KeptAnswers, "keep", lambda *_: None),
    "a follow-up has another id each time": lambda: patch.object(
        runner, "react", estranged
    ),
    "a checkpoint leaves out what has changed": lambda: patch.object(
        Memory, "unsaved", lambda _: {}
    ),
    "a number of the sequence is left out": lambda: patch.object(
        Venue, "settle", skipping
    ),
    "a mark is not raised": lambda: patch.object(
        Marks, "raised", lambda self, *_, **__: self
    ),
    "a trade is let into a closed market": lambda: patch.object(
        trading, "is_open", lambda *_: True
    ),
    "a forced fill waits for no open market": lambda: patch.object(
        decider, "is_tradable", lambda *_: True
    ),
    "an account that cannot be judged goes on": lambda: patch.object(
        deciding, "quarantined", lambda account, *_: (account, ())
    ),
    "it freezes with other marks than a start gives it": lambda: patch.object(
        deciding, "refolded", lambda _, account, __: account
    ),
    "what fails is not parked": lambda: patch.object(SimulatedJournal, "park", nothing),
    "what is retried is not asked again": lambda: patch.object(
        runner.PolicyRunner, "_again", nothing
    ),
    "what is retried is done twice": lambda: patch.object(runner, "again", once_more),
    "it is decided about twice": lambda: patch.object(
        deciding, "decide_parked", eternal
    ),
    "nobody looks at the margin": lambda: patch.object(
        decider, "is_tight", lambda *_: False
    ),
    "a stop-out begins with what wins": lambda: patch.object(
        stop_out, "worth", lambda held, account, moment: -gain(held, account, moment)
    ),
    "every night is one night": lambda: patch.object(Instrument, "nights", one_night),
    "a deadline is forgotten": lambda: patch.object(Timers, "due", lambda *_: None),
    "no heartbeat is sequenced": lambda: patch.object(
        Host, "keep_time", lambda _: None
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_put_in_is_found(fault: str) -> None:
    with FAULTS[fault]():
        for seed in FAULTY_SEEDS:
            try:
                simulated(seed, COMMANDS)
            except (AssertionError, Stalled):
                return
    pytest.fail(f"{fault}, and nobody has noticed")


LATE_FAULTS: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    "who was left by a crash is never judged": lambda: patch.object(
        Start, "_leave_unjudged", lambda _: None
    ),
    "who was judged by a lost batch is not judged again": lambda: patch.object(
        Backlog, "drop", lambda _: ()
    ),
    "who is behind takes a command": lambda: patch.object(
        Backlog, "__contains__", lambda *_: False
    ),
    "the prices are those of now": lambda: patch.object(
        Venue, "kept_moment", Venue.moment
    ),
    "a sandbox is answered before all are judged": lambda: patch.object(
        Engine, "_is_complete", lambda *_: True
    ),
}


@pytest.mark.parametrize("fault", LATE_FAULTS)
def test_a_fault_in_judging_late_is_found(fault: str) -> None:
    with LATE_FAULTS[fault]():
        for seed in FAULTY_SEEDS:
            try:
                with few_at_once(seed):
                    simulated(seed, COMMANDS)
            except (AssertionError, Stalled):
                return
    pytest.fail(f"{fault}, and nobody has noticed")
