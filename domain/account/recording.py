"""What a fill enters into the record of days and trades, where the terms look at it."""

from domain.account.events import (
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    SwapPosted,
)
from domain.account.position import Fill, Position, added
from domain.rules.phase import Phase
from domain.rules.record import Closed, Record
from domain.values.money import Money


def after_opening(
    record: Record,
    phase: Phase,
    balance: Money,
    event: PositionOpened | PositionIncreased,
) -> Record:
    """`balance` is what it was before: the commission counts on the day it is paid."""
    if not phase.keeps_record:
        return record
    return record.booked(event.balance - balance).opened(event.at)


def after_closing(
    record: Record, phase: Phase, positions: tuple[Position, ...], event: PositionClosed
) -> Record:
    """`positions` are what was open before."""
    if not phase.keeps_record:
        return record
    held = {each.trade_id: each for each in positions}
    closes = tuple(close_of(held[fill.closed.trade_id], fill) for fill in event.fills)
    record = record.closed(event.at, closes)
    for fill in event.fills:
        if fill.costs is not None:  # they count on the day on which they are posted
            record = record.booked(fill.costs)
    return record


def after_swap(
    record: Record, phase: Phase, balance: Money, event: SwapPosted
) -> Record:
    """`balance` is what it was before."""
    return record.booked(event.balance - balance) if phase.keeps_record else record


def close_of(position: Position, fill: Fill) -> Closed:
    profit = fill.closed.profit
    result = None
    if not fill.left:
        result = position.realised + fill.posted - position.commission
        result = added(result, position.swap)
    return Closed(opened_at=position.opened_at, profit=profit, result=result)
