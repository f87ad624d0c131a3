"""However they dawdle, leave and come back: readers get it all, in order, and once."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.streaming.hub import TOO_SLOW, Hub
from api.streaming.messages import Heartbeat
from tests.stories.facts import MONDAY
from tests.stories.test_streams import FEED, GOLD, START, Reader, Said, payload

BEAT = Heartbeat(at=MONDAY, position="p1-1", positions=("p1-1",))
MOST = 300  # in one burst: more than a channel keeps


class Follower:
    """Reads the feed and one symbol, and keeps a note of what it has got."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.has = -1  # the last seq of the feed that it has, or has a snapshot of
        self.quote, self.quote_shown = -1, ""
        self._join()

    def _join(self) -> None:
        resumed = {FEED: self.has} if self.has >= 0 else {}
        self.reader = Reader(self._hub, FEED, GOLD, after_seq=resumed)
        self.read()

    def read(self) -> None:
        frames, self.reader.wire.frames = self.reader.wire.frames, []
        for frame in frames:
            for message in json.loads(payload(frame)):
                self._take(message)

    def _take(self, message: Any) -> None:
        match message:
            case {"channel": "feed:public", "type": "breach", "seq": seq}:
                assert seq == self.has + 1, "a hole, or something twice"
                self.has = seq
            case {"channel": "feed:public", "type": "snapshot", "seq": seq}:
                assert seq >= self.has
                self.has = seq
            case {"channel": "quotes:XAUUSD", "seq": seq, "data": {"text": text}}:
                assert seq >= self.quote, "a quote older than the one before"
                self.quote, self.quote_shown = seq, text

    def reads(self, *, is_free: bool) -> None:
        self.reader.wire.is_free = is_free

    def comes_back_if_let_go(self) -> None:
        if self.reader.ended.done():
            assert self.reader.ended.result() == TOO_SLOW
            self._join()

    def comes_back(self) -> None:
        self._hub.leave(self.reader)
        self._join()


BURSTS = st.integers(1, MOST)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("happens"), BURSTS),
        st.tuples(st.just("shows"), st.integers(1, 3)),
        st.tuples(st.just("round"), st.just(0)),
        st.tuples(st.just("beat"), st.just(0)),
        st.tuples(st.just("stops"), st.integers(0, 2)),
        st.tuples(st.just("goes on"), st.integers(0, 2)),
        st.tuples(st.just("comes back"), st.integers(0, 2)),
    ),
    max_size=30,
)


class Market:
    """One who tells, and three who follow."""

    def __init__(self) -> None:
        self.hub = Hub(START, lambda: None)
        self.hub.open(FEED, is_log=True)
        self.hub.open(GOLD, "quote", Said("0"))
        self.followers = [Follower(self.hub) for _ in range(3)]
        self.shown = 0

    def take(self, step: str, number: int) -> None:
        match step:
            case "happens":
                for _ in range(number):
                    self.hub.publish(FEED, "breach", Said("news"))
            case "shows":
                for _ in range(number):
                    self.shown += 1
                    self.hub.show(GOLD, "quote", Said(str(self.shown)))
            case "round":
                self.hub.round(0)
            case "beat":
                self.hub.beat(BEAT)
            case "comes back":
                self.followers[number].comes_back()
            case _:
                self.followers[number].reads(is_free=step == "goes on")
        self.all_read()

    def all_read(self) -> None:
        for follower in self.followers:
            follower.read()
            follower.comes_back_if_let_go()


@given(steps=STEPS)
async def test_readers_get_all_of_it_in_order_and_once(
    steps: list[tuple[str, int]],
) -> None:
    market = Market()
    for step, number in steps:
        market.take(step, number)
    for follower in market.followers:
        follower.reads(is_free=True)
    for _ in range(3):
        market.hub.round(0)
        market.all_read()
    assert len({follower.has for follower in market.followers}) == 1
    assert {each.quote_shown for each in market.followers} == {str(market.shown)}
