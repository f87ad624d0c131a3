"""An objective is something that a phase asks for, or that a payout will wait for."""

from typing import ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from domain.rules.standing import Standing
from domain.values.money import Money


class Objective(Struct, frozen=True, kw_only=True):
    id: str

    reads_record: ClassVar[bool] = False  # it looks at days or trades

    @property
    def blocks_pass(self) -> bool:
        """Whether the phase is not passed before it is met."""
        return True

    def is_met(self, standing: Standing) -> bool:
        raise NotImplementedError

    def required(self, standing: Standing) -> str:
        """What is asked for, as an account's view shows it."""
        raise NotImplementedError

    def actual(self, standing: Standing) -> str:
        """How far that has come, in the same unit."""
        raise NotImplementedError


class Target(Objective, frozen=True, kw_only=True):
    """A level that ends the phase once everything else that it asks for is met."""

    def level(self, standing: Standing) -> Money:
        raise NotImplementedError

    def observed(self, standing: Standing) -> Money:
        raise NotImplementedError

    def is_met(self, standing: Standing) -> bool:
        raise NotImplementedError

    def required(self, standing: Standing) -> str:
        return str(self.level(standing).amount)

    def actual(self, standing: Standing) -> str:
        return str(self.observed(standing).amount)


@runtime_checkable
class Weight(Protocol):
    """What makes a target harder to reach than its own terms say."""

    def weighed(
        self, level: Money, observed: Money, standing: Standing
    ) -> tuple[Money, Money]:
        """The level that is asked for, and what counts towards it."""
        ...
