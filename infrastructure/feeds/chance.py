"""Chance without a dice box: the same key always falls the same way."""

from hashlib import blake2b
from math import sqrt
from typing import Final

SIXTEENTH: Final = 2**16
UNIT: Final = 2**64
MEAN: Final = 2 * (SIXTEENTH - 1)
DEVIATION: Final = sqrt(4 / 12) * SIXTEENTH


class Chance:
    """One stream of chance, told apart from others by the parts of its name."""

    def __init__(self, *name: object) -> None:
        self._root = blake2b("/".join(map(str, name)).encode(), digest_size=32).digest()

    def share(self, *key: int) -> float:
        """Give a number from 0 up to, but not including, 1."""
        return int.from_bytes(self._bytes(key), "big") / UNIT

    def deviation(self, *key: int) -> float:
        """Give a number that is close to normal: mean 0, deviation 1, within 3.5.

        The sum of four even draws needs no logarithm, so that every machine agrees.
        """
        drawn = self._bytes(key)
        total = sum(int.from_bytes(drawn[i : i + 2], "big") for i in (0, 2, 4, 6))
        return (total - MEAN) / DEVIATION

    def _bytes(self, key: tuple[int, ...]) -> bytes:
        named = b"".join(part.to_bytes(8, "big", signed=True) for part in key)
        return blake2b(named, digest_size=8, key=self._root).digest()
