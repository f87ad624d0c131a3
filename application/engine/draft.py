"""The batch under construction: facts in order, kept answers, nothing told yet."""

from datetime import datetime

from application.catalogue import Fact, encode, name_of
from application.engine.journal import Batch, Head, Receipt, Recorded, TickBlock


class Draft:
    def __init__(self, head: Head, recorded_at: datetime) -> None:
        self.head = head
        self.recorded_at = recorded_at
        self.position = head.position
        self.events: list[Recorded] = []
        self.facts: list[tuple[int, str, Fact]] = []
        self.receipts: dict[int, Receipt] = {}  # by the number of the command id
        self.tick_blocks: list[TickBlock] = []

    def record(self, stream: str, version: int, fact: Fact, envelope: bytes) -> int:
        """Give the fact its place in the log; nothing is stored yet."""
        self.position += 1
        self.events.append(
            Recorded(
                position=self.position,
                stream=stream,
                version=version,
                name=name_of(fact),
                payload=encode(fact),
                envelope=envelope,
            )
        )
        self.facts.append((self.position, stream, fact))
        return self.position

    @property
    def is_empty(self) -> bool:
        return not (self.events or self.receipts or self.tick_blocks)

    @property
    def head_after(self) -> Head:
        """Where the log stands once this is stored."""
        if self.is_empty:
            return self.head
        return Head(
            epoch=self.head.epoch, batch=self.head.batch + 1, position=self.position
        )

    def batch(self) -> Batch:
        return Batch(
            number=self.head.batch + 1,
            position=self.position,
            events=tuple(self.events),
            receipts=tuple(self.receipts.values()),
            tick_blocks=tuple(self.tick_blocks),
        )
