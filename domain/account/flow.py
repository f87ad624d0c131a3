"""Money that comes to an account, or leaves it, by no trade."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.values.money import Money


class FlowKind(StrEnum):
    PAYOUT = "payout"  # debited when it is approved
    CORRECTION = "correction"  # of what was booked wrongly
    CREDIT = "credit"  # the house adds to the capital
    SCALING = "scaling"  # the deposit becomes another


class Flow(Struct, frozen=True, kw_only=True):
    """It moves the capital: what it brings is no gain, what it takes no loss."""

    flow_id: str
    kind: FlowKind
    amount: Money  # below zero it was taken out
    at: datetime
    tick: int


class Held(Struct, frozen=True, kw_only=True):
    """A payout that was asked for: the amount is promised to no other."""

    payout_id: str
    amount: Money


def since_scaling(flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """Floors of another deposit are no part of how these came about."""
    last = max(
        (n for n, each in enumerate(flows) if each.kind is FlowKind.SCALING), default=0
    )
    return flows[last:]
