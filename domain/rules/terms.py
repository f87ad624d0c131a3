"""What is sold: every number and choice of every phase, under one hash.

The hash is SHA-256 of the RFC 8785 form of the terms. They hold text, whole numbers
and booleans only, for which that form is: keys sorted, no blanks, UTF-8.
"""

from hashlib import sha256

from msgspec import Struct, json

from domain.rules.phase import Phase

ADJUDICATOR = 1  # raised when the same terms would be judged in another way


class Terms(Struct, frozen=True, kw_only=True):
    adjudicator: int
    currency: str
    phases: tuple[Phase, ...]

    @property
    def hash(self) -> str:
        return "sha256:" + sha256(json.encode(self, order="sorted")).hexdigest()

    def phase(self, name: str) -> Phase:
        return next(phase for phase in self.phases if phase.name == name)
