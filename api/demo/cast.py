"""The twenty who trade."""

from typing import Final

from msgspec import Struct

from api.demo import styles
from api.demo.styles import Style
from api.demo.temper import BOLD, CAREFUL, HASTY, PATIENT, RECKLESS, STUBBORN, Temper


class Part(Struct, frozen=True):
    name: str
    style: Style
    temper: Temper

    @property
    def title(self) -> str:
        return f"{self.name} ({self.style.__name__})"


CAST: Final = (
    Part("Ada", styles.trend, BOLD),
    Part("Bruno", styles.gamble, RECKLESS),
    Part("Chiara", styles.reversal, BOLD),
    Part("Dmitri", styles.bull, RECKLESS),
    Part("Esther", styles.bear, RECKLESS),
    Part("Farid", styles.impulse, BOLD),
    Part("Greta", styles.trend, CAREFUL),
    Part("Hugo", styles.gamble, BOLD),
    Part("Ines", styles.breakout, RECKLESS),
    Part("Jonas", styles.reversal, STUBBORN),
    Part("Kaito", styles.impulse, HASTY),
    Part("Leila", styles.bull, PATIENT),
    Part("Marek", styles.bear, BOLD),
    Part("Nadia", styles.trend, RECKLESS),
    Part("Oskar", styles.gamble, RECKLESS),
    Part("Priya", styles.reversal, CAREFUL),
    Part("Quentin", styles.bull, BOLD),
    Part("Rosa", styles.breakout, PATIENT),
    Part("Sven", styles.gamble, STUBBORN),
    Part("Tomas", styles.gamble, RECKLESS),
)
