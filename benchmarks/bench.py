"""A figure: ours, a peer's and the machine's limit, taken in turns in one run.

Absolute figures move with the machine; what is claimed is a ratio within a run. So
the three take turns, A B C A B C, at least five times, and the medians are compared.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Literal

from msgspec import Struct

from benchmarks.lab import Lab

RUNS = 5


class Round(Struct, frozen=True, kw_only=True):
    """One turn of each; `peers` by what varies, the best of them counts."""

    ours: float
    peers: dict[str, float] = {}
    limit: float
    settings: dict[str, float] = {}  # what this round happened to be like


class Bench(Struct, frozen=True, kw_only=True):
    name: str
    unit: str
    better: Literal["higher", "lower"]
    peer_is: str | None
    limit_is: str
    settings: dict[str, str | int | float]
    rounds: Callable[[Lab, int], Iterator[Round]]


class Row(Struct, frozen=True, kw_only=True):
    name: str
    unit: str
    better: Literal["higher", "lower"]
    ours: float
    peer: float | None
    limit: float
    peer_is: str | None
    limit_is: str
    runs: int
    ours_min: float
    ours_max: float
    peer_min: float | None
    peer_max: float | None
    commit: str
    at: str
    settings: dict[str, str | int | float]


def row(bench: Bench, rounds: list[Round], commit: str, at: str) -> Row:
    ours = [each.ours for each in rounds]
    medians = peers(rounds)
    best = max if bench.better == "higher" else min
    fastest = best(medians, key=lambda name: medians[name], default=None)
    seen = [each.peers[fastest] for each in rounds] if fastest is not None else []
    happened = {
        name: median(each.settings[name] for each in rounds)
        for name in rounds[0].settings
    }
    return Row(
        name=bench.name,
        unit=bench.unit,
        better=bench.better,
        ours=median(ours),
        peer=medians[fastest] if fastest is not None else None,
        limit=median(each.limit for each in rounds),
        peer_is=f"{bench.peer_is}: {fastest}" if fastest is not None else bench.peer_is,
        limit_is=bench.limit_is,
        runs=len(rounds),
        ours_min=min(ours),
        ours_max=max(ours),
        peer_min=min(seen, default=None),
        peer_max=max(seen, default=None),
        commit=commit,
        at=at,
        settings={**bench.settings, **happened},
    )


def peers(rounds: list[Round]) -> dict[str, float]:
    return {
        name: median(each.peers[name] for each in rounds) for name in rounds[0].peers
    }
