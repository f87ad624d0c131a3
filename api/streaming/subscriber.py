"""One reader of a stream, and the group of all who read the same."""

import asyncio
from typing import Final, Protocol

from api.streaming.channel import Channel
from api.streaming.framing import Form, Frame

AHEAD: Final = 128  # of what was acknowledged, where anything was


class Line(Protocol):
    @property
    def is_free(self) -> bool:
        """Whether the client has taken almost all that was written."""
        ...

    def write(self, frame: bytes) -> None: ...


class Subscriber:
    def __init__(self, line: Line, form: Form) -> None:
        self.line = line
        self.form = form
        self.channels: frozenset[Channel] = frozenset()
        self.acknowledged: dict[Channel, int] = {}
        self.group: Group | None = None
        self.frames_taken = self.frames_at_beat = 0
        self.beats_missed = 0
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        if not self.line.is_free:
            return False
        return not self.acknowledged or all(
            channel.seq - seq <= AHEAD for channel, seq in self.acknowledged.items()
        )

    def write(self, frame: Frame) -> None:
        self.line.write(frame.bytes)
        self.frames_taken += 1

    def end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)


class Group:
    """What is due to one of them is due to all, in the very same bytes."""

    def __init__(self, channels: frozenset[Channel], form: Form) -> None:
        self.channels = channels
        self.form = form
        self.members: dict[Subscriber, None] = {}
