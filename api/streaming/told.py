"""What an event of an account tells its owner."""

from collections.abc import Iterator
from typing import Final
from uuid import uuid5

from msgspec import Struct

from api.streaming.messages import CrossedView, FillView, PassView
from application.catalogue import Fact
from application.engine.journal import Recorded
from domain.account.events import (
    ObjectivesMet,
    PositionClosed,
    PositionIncreased,
    PositionOpened,
    RuleBreached,
)
from projections.breaches import BREACHES_ARE_NAMED_IN

FILL: Final = "fill"
BREACH: Final = "breach"
PASS: Final = "pass"  # noqa: S105 - of a phase


def told(
    partition: str, account_id: str, recorded: Recorded, fact: Fact
) -> Iterator[tuple[str, Struct]]:
    position = f"{partition}-{recorded.position}"
    match fact:
        case PositionOpened():
            yield FILL, opened(account_id, fact, position)
        case PositionIncreased():
            yield FILL, increased(account_id, fact, position)
        case PositionClosed():
            for view in closed(account_id, fact, position):
                yield FILL, view
        case RuleBreached():
            for crossed in breached(account_id, fact, recorded, position):
                yield BREACH, crossed
        case ObjectivesMet():
            yield (
                PASS,
                PassView(
                    account_id=account_id,
                    phase=fact.phase,
                    balance=fact.balance.amount,
                    equity=fact.equity.amount,
                    trading_days=fact.trading_days,
                    at=fact.at,
                    position=position,
                ),
            )


def opened(account_id: str, fact: PositionOpened, position: str) -> FillView:
    held = fact.position
    return FillView(
        account_id=account_id,
        trade_id=held.trade_id,
        symbol=held.symbol,
        side=held.side,
        action="open",
        quantity=held.quantity,
        price=held.open_price,
        left=held.quantity,
        profit=None,
        reason=fact.reason,
        balance=fact.balance.amount,
        quote_sequence=held.quote.sequence,
        at=fact.at,
        position=position,
    )


def increased(account_id: str, fact: PositionIncreased, position: str) -> FillView:
    deal, held = fact.deal, fact.position
    return FillView(
        account_id=account_id,
        trade_id=held.trade_id,
        symbol=held.symbol,
        side=deal.side,
        action="open",
        quantity=deal.quantity,
        price=deal.price,
        left=held.quantity,
        profit=None,
        reason="trader",
        balance=fact.balance.amount,
        quote_sequence=deal.quote.sequence,
        at=fact.at,
        position=position,
    )


def closed(account_id: str, fact: PositionClosed, position: str) -> Iterator[FillView]:
    for fill in fact.fills:
        yield FillView(
            account_id=account_id,
            trade_id=fill.closed.trade_id,
            symbol=fill.closed.symbol,
            side=fill.closed.side,
            action="close",
            quantity=fill.closed.quantity,
            price=fill.closed.price,
            left=fill.left,
            profit=fill.closed.profit.amount,
            reason=fact.reason,
            balance=fact.balance.amount,
            quote_sequence=fill.closed.quote.sequence,
            at=fact.at,
            position=position,
        )


def breached(
    account_id: str, fact: RuleBreached, recorded: Recorded, position: str
) -> Iterator[CrossedView]:
    for number, breach in enumerate(fact.breaches):
        limit = breach.limit
        yield CrossedView(
            breach_id=breach_id(recorded, limit.id),
            account_id=account_id,
            rule=limit.id,
            kind=str(type(limit).__struct_config__.tag),
            effect=limit.effect,
            primary=number == 0,
            cmp=limit.comparator,
            measured=limit.measured,
            floor=breach.floor.amount,
            observed=breach.observed.amount,
            balance=fact.balance.amount,
            equity=fact.equity.amount,
            decided_at=fact.decided_at,
            position=position,
        )


def breach_id(recorded: Recorded, rule: str) -> str:
    """The name that the tables will know it by."""
    name = f"{recorded.stream}\n{recorded.version}\n{rule}"
    return str(uuid5(BREACHES_ARE_NAMED_IN, name))
