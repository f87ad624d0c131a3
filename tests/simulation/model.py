"""What must follow from what one partition has stored, batch by batch.

It reads every stored batch as JSON and packed columns, predicts each fill and verdict
from the quotes alone, and says `Broken` where the log says anything else.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from datetime import datetime
from operator import itemgetter
from typing import Final

from msgspec import json

from application.engine.journal import Batch, Recorded
from domain.values.trading_day import INSTANT
from tests.simulation.accounts import Accounts, When
from tests.simulation.challenges import Challenges
from tests.simulation.columns import Tick, ticks_of
from tests.simulation.hours import in_one_session, next_boundary
from tests.simulation.promises import Facts, instant, must

FIRST: Final = {
    "venue.day-boundary-passed/1",
    "venue.judging-deferred/1",
    "venue.judging-caught-up/1",
}
BY_ITSELF: Final = ("boundary:", "tick:", "timer:")  # what nobody has asked for
LATE: Final = {
    "venue.judging-deferred/1": True,
    "venue.judging-caught-up/1": False,
}


class Model:
    def __init__(self) -> None:
        self.position = self.batches = 0
        self.versions: dict[str, int] = defaultdict(int)
        self.venues: dict[str, Facts] = {}
        self.book = Accounts()
        self.accounts, self.trades = self.book.known, self.book.trades
        self.challenges = Challenges(self.accounts)
        self.effects: dict[str, tuple[int, list[tuple[int, str]]]] = {}
        self.first_told: dict[str, int] = {}  # stream, position of its first event
        self.decided: dict[int, tuple[str, int]] = {}  # on what was parked, and where

    # -- what is stored -----------------------------------------------------------

    def take(self, batch: Batch) -> None:
        self.batches += 1
        must(batch.number == self.batches, "batch", batch.number, "is not the next")
        for event in batch.events:  # venues first: their blocks name no instrument
            if event.name == "venue.opened/1":
                self._open_venue(event)
        for block in batch.tick_blocks:
            venue = self.venues[block.venue_id]
            venue["coming"].extend(ticks_of(block))
            venue["heard_at"] = block.engine_to  # refused quotes move its clock too
        for event in batch.events:
            self._event(event)
        must(self.position == batch.position, "the batch ends elsewhere")
        for venue in self.venues.values():
            self._apply_ticks(venue, None)
            venue["clocks"].append((self.position, venue["clock"]))
        self._no_verdict_is_due("the end of a batch")

    def _event(self, event: Recorded) -> None:
        self.position += 1
        self.book.position = self.position
        self.versions[event.stream] += 1
        must(event.position == self.position, "a hole before", event.position)
        must(event.version == self.versions[event.stream], "a hole in", event.stream)
        self.first_told.setdefault(event.stream, event.position)
        envelope = json.decode(event.envelope)
        self._note_effect(event, envelope)
        fact = json.decode(event.payload)
        if (venue_id := envelope["venue"]) is not None:
            venue, at = self.venues[venue_id], instant(envelope["engine_time"])
            tick = envelope["as_of_tick"]
            if not self._was_due_before(event, venue, (tick, at)):
                self._come_to(venue, tick, at, event.name)
            self._of_venue(event, fact, venue, (tick, at))
        kind, _, name = event.stream.partition("-")
        match kind:
            case "challenge":
                self._no_verdict_is_due(event.name)
                self.challenges.take(name, event.name, event.position, fact)
            case "plan":
                self.challenges.take_plan(event.stream, event.name, fact)
            case "parked":
                must(int(name) not in self.decided, event.stream, "was decided before")
                how = event.name.removeprefix("parked.").removesuffix("/1")
                self.decided[int(name)] = (how, event.position)

    def _note_effect(self, event: Recorded, envelope: Facts) -> None:
        command_id = envelope["command_id"]
        if command_id is None:
            return
        batch, direct = self.effects.setdefault(command_id, (self.batches, []))
        must(batch == self.batches, "command", command_id, "has had its effect before")
        if not envelope["causation"].startswith(BY_ITSELF):
            direct.append((event.position, event.name))

    def _no_verdict_is_due(self, before: str) -> None:
        pending = self.book.due()
        must(not pending, "a verdict was due before", before, *pending)

    def _was_due_before(self, event: Recorded, venue: Facts, when: When) -> bool:
        """While some accounts are judged later, they are as of an earlier instant."""
        now = (venue["sequence"], venue["clock"])
        if when[0] > now[0] or when[1] > now[1]:
            return False
        kind, _, name = event.stream.partition("-")
        return kind == "account" and name in self.book.pending

    # -- venues and quotes --------------------------------------------------------

    def _open_venue(self, event: Recorded) -> None:
        fact = json.decode(event.payload)
        self.venues[fact["venue_id"]] = {
            "name": fact["venue_id"],
            "clock": instant(fact["at"]),
            "heard_at": instant(fact["at"]),
            "clocks": [],  # positions at the end of a batch, and what it then showed
            "sequence": 0,
            "instruments": {each["symbol"]: each for each in fact["instruments"]},
            "stale_after": fact["stale_after_seconds"],
            "quotes": {},
            "quoted_at": {},
            "told": {},  # by sequence, what was quoted
            "coming": deque(),
            "accounts": {},
            "turning": {},  # by zone and time: whose day turns
            "due": {},  # by zone and time: the next boundary
            "timers": {},  # by account, its next deadline
            "is_late": False,  # some accounts are judged later than it goes on
        }

    def _come_to(self, venue: Facts, tick: int, at: datetime, to: str) -> None:
        """Of one instant boundaries come first, then timers, then all else."""
        self._apply_ticks(venue, tick)
        must(venue["sequence"] == tick, "ticks not stored")
        must(at >= venue["clock"], "time goes back at", self.position)
        self._strike(venue, at - INSTANT if to in FIRST else at)
        venue["clock"] = at

    def _of_venue(self, event: Recorded, fact: Facts, venue: Facts, when: When) -> None:
        """Boundaries, then timers, then anything else that the same instant holds."""
        kind, _, name = event.stream.partition("-")
        if event.name in LATE:
            must(venue["is_late"] is not LATE[event.name], event.name, "once more")
            venue["is_late"] = LATE[event.name]
            self._no_verdict_is_due(event.name)
            return  # it may stand between timers of one instant
        if event.name == "venue.day-boundary-passed/1":
            self._no_verdict_is_due(event.name)
            self._turn_day(venue, fact)
            return
        if name not in self.book.pending:
            self._no_boundary_is_due(venue, venue["clock"])
        if kind == "account":
            self.book.take(event, fact, venue, when)
        else:
            self._no_verdict_is_due(event.name)
        if event.name == "account.opened/1":
            self.challenges.begin_stage(self.accounts[name], event.position)

    def _strike(self, venue: Facts, until: datetime) -> None:
        """Whose deadlines come by then, each at its own instant, one by one."""
        timers = venue["timers"]
        while timers and (first := min((at, name) for name, at in timers.items())):
            at, name = first
            if at > until:
                return
            self._no_boundary_is_due(venue, at)
            must(at >= venue["clock"], "struck too late:", name, at)
            venue["clock"] = at
            self.book.time_out(self.accounts[name])

    def _apply_ticks(self, venue: Facts, until: int | None) -> None:
        coming = venue["coming"]
        while coming and (until is None or coming[0].sequence <= until):
            self._apply(venue, coming.popleft())

    def _apply(self, venue: Facts, tick: Tick) -> None:
        sequence, symbol, at = tick.sequence, tick.symbol, tick.engine_time
        must(sequence == venue["sequence"] + 1, "a hole before tick", sequence)
        self._strike(venue, at)
        self._no_verdict_is_due(f"tick {sequence}")
        self._no_boundary_is_due(venue, at)
        must(at >= venue["clock"], "time goes back at tick", sequence)
        venue["clock"], venue["sequence"] = at, sequence
        venue["before"] = venue["quotes"].get(symbol)
        venue["quotes"][symbol] = (tick.bid, tick.ask)
        venue["quoted_at"][symbol] = tick.quoted_at
        venue["told"][sequence] = (symbol, tick.bid, tick.ask)
        accounts = venue["accounts"].values()
        for account in [each for each in accounts if symbol in each["touched"]]:
            self.book.witness(account, symbol)

    @staticmethod
    def _no_boundary_is_due(venue: Facts, at: datetime) -> None:
        for boundary in venue["due"].values():
            must(boundary > at, "boundary", boundary, "was due before", at)

    def _turn_day(self, venue: Facts, fact: Facts) -> None:
        day, at = tuple(fact["trading_day"]), instant(fact["at"])
        due, timers = venue["due"], venue["timers"].values()
        if venue["is_late"] and day not in due:
            return  # whose it was has ended, and is not judged yet
        must(day in due, "nobody's day turns", day)
        must(due[day] == at, "a boundary at", at, "instead of", due[day])
        must(at == min(due.values()), "boundaries out of order")
        must(all(deadline >= at for deadline in timers), "a timer was due before", at)
        due[day] = next_boundary(day, at)
        for name in tuple(venue["turning"][day]):
            self.book.turn(self.accounts[name])

    # -- questions about it -----------------------------------------------------------

    @staticmethod
    def was_open(venue: Facts, symbol: str, position: int, until: datetime) -> bool:
        """From `position` on until then: a refusal in between was wrong."""
        sessions, clocks = venue["instruments"][symbol]["sessions"], venue["clocks"]
        place = bisect_left(clocks, position, key=itemgetter(0))
        since = clocks[max(0, place - 1)][1]  # it stood so before that batch
        return in_one_session(sessions, since, until)

    def next_due(self, venue_id: str) -> datetime | None:
        """When time alone will do something at a venue."""
        venue = self.venues[venue_id]
        coming = (*venue["due"].values(), *venue["timers"].values())
        return min(coming, default=None)
