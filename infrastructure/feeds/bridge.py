"""A random path between two known points, readable at any step without the others."""

from collections.abc import Callable
from math import inf, sqrt
from typing import NamedTuple


class Pillar(NamedTuple):
    step: int
    level: float


class Walk(NamedTuple):
    deviation: float  # of one step
    chance: Callable[[int], float]  # a standard deviate for a step
    low: float = -inf
    high: float = inf


def bridge(left: Pillar, right: Pillar, step: int, walk: Walk) -> float:
    """Halve the span until `step` is met; each middle is drawn around the mean.

    What would leave [low, high] is folded back inside, and does not stick there.
    """
    while True:
        if step == left.step:
            return left.level
        if step == right.step:
            return right.level
        middle = (left.step + right.step) // 2
        spread = walk.deviation * sqrt(right.step - left.step) / 2
        level = (left.level + right.level) / 2 + spread * walk.chance(middle)
        pillar = Pillar(middle, folded(level, walk.low, walk.high))
        if step < middle:
            right = pillar
        else:
            left = pillar


def folded(level: float, low: float, high: float) -> float:
    if level > high:
        level = 2 * high - level
    elif level < low:
        level = 2 * low - level
    return min(max(level, low), high)
