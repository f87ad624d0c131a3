"""Brings what happens to those who want to know, in rounds.

A round takes what has come since the one before it, makes one frame of it for all who
read the same channels, and writes it to those who have taken what they got before.
Who has not lags: is written nothing, and catches up from the channels' own memory, or
is let go where that does not reach. Nothing here awaits, so a round is one instant.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from msgspec import Struct

from api.streaming.channel import Channel, number_of
from api.streaming.framing import Form, Frame
from api.streaming.messages import (
    Denied,
    Heartbeat,
    Message,
    Subscribed,
    Unsubscribed,
)
from api.streaming.pieces import Entry, Landmark, Note
from api.streaming.subscriber import Group, Subscriber

log = structlog.get_logger("tradesense.streams")

TOO_SLOW: Final = 4411
MOST_IDLE: Final = 1_024  # channels that nobody reads, and somebody may come back to
LINGER_BEATS: Final = 4
MOST_AT_ONCE: Final = 256  # pieces, to one who lags
MOST_BEATS_MISSED: Final = 2

Cursors = dict[Channel, int]
Refresh = Callable[[float], bool]
"""Is given the loop's time, and tells whether it wants another round soon."""


class Change(Struct, frozen=True, kw_only=True):
    """What one subscriber wants: it takes effect between two rounds, as a whole."""

    notes: tuple[Struct, ...] = ()
    leaves: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    after_seq: dict[str, int] = {}
    after_number: int | None = None
    is_told: bool = True  # that it has joined, or left


class Hub:
    """`number` counts all that it is told; begin above all that was ever counted."""

    def __init__(self, number: int, is_due: Callable[[], None]) -> None:
        self.number = number
        self.refreshes: list[Refresh] = []  # what shows what stands, in each round
        self._is_due = is_due
        self._written = number  # by the rounds so far
        self._channels: dict[str, Channel] = {}
        self._moved: dict[Channel, None] = {}
        self._idle: dict[Channel, None] = {}
        self._groups: dict[tuple[frozenset[Channel], Form], Group] = {}
        self._readers: dict[Channel, dict[Group, None]] = {}
        self._lagging: dict[Subscriber, Cursors] = {}
        self._subscribers: dict[Subscriber, None] = {}
        self._changes: dict[Subscriber, tuple[Change, asyncio.Future[None]]] = {}

    # -- channels ---------------------------------------------------------------

    def __contains__(self, name: str) -> bool:
        return name in self._channels

    def keeps(self, name: str) -> bool:
        """Whether it is open, and stays so for somebody who is about to join."""
        channel = self._channels.get(name)
        if channel is not None:
            channel.beats_idle = 0
        return channel is not None

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        return tuple(self._subscribers)

    def lags(self, subscriber: Subscriber) -> bool:
        """Whether it has not taken yet what was due to it."""
        return subscriber in self._lagging

    def open(
        self,
        name: str,
        kind: str = "",
        standing: Struct | None = None,
        *,
        is_log: bool = False,
    ) -> None:
        """Begin a channel with what stands; one that is a log stays for ever."""
        if name in self._channels:
            return
        self.number += 1  # nobody can have read that far when it was open before
        channel = Channel(name, self.number, is_log=is_log)
        self._channels[name] = channel
        if not is_log:
            self.number += 1
            channel.shows(self.number, kind, standing)
            self._rests(channel)

    def show(self, name: str, kind: str, data: Struct) -> None:
        """Tell what stands now; only the newest counts."""
        if (channel := self._channels.get(name)) is not None:
            self.number += 1
            channel.shows(self.number, kind, data)
            self._moves(channel)

    def publish(self, name: str, kind: str, data: Struct) -> None:
        """Tell what has happened; nobody misses it unknowingly."""
        if (channel := self._channels.get(name)) is not None:
            if channel.is_crowded(self._written):
                self._write()
            self.number += 1
            channel.happens(self.number, kind, data)
            self._moves(channel)

    def _moves(self, channel: Channel) -> None:
        self._moved[channel] = None
        self._is_due()

    # -- subscribers ------------------------------------------------------------

    def enter(self, subscriber: Subscriber) -> None:
        self._subscribers[subscriber] = None

    def change(self, subscriber: Subscriber, change: Change) -> asyncio.Future[None]:
        """Wait for it to take effect before the same one asks for another."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if subscriber in self._subscribers:
            self._changes[subscriber] = change, done
            self._is_due()
        else:
            done.set_result(None)
        return done

    def acknowledge(self, subscriber: Subscriber, name: str, seq: int) -> None:
        channel = self._channels.get(name)
        if channel in subscriber.channels and seq <= channel.seq:
            known = subscriber.acknowledged.get(channel, 0)
            subscriber.acknowledged[channel] = max(known, seq)
            self._is_due()

    def leave(self, subscriber: Subscriber) -> None:
        self._regroup(subscriber, ())
        self._lagging.pop(subscriber, None)
        self._subscribers.pop(subscriber, None)
        if (waiting := self._changes.pop(subscriber, None)) is not None:
            tell_done(waiting[1])

    def _let_go(self, subscriber: Subscriber) -> None:
        subscriber.end(TOO_SLOW)
        self.leave(subscriber)

    # -- rounds -----------------------------------------------------------------

    def round(self, now: float) -> None:
        is_due = False
        for refresh in self.refreshes:
            try:
                is_due |= refresh(now)
            except Exception:
                log.exception("refresh-failed")
        self._write()
        self._carry_out()
        self._catch_up()
        if is_due or self._lagging or self._changes:
            self._is_due()

    def stir(self) -> None:
        """Something may stand otherwise than shown: look at it, if anyone reads."""
        if self._subscribers:
            self._is_due()

    def _write(self) -> None:
        moved, self._moved = self._moved, {}
        since, self._written = self._written, self.number
        due: dict[Group, tuple[Channel, ...]] = {}
        for channel in moved:
            for group in self._readers.get(channel, ()):
                due[group] = (*due.get(group, ()), channel)
        made: dict[tuple[Form, tuple[Channel, ...]], tuple[Frame, ...]] = {}
        for group, channels in due.items():
            if (frames := made.get((group.form, channels))) is None:
                frames = group.form(merged(dict.fromkeys(channels, since)))
                made[group.form, channels] = frames
            for subscriber in group.members:
                if subscriber not in self._lagging:
                    reached = self._send(subscriber, frames, since, self._written)
                    if reached < self._written:
                        self._lagging[subscriber] = dict.fromkeys(
                            subscriber.channels, reached
                        )

    @staticmethod
    def _send(
        subscriber: Subscriber, frames: Iterable[Frame], since: int, until: int
    ) -> int:
        """Give the number that it has got to: `until`, if it took all of them."""
        for frame in frames:
            if not subscriber.is_ready:
                return since
            subscriber.write(frame)
            since = frame.number
        return until

    def _catch_up(self) -> None:
        for subscriber, cursors in tuple(self._lagging.items()):
            if not all(channel.has_after(n) for channel, n in cursors.items()):
                self._let_go(subscriber)
            elif subscriber.is_ready:
                missed = merged(cursors)
                part = missed[:MOST_AT_ONCE]
                until = self._written if part == missed else part[-1].number
                reached = self._send(subscriber, subscriber.form(part), 0, until)
                if reached == self._written:
                    del self._lagging[subscriber]
                else:
                    self._lagging[subscriber] = {
                        channel: max(number, reached)
                        for channel, number in cursors.items()
                    }

    def beat(self, heartbeat: Heartbeat) -> None:
        """Say to all that the stream lives; let go of who has taken nothing lately."""
        self._write()
        self._catch_up()
        self._tidy()
        for subscriber in tuple(self._subscribers):
            if subscriber.line.is_free:
                subscriber.beats_missed = 0
                has_all = subscriber not in self._lagging
                kind = Landmark if has_all else Note
                for frame in subscriber.form((kind(self._written, heartbeat),)):
                    subscriber.write(frame)
            elif subscriber.frames_taken > subscriber.frames_at_beat:
                subscriber.beats_missed = 0
            else:
                subscriber.beats_missed += 1
                if subscriber.beats_missed == MOST_BEATS_MISSED:
                    self._let_go(subscriber)
            subscriber.frames_at_beat = subscriber.frames_taken

    # -- changes ----------------------------------------------------------------

    def _carry_out(self) -> None:
        for subscriber, (change, done) in tuple(self._changes.items()):
            if not subscriber.line.is_free:
                continue
            del self._changes[subscriber]
            self._apply(subscriber, change)
            tell_done(done)

    def _apply(self, subscriber: Subscriber, change: Change) -> None:
        told: list[Struct] = list(change.notes)
        snapshots: list[Message] = []
        cursors = self._cursors(subscriber)
        for name in change.leaves:
            if (channel := self._channels.get(name)) in cursors:
                del cursors[channel]
                subscriber.acknowledged.pop(channel, None)
                told.append(Unsubscribed(name))
        for name in change.joins:
            channel = self._channels.get(name)
            if channel is None:  # so many have come that it was let go again
                told.append(Denied(name, "busy", "too many channels are read"))
                continue
            told.append(Subscribed(name, channel.seq))
            if channel not in cursors:
                since = self._since(channel, change)
                if since is None:
                    snapshots.append(channel.snapshot())
                cursors[channel] = self._written if since is None else since
        self._regroup(subscriber, cursors)
        has_all = all(number == self._written for number in cursors.values())
        if has_all:
            self._lagging.pop(subscriber, None)
        else:
            self._lagging[subscriber] = cursors
        pieces = [Note(self._written, each) for each in told if change.is_told]
        pieces += [Note(self._written, each) for each in snapshots]
        if snapshots and has_all:
            pieces[-1] = Landmark(self._written, snapshots[-1])
        for frame in subscriber.form(pieces):
            subscriber.write(frame)

    def _cursors(self, subscriber: Subscriber) -> Cursors:
        """How far it has got in each of its channels."""
        if (cursors := self._lagging.get(subscriber)) is not None:
            return dict(cursors)
        return dict.fromkeys(subscriber.channels, self._written)

    def _since(self, channel: Channel, change: Change) -> int | None:
        """Where it goes on; None where what follows is not known any more."""
        if (number := change.after_number) is not None:
            is_known = number <= self._written and channel.has_after(number)
            return number if is_known else None
        if (seq := change.after_seq.get(channel.name)) is not None:
            return channel.number_at(seq)
        return None

    def _regroup(self, subscriber: Subscriber, channels: Iterable[Channel]) -> None:
        old = subscriber.group
        if old is not None:
            del old.members[subscriber]
            if not old.members:
                self._dissolve(old)
        subscriber.channels, subscriber.group = frozenset(channels), None
        if subscriber.channels:
            key = subscriber.channels, subscriber.form
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = Group(*key)
                for channel in key[0]:
                    self._readers.setdefault(channel, {})[group] = None
                    self._idle.pop(channel, None)
            group.members[subscriber] = None
            subscriber.group = group

    def _dissolve(self, group: Group) -> None:
        del self._groups[group.channels, group.form]
        for channel in group.channels:
            readers = self._readers[channel]
            del readers[group]
            if not readers:
                del self._readers[channel]
                if not channel.is_log:
                    self._rests(channel)

    def _rests(self, channel: Channel) -> None:
        """Nobody reads it; what it remembers is kept for who comes back soon."""
        channel.beats_idle = 0
        self._idle[channel] = None
        if len(self._idle) > MOST_IDLE:
            self._forget(next(iter(self._idle)))

    def _tidy(self) -> None:
        for channel in tuple(self._idle):
            channel.beats_idle += 1
            if channel.beats_idle > LINGER_BEATS:
                self._forget(channel)

    def _forget(self, channel: Channel) -> None:
        del self._idle[channel], self._channels[channel.name]
        self._moved.pop(channel, None)


def tell_done(done: asyncio.Future[None]) -> None:
    if not done.done():  # whoever waited has gone
        done.set_result(None)


def merged(cursors: Cursors) -> list[Entry]:
    """What has come to each channel since then, in the order in which it came."""
    found = [
        each for channel, since in cursors.items() for each in channel.after(since)
    ]
    found.sort(key=number_of)
    return found
