"""Who reads a stream gets everything once and in order, or is told that it is gone."""

import json
from typing import Any

import pytest
from msgspec import Struct

from api.streaming.channel import CROWD, KEPT
from api.streaming.framing import FRAME_BYTES, events, framed, texts
from api.streaming.hub import (
    LINGER_BEATS,
    MOST_AT_ONCE,
    MOST_IDLE,
    TOO_SLOW,
    Change,
    Hub,
)
from api.streaming.messages import Heartbeat
from api.streaming.pieces import Note
from api.streaming.subscriber import AHEAD, Subscriber
from tests.stories.facts import MONDAY

START = 1_000
FEED, GOLD = "feed:public", "quotes:XAUUSD"
BEAT = Heartbeat(at=MONDAY, position="p1-7", positions=("p1-7",))


class Said(Struct):
    text: str


class Wire:
    """A client that reads, unless it has stopped."""

    is_free = True

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)


class Reader(Subscriber):
    def __init__(self, hub: Hub, *channels: str, **change: Any) -> None:
        self.wire = Wire()
        super().__init__(self.wire, texts)
        hub.enter(self)
        if channels:
            hub.change(self, Change(joins=channels, **change))
            hub.round(0)

    def read(self) -> list[Any]:
        frames, self.wire.frames = self.wire.frames, []
        return [message for frame in frames for message in json.loads(payload(frame))]

    def texts(self) -> list[str]:
        return [each["data"]["text"] for each in self.read() if each.get("data")]

    def seqs(self) -> list[int]:
        return [each["seq"] for each in self.read() if "data" in each]


def payload(frame: bytes) -> bytes:
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


@pytest.fixture
def hub() -> Hub:
    made = Hub(START, lambda: None)
    made.open(FEED, is_log=True)
    made.open(GOLD, "quote", Said("first"))
    return made


def happens(hub: Hub, *said: str) -> None:
    for each in said:
        hub.publish(FEED, "breach", Said(each))


async def test_a_channel_begins_with_what_stands(hub: Hub) -> None:
    happens(hub, "early")
    told = Reader(hub, FEED, GOLD).read()
    assert [each["type"] for each in told] == [
        "subscribed",
        "subscribed",
        "snapshot",
        "snapshot",
    ]
    feed, gold = told[2:]
    assert [each["data"]["text"] for each in feed["data"]["items"]] == ["early"]
    assert gold["data"] == {"text": "first"}


async def test_what_is_due_together_goes_in_one_frame_that_all_share(hub: Hub) -> None:
    one, two = Reader(hub, FEED, GOLD), Reader(hub, GOLD, FEED)
    one.read(), two.read()
    happens(hub, "a", "b")
    hub.show(GOLD, "quote", Said("c"))
    hub.round(0)
    assert len(one.wire.frames) == 1
    assert one.wire.frames[0] is two.wire.frames[0]
    assert one.texts() == ["a", "b", "c"]


async def test_readers_of_other_channels_share_what_is_due_to_both(hub: Hub) -> None:
    both, feed = Reader(hub, FEED, GOLD), Reader(hub, FEED)
    both.read(), feed.read()
    happens(hub, "a")
    hub.round(0)
    assert both.wire.frames[0] is feed.wire.frames[0]
    hub.show(GOLD, "quote", Said("b"))
    hub.round(0)
    assert (both.texts(), feed.texts()) == (["a", "b"], ["a"])


async def test_seq_counts_by_ones_and_begins_above_all_before(hub: Hub) -> None:
    reader = Reader(hub, FEED)
    (first,) = reader.seqs()
    happens(hub, "a", "b", "c")
    hub.round(0)
    assert reader.seqs() == [first + 1, first + 2, first + 3]
    assert first >= START


async def test_only_the_newest_of_what_stands_is_sent(hub: Hub) -> None:
    reader = Reader(hub, GOLD)
    reader.read()
    for price in ("1", "2", "3"):
        hub.show(GOLD, "quote", Said(price))
    hub.round(0)
    assert reader.texts() == ["3"]


async def test_who_lags_catches_up_in_order_with_the_newest_of_what_stands(
    hub: Hub,
) -> None:
    slow = Reader(hub, FEED, GOLD)
    slow.read()
    slow.wire.is_free = False
    for number in range(10):
        happens(hub, f"news {number}")
        hub.show(GOLD, "quote", Said(f"quote {number}"))
        hub.round(0)
    assert slow.wire.frames == []
    slow.wire.is_free = True
    hub.round(0)
    assert slow.texts() == [*(f"news {number}" for number in range(10)), "quote 9"]
    happens(hub, "after")
    hub.round(0)
    assert slow.texts() == ["after"]


async def test_who_lags_behind_all_that_is_kept_is_let_go_and_others_go_on(
    hub: Hub,
) -> None:
    slow, quick = Reader(hub, FEED), Reader(hub, FEED)
    slow.read(), quick.read()
    slow.wire.is_free = False
    for number in range(KEPT):
        happens(hub, str(number))
        hub.round(0)
    assert not slow.ended.done()
    happens(hub, "one too many")
    hub.round(0)
    assert slow.ended.result() == TOO_SLOW
    assert len(hub) == 1
    assert len(quick.read()) == KEPT + 1


async def test_quotes_alone_let_nobody_go(hub: Hub) -> None:
    slow = Reader(hub, GOLD)
    slow.read()
    slow.wire.is_free = False
    for number in range(10 * KEPT):
        hub.show(GOLD, "quote", Said(str(number)))
        hub.round(0)
    slow.wire.is_free = True
    hub.round(0)
    assert slow.texts() == [str(10 * KEPT - 1)]


async def test_a_burst_beyond_all_that_is_kept_is_lost_to_nobody_who_reads(
    hub: Hub,
) -> None:
    reader = Reader(hub, FEED)
    reader.read()
    happens(hub, *map(str, range(3 * KEPT)))
    hub.round(0)
    assert reader.texts() == [str(number) for number in range(3 * KEPT)]


async def test_what_half_of_the_readers_leave_unread_is_kept_once_for_all(
    hub: Hub,
) -> None:
    readers = [Reader(hub, FEED, GOLD) for _ in range(20)]
    for number, reader in enumerate(readers):
        reader.read()
        reader.wire.is_free = number % 2 == 0
    for number in range(2_000):
        hub.show(GOLD, "quote", Said(str(number)))
        hub.round(0)
        hub.beat(BEAT) if number % 1_000 == 0 else None
    assert [len(each.wire.frames) for each in readers[1::2]] == [0] * 10
    assert {len(each.seqs()) for each in readers[::2]} == {2_000}


async def test_in_a_burst_there_is_room_left_for_who_lags_a_little(hub: Hub) -> None:
    slow = Reader(hub, FEED)
    slow.read()
    happens(hub, *map(str, range(CROWD)))
    slow.wire.is_free = False
    happens(hub, *map(str, range(CROWD, 2 * CROWD)))
    slow.wire.is_free = True
    hub.round(0)
    assert slow.texts() == [str(number) for number in range(2 * CROWD)]


@pytest.mark.parametrize("missed", [0, 1, KEPT])
async def test_who_comes_back_goes_on_where_it_was(hub: Hub, missed: int) -> None:
    reader = Reader(hub, FEED)
    (seq,) = reader.seqs()
    hub.leave(reader)
    happens(hub, *map(str, range(missed)))
    hub.round(0)
    back = Reader(hub, FEED, after_seq={FEED: seq})
    assert back.seqs() == [seq + 1 + number for number in range(missed)]


async def test_who_comes_back_too_late_begins_with_a_snapshot(hub: Hub) -> None:
    reader = Reader(hub, FEED)
    (seq,) = reader.seqs()
    hub.leave(reader)
    happens(hub, *map(str, range(KEPT + 1)))
    hub.round(0)
    for asked in (seq, seq + KEPT + 2, 0):
        told = Reader(hub, FEED, after_seq={FEED: asked}).read()
        assert [each["type"] for each in told] == ["subscribed", "snapshot"]


async def test_a_page_that_comes_back_goes_on_in_all_its_channels(hub: Hub) -> None:
    happens(hub, "seen")
    hub.round(0)
    seen = hub.number
    happens(hub, "missed")
    hub.show(GOLD, "quote", Said("newest"))
    hub.round(0)
    assert Reader(hub, FEED, GOLD, after_number=seen).texts() == ["missed", "newest"]
    unknown = Reader(hub, FEED, GOLD, after_number=hub.number + 1).read()
    assert [each["type"] for each in unknown][2:] == ["snapshot", "snapshot"]


async def test_a_channel_outlives_its_last_reader_for_a_while(hub: Hub) -> None:
    reader = Reader(hub, GOLD)
    hub.leave(reader)
    for _ in range(LINGER_BEATS):
        hub.beat(BEAT)
    assert GOLD in hub
    hub.beat(BEAT)
    assert GOLD not in hub
    assert FEED in hub


async def test_of_channels_that_nobody_reads_the_oldest_makes_room(hub: Hub) -> None:
    kept = Reader(hub, GOLD)
    for number in range(MOST_IDLE + 1):
        hub.open(f"account:{number}", "standing", Said("idle"))
    assert "account:0" not in hub
    assert f"account:{MOST_IDLE}" in hub
    assert GOLD in hub
    hub.change(kept, Change(joins=("account:0",)))
    hub.round(0)
    assert kept.read()[-1]["code"] == "busy"


async def test_a_channel_that_begins_anew_counts_on(hub: Hub) -> None:
    reader = Reader(hub, GOLD)
    (seq,) = reader.seqs()
    hub.leave(reader)
    for _ in range(LINGER_BEATS + 1):
        hub.beat(BEAT)
    hub.open(GOLD, "quote", Said("again"))
    told = Reader(hub, GOLD, after_seq={GOLD: seq}).read()
    assert told[1]["type"] == "snapshot"
    assert told[1]["seq"] > seq


async def test_a_heartbeat_tells_how_far_the_log_is(hub: Hub) -> None:
    reader = Reader(hub, FEED)
    reader.read()
    happens(hub, "before")
    hub.beat(BEAT)
    news, beat = reader.read()
    assert news["data"]["text"] == "before"
    assert beat == {
        "type": "heartbeat",
        "at": "2026-01-05T09:00:00Z",
        "position": "p1-7",
        "positions": ["p1-7"],
    }


async def test_who_takes_nothing_for_two_beats_is_let_go(hub: Hub) -> None:
    slow = Reader(hub, GOLD)
    hub.beat(BEAT)
    slow.wire.is_free = False
    hub.beat(BEAT)
    assert not slow.ended.done()
    hub.beat(BEAT)
    assert slow.ended.result() == TOO_SLOW


async def test_who_takes_a_little_between_beats_may_stay(hub: Hub) -> None:
    slow = Reader(hub, FEED)
    for number in range(5):
        slow.wire.is_free = True
        happens(hub, str(number))
        hub.round(0)
        slow.wire.is_free = False
        hub.beat(BEAT)
    assert not slow.ended.done()


async def test_who_acknowledges_is_sent_only_so_far_ahead(hub: Hub) -> None:
    reader = Reader(hub, FEED)
    (seq,) = reader.seqs()
    hub.acknowledge(reader, FEED, seq)
    for number in range(AHEAD + 10):
        happens(hub, str(number))
        hub.round(0)
    assert reader.texts() == [str(number) for number in range(AHEAD)]
    hub.acknowledge(reader, FEED, seq + AHEAD)
    hub.round(0)
    assert reader.texts() == [str(AHEAD + number) for number in range(10)]


async def test_who_lags_and_joins_another_channel_still_gets_what_it_missed(
    hub: Hub,
) -> None:
    reader = Reader(hub, FEED)
    (seq,) = reader.seqs()
    hub.acknowledge(reader, FEED, seq)
    for number in range(AHEAD + 1):
        happens(hub, str(number))
        hub.round(0)
    reader.read()
    hub.change(reader, Change(joins=(GOLD,)))
    hub.round(0)
    assert [each["type"] for each in reader.read()] == ["subscribed", "snapshot"]
    hub.acknowledge(reader, FEED, seq + 1)
    hub.round(0)
    assert reader.texts() == [str(AHEAD)]


@pytest.mark.parametrize("others", [(), (GOLD,)])
async def test_who_lags_and_leaves_is_not_told_what_it_missed(
    hub: Hub, others: tuple[str, ...]
) -> None:
    reader = Reader(hub, FEED, *others)
    seq = reader.seqs()[0]
    hub.acknowledge(reader, FEED, seq)
    for number in range(AHEAD + 10):
        happens(hub, str(number))
        hub.round(0)
    reader.read()
    hub.change(reader, Change(leaves=(FEED,)))
    hub.round(0)
    hub.show(GOLD, "quote", Said("next"))
    hub.round(0)
    told = [each["type"] for each in reader.read()]
    assert told == ["unsubscribed", *("quote" for _ in others)]


async def test_what_a_snapshot_says_is_not_told_again_to_who_comes_back(
    hub: Hub,
) -> None:
    names = ("account:1", "account:2", "account:3")
    for name in names:
        hub.open(name, "standing", Said("opened"))
    reader = Reader(hub, *names)
    one, two, _ = reader.seqs()
    hub.leave(reader)
    for number in range(KEPT):
        for name in names:
            hub.publish(name, "fill", Said(f"{name} {number}"))
        hub.round(0)
    resumed = {"account:1": one, "account:2": two}
    back = Reader(hub, *names, after_seq=resumed)
    told = back.texts()
    assert told.pop(0) == "opened"  # the snapshot of the third
    for _ in range(3):
        hub.round(0)
        told += back.texts()
    assert told == [f"{name} {n}" for n in range(KEPT) for name in names[:2]]


async def test_a_page_is_told_that_it_has_all_only_when_it_has(hub: Hub) -> None:
    happens(hub, "seen")
    hub.round(0)
    seen = hub.number
    happens(hub, "missed")
    hub.open("account:1", "standing", Said("new"))
    hub.round(0)
    page = Reader(hub)
    page.form = events
    hub.change(page, Change(joins=(FEED, "account:1"), after_number=seen))
    hub.round(0)
    snapshot, missed = page.wire.frames
    assert b"snapshot" in snapshot
    assert b"id: " not in snapshot
    assert b"id: %d\n" % (seen + 1) in missed


async def test_a_change_waits_until_there_is_room_for_its_answer(hub: Hub) -> None:
    reader = Reader(hub, FEED)
    reader.read()
    reader.wire.is_free = False
    done = hub.change(reader, Change(joins=(GOLD,)))
    hub.round(0)
    assert (reader.wire.frames, done.done()) == ([], False)
    reader.wire.is_free = True
    hub.round(0)
    assert done.done()
    assert [each["type"] for each in reader.read()] == ["subscribed", "snapshot"]


async def test_who_has_left_a_channel_hears_no_more_of_it(hub: Hub) -> None:
    reader = Reader(hub, FEED, GOLD)
    reader.read()
    hub.change(reader, Change(leaves=(GOLD,)))
    hub.round(0)
    assert reader.read() == [{"type": "unsubscribed", "channel": GOLD}]
    hub.show(GOLD, "quote", Said("unheard"))
    happens(hub, "heard")
    hub.round(0)
    assert reader.texts() == ["heard"]


async def test_one_source_that_fails_holds_up_nobody(hub: Hub) -> None:
    def broken(now: float) -> bool:
        raise ZeroDivisionError

    hub.refreshes.append(broken)
    reader = Reader(hub, FEED)
    reader.read()
    happens(hub, "still")
    hub.round(0)
    assert reader.texts() == ["still"]


async def test_who_lags_far_catches_up_a_part_at_a_time(hub: Hub) -> None:
    names = [f"account:{number}" for number in range(3)]
    for name in names:
        hub.open(name, "standing", Said("opened"))
    slow = Reader(hub, *names)
    slow.read()
    slow.wire.is_free = False
    for number in range(KEPT):
        for name in names:
            hub.publish(name, "fill", Said(f"{name} {number}"))
        hub.round(0)
    slow.wire.is_free = True
    hub.round(0)
    first = slow.texts()
    assert len(first) == MOST_AT_ONCE
    hub.round(0)
    hub.round(0)
    assert first + slow.texts() == [
        f"{name} {number}" for number in range(KEPT) for name in names
    ]


async def test_who_stops_within_a_round_goes_on_behind_its_last_frame(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(hub, FEED)
    reader.read()
    large = "x" * (FRAME_BYTES // 4)
    happens(hub, *(f"{number}{large}" for number in range(8)))
    monkeypatch.setattr(Wire, "is_free", property(lambda wire: not wire.frames))
    read = []
    for _ in range(8):
        hub.round(0)
        read += [text.rstrip("x") for text in reader.texts()]
    assert read == [str(number) for number in range(8)]


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_frame_says_how_long_it_is(length: int) -> None:
    frame = framed(bytes(length))
    assert frame[0] == 0x81
    assert payload(frame) == bytes(length)


def test_no_frame_is_larger_than_its_bound() -> None:
    notes = [Note(number, Said("x" * 1_000)) for number in range(1_000)]
    frames = texts(notes)
    assert len(frames) > 3
    assert max(len(payload(each.bytes)) for each in frames) <= FRAME_BYTES + 1_002
    read = [each for frame in frames for each in json.loads(payload(frame.bytes))]
    assert len(read) == 1_000
    assert len(events(notes)) > 3
