"""The same accounts with immutable msgspec events, as the library's examples do."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import datetime_now_with_tzinfo
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from eventsourcing.utils import get_topic, resolve_topic
from msgspec import Struct, field

from benchmarks.floor import ACCOUNTS, ASK, BID, LOTS
from benchmarks.lab import Database
from benchmarks.peers.accounts import (
    LEVERAGE,
    LOT,
    AccountBreached,
    InsufficientMargin,
)
from benchmarks.peers.library import environment


class Event(Struct, frozen=True, kw_only=True):
    originator_id: UUID
    originator_version: int
    timestamp: datetime = field(default_factory=datetime_now_with_tzinfo)


class Opened(Event, frozen=True, kw_only=True):
    deposit: Decimal
    daily_loss: Decimal
    max_loss: Decimal


class PositionOpened(Event, frozen=True, kw_only=True):
    trade_id: UUID
    symbol: str
    quantity: Decimal
    open_price: Decimal


class PositionClosed(Event, frozen=True, kw_only=True):
    trade_id: UUID
    price: Decimal
    profit: Decimal


class Position(Struct, frozen=True):
    trade_id: UUID
    symbol: str
    quantity: Decimal
    open_price: Decimal

    def profit(self, bid: Decimal) -> Decimal:
        return (bid - self.open_price) * self.quantity * LOT

    @property
    def margin(self) -> Decimal:
        return self.quantity * LOT * self.open_price / LEVERAGE


class Account(Struct, frozen=True, kw_only=True):
    id: UUID
    version: int
    created_on: datetime
    modified_on: datetime
    balance: Decimal
    daily_floor: Decimal
    max_floor: Decimal
    positions: tuple[Position, ...] = ()

    def equity(self, bid: Decimal) -> Decimal:
        return self.balance + sum(each.profit(bid) for each in self.positions)

    def free_margin(self, bid: Decimal) -> Decimal:
        return self.equity(bid) - sum(each.margin for each in self.positions)


def open_position(
    account: Account, symbol: str, quantity: Decimal, bid: Decimal, ask: Decimal
) -> PositionOpened:
    opened = PositionOpened(
        originator_id=account.id,
        originator_version=account.version + 1,
        trade_id=uuid4(),
        symbol=symbol,
        quantity=quantity,
        open_price=ask,
    )
    after = mutated(account, opened)
    if account.free_margin(bid) < after.positions[-1].margin:
        raise InsufficientMargin
    if after.equity(bid) < max(after.daily_floor, after.max_floor):
        raise AccountBreached
    return opened


def close_position(account: Account, trade_id: UUID, bid: Decimal) -> PositionClosed:
    held = next(each for each in account.positions if each.trade_id == trade_id)
    closed = PositionClosed(
        originator_id=account.id,
        originator_version=account.version + 1,
        trade_id=trade_id,
        price=bid,
        profit=held.profit(bid),
    )
    after = mutated(account, closed)
    if after.equity(bid) < max(after.daily_floor, after.max_floor):
        raise AccountBreached
    return closed


def mutated(account: Account | None, event: Event) -> Account:
    match event:
        case Opened():
            return Account(
                id=event.originator_id,
                version=event.originator_version,
                created_on=event.timestamp,
                modified_on=event.timestamp,
                balance=event.deposit,
                daily_floor=event.deposit - event.deposit * event.daily_loss,
                max_floor=event.deposit - event.deposit * event.max_loss,
            )
        case PositionOpened():
            assert account is not None
            opened = Position(
                event.trade_id, event.symbol, event.quantity, event.open_price
            )
            return msgspec.structs.replace(
                account,
                version=event.originator_version,
                modified_on=event.timestamp,
                positions=(*account.positions, opened),
            )
        case PositionClosed():
            assert account is not None
            left = (p for p in account.positions if p.trade_id != event.trade_id)
            return msgspec.structs.replace(
                account,
                version=event.originator_version,
                modified_on=event.timestamp,
                balance=account.balance + event.profit,
                positions=tuple(left),
            )
        case _:
            raise TypeError(event)


def projected(account: Account | None, events: Iterable[Event]) -> Account | None:
    for each in events:
        account = mutated(account, each)
    return account


class MsgspecMapper(Mapper[UUID]):
    def to_stored_event(self, domain_event: Event) -> StoredEvent:  # type: ignore[override]  # ours only
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=get_topic(type(domain_event)),
            state=msgspec.json.encode(domain_event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        kind = resolve_topic(stored_event.topic)
        event: Event = msgspec.json.decode(stored_event.state, type=kind)
        return event


class NoTranscoder(Transcoder):
    """The mapper needs none."""

    def encode(self, obj: Any) -> bytes:  # noqa: ANN401 - the library's signature
        raise NotImplementedError

    def decode(self, data: bytes) -> Any:  # noqa: ANN401 - the library's signature
        raise NotImplementedError


class Accounts(Application[UUID]):
    env = {  # noqa: RUF012 - the library's way to configure a class
        "MAPPER_TOPIC": get_topic(MsgspecMapper),
        "TRANSCODER_TOPIC": get_topic(NoTranscoder),
        "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",  # nothing of it can be changed
    }

    def open_accounts(self, count: int) -> tuple[UUID, ...]:
        opened = [
            Opened(
                originator_id=uuid4(),
                originator_version=1,
                deposit=Decimal(100_000),
                daily_loss=Decimal("0.05"),
                max_loss=Decimal("0.10"),
            )
            for _ in range(count)
        ]
        self.save(*opened)
        return tuple(each.originator_id for each in opened)

    def trade(self, account_id: UUID) -> None:
        """Open a position, or close the one that is held."""
        account = self.repository.get(account_id, projector_func=projected)
        bid, ask = Decimal(BID), Decimal(ASK)
        if account.positions:
            held = account.positions[0].trade_id
            self.save(close_position(account, held, bid))
        else:
            self.save(open_position(account, "EURUSD", LOTS, bid, ask))


class Desk:
    def __init__(self, application: Accounts) -> None:
        self._application = application
        self.accounts = application.open_accounts(ACCOUNTS)

    def trade(self, account_id: UUID) -> None:
        self._application.trade(account_id)


@contextmanager
def desk(database: Database, threads: int) -> Iterator[Desk]:
    with Accounts(environment(database, threads)) as application:
        yield Desk(application)
