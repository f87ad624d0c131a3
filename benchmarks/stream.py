"""Deliveries a second to five hundred readers, and what it takes when half never read.

A delivery is one message that one reader got. All tell the same messages; the peers
send each as a frame of its own, which is how they are used.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from msgspec import Struct

from benchmarks.bench import Bench, Round
from benchmarks.lab import PROJECT, Lab

SUBSCRIBERS: Final = 500
MESSAGES: Final = 20_000
PEER_MESSAGES: Final = 500  # they take as long for those
UNREAD: Final = 4_000  # of 150 bytes each: more than the kernel keeps for anybody
PEERS: Final = ("websockets broadcast", "Litestar Channels")
PATHS: Final = {"ours": "/api/v1/stream", "Litestar Channels": "/quotes"}


class Told(Struct, frozen=True):
    deliveries_per_second: float
    mebibytes: float  # more than before the first message, at most


def rounds(lab: Lab, runs: int) -> Iterator[Round]:
    del lab  # no database is asked
    for _ in range(runs):
        yield Round(
            ours=tell("ours", MESSAGES).deliveries_per_second,
            peers={
                peer: tell(peer, PEER_MESSAGES).deliveries_per_second for peer in PEERS
            },
            limit=tell("limit", MESSAGES).deliveries_per_second,
        )


def rounds_half_deaf(lab: Lab, runs: int) -> Iterator[Round]:
    del lab
    half = SUBSCRIBERS // 2
    for _ in range(runs):
        yield Round(
            ours=tell("ours", UNREAD, deaf=half).mebibytes,
            peers={peer: tell(peer, UNREAD, deaf=half).mebibytes for peer in PEERS},
            limit=tell("ours", UNREAD).mebibytes,
        )


def tell(who: str, messages: int, deaf: int = 0) -> Told:
    readers = SUBSCRIBERS - deaf
    with process("benchmarks.broadcasting", who) as server:
        port, path = line(server), PATHS.get(who, "/")
        counts = (str(each) for each in (readers, deaf, messages))
        with process("benchmarks.readers", port, path, *counts) as reading:
            assert line(reading) == "here"
            began = perf_counter()
            say(server, f"{messages} {deaf}")
            assert line(reading) == "done"
            seconds = perf_counter() - began
            say(server, "done")
            return Told(readers * messages / seconds, float(line(server)))


@contextmanager
def process(module: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(  # noqa: S603 - our own
        (sys.executable, "-m", module, *arguments),
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def say(process: "subprocess.Popen[str]", what: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()


BENCHES: Final = (
    Bench(
        name="stream",
        unit="deliveries/s",
        better="higher",
        peer_is="one process, a frame a message",
        limit_is="the same bytes, framed beforehand, written to sockets",
        settings={
            "subscribers": SUBSCRIBERS,
            "messages": MESSAGES,
            "peer_messages": PEER_MESSAGES,
        },
        rounds=rounds,
    ),
    Bench(
        name="stream-half-deaf",
        unit="MiB",
        better="lower",
        peer_is="one process, a frame a message",
        limit_is="ours, where everybody reads",
        settings={"subscribers": SUBSCRIBERS, "messages": UNREAD},
        rounds=rounds_half_deaf,
    ),
)
