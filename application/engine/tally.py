"""What one engine has done since it began, in plain numbers.

Counted once a batch and read when somebody looks; a command costs one addition. No
number is about an account or a trader, so that there are never more of them.
"""

from bisect import bisect_left
from collections import Counter
from typing import Final, Literal, get_args

from application.catalogue import FACTS
from application.engine.asks import Poisoned
from application.engine.draft import Draft
from application.engine.journal import TickBlock
from application.engine.tick_block import DECODER
from application.refusals import Busy, Waitable
from domain.venue.gate import Reason

# Upper bounds of what is kept as a distribution.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
EVENTS: Final = (0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 10_000)

Outcome = Literal[
    "accepted",
    "refused",
    "repeated",  # the key was answered before
    "unknown",  # what it is about; or the key came with another body
    "busy",
    "unavailable",
    "parked",
]
LOSSES: Final[tuple[Outcome, ...]] = ("busy", "unavailable", "parked")


class Spread:
    """How many fell under which bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Tally:
    def __init__(self) -> None:
        self.commands: Counter[Outcome] = Counter(dict.fromkeys(get_args(Outcome), 0))
        self.events: Counter[str] = Counter(dict.fromkeys(FACTS, 0))
        self.batches = Spread(EVENTS)
        self.commits = Spread(SECONDS)
        self.quotes = 0
        self.refused_quotes: Counter[str] = Counter(dict.fromkeys(Reason, 0))
        self.lost_quotes: Counter[Outcome] = Counter(dict.fromkeys(LOSSES, 0))
        self.outages = 0
        self.fenced = 0
        self.failed_checkpoints = 0
        self.recovery_seconds = 0.0  # until the first command could be decided
        self.lease_seconds = 0.0  # of those, only waiting for an older owner's lease

    def hear(self, draft: Draft) -> None:
        """A batch is on disk, or was one of answers alone, which need none."""
        if draft.is_empty:
            return
        self.batches.add(len(draft.events))
        self.events.update([each.name for each in draft.events])
        for block in draft.tick_blocks:
            self._hear_quotes(block)

    def _hear_quotes(self, block: TickBlock) -> None:
        self.quotes += block.last_sequence - block.first_sequence + 1
        for each in DECODER.decode(block.body).refused:
            self.refused_quotes[each.reason] += 1


def outcome(no: Exception) -> Outcome:
    """Why nothing was decided."""
    match no:
        case Busy():
            return "busy"
        case Waitable():
            return "unavailable"
        case Poisoned():
            return "parked"
        case _:
            return "unknown"
