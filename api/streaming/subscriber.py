"""One reader of a stream, and the group of all who read the same."""

import asyncio
from typing import Final, Protocol

from api.streaming.channel import Channel
from api.streaming.framing import Form

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
        self.channels: dict[Channel, int] = {}  # and the number at which it joined
        self.acknowledged: dict[Channel, int] = {}
        self.sent_to = 0  # everything of its channels up to that number
        self.group: Group | None = None
        self.beats_missed = 0
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        if not self.line.is_free:
            return False
        return not self.acknowledged or all(
            channel.seq - seq <= AHEAD for channel, seq in self.acknowledged.items()
        )

    def end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)


class Group:
    """What is due to one of them is due to all, in the very same bytes."""

    def __init__(self, channels: frozenset[Channel], form: Form) -> None:
        self.channels = channels
        self.form = form
        self.members: dict[Subscriber, None] = {}
