"""What each trader holds of the firm's money: the deposits of challenges that go on."""

from collections import defaultdict

from msgspec import Struct

from domain.challenge.state import Challenge
from domain.values.money import Money


class Allocation(Struct, frozen=True, kw_only=True):
    """What must be known of a challenge before it is decoded."""

    venue_id: str
    trader_id: str
    deposit: Money | None  # None: it is over

    @classmethod
    def of(cls, challenge: Challenge) -> "Allocation":
        deposit = Money.rounded(challenge.deposit, challenge.terms.currency)
        return cls(
            venue_id=challenge.venue_id,
            trader_id=challenge.trader_id,
            deposit=None if challenge.is_over else deposit,
        )


class Allocations:
    def __init__(self) -> None:
        self._held: dict[tuple[str, str], dict[str, Money]] = defaultdict(dict)

    def follow(self, challenge: Challenge) -> None:
        self.note(challenge.challenge_id, Allocation.of(challenge))

    def note(self, challenge_id: str, allocation: Allocation) -> None:
        owner = (allocation.venue_id, allocation.trader_id)
        if allocation.deposit is not None:
            self._held[owner][challenge_id] = allocation.deposit
        elif owner in self._held:
            self._held[owner].pop(challenge_id, None)

    def forget(self, challenge: Challenge) -> None:
        """Its purchase was never stored."""
        owner = (challenge.venue_id, challenge.trader_id)
        self._held[owner].pop(challenge.challenge_id, None)

    def held(self, venue_id: str, trader_id: str) -> tuple[Money, ...]:
        """On one venue: what is held in a sandbox is nobody's money."""
        return tuple(self._held.get((venue_id, trader_id), {}).values())

    @property
    def known(self) -> dict[tuple[str, str], dict[str, Money]]:
        return {owner: dict(held) for owner, held in self._held.items() if held}
