"""What is sold: every number and choice of every phase, under one hash.

The hash is SHA-256 of the RFC 8785 form of the terms. They hold text, whole numbers
and booleans only, for which that form is: keys sorted, no blanks, UTF-8.
"""

from hashlib import sha256

from msgspec import Struct, json

from domain.rules.phase import Phase
from domain.values.money import minor_unit

MOST_PHASES = 20
ADJUDICATOR = 1  # raised when the same terms would be judged in another way


class Terms(Struct, frozen=True, kw_only=True):
    adjudicator: int
    currency: str
    phases: tuple[Phase, ...]

    def __post_init__(self) -> None:
        minor_unit(self.currency)
        names = {phase.name for phase in self.phases}
        if len(names) not in range(1, MOST_PHASES + 1):
            raise ValueError("from one to twenty phases")
        if len(names) < len(self.phases):  # an account is named after its phase
            raise ValueError("two phases share a name")

    @property
    def hash(self) -> str:
        return "sha256:" + sha256(json.encode(self, order="sorted")).hexdigest()

    def phase(self, name: str) -> Phase:
        return next(phase for phase in self.phases if phase.name == name)
