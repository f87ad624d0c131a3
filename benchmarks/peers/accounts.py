"""Accounts as aggregates of the `eventsourcing` library, with its default events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.floor import ACCOUNTS, ASK, BID, LOTS
from benchmarks.lab import Database
from benchmarks.peers.library import environment

LOT = Decimal(100_000)
LEVERAGE = Decimal(100)


@dataclass(frozen=True)
class Position:
    trade_id: UUID
    symbol: str
    quantity: Decimal
    open_price: Decimal

    def profit(self, bid: Decimal) -> Decimal:
        return (bid - self.open_price) * self.quantity * LOT

    @property
    def margin(self) -> Decimal:
        return self.quantity * LOT * self.open_price / LEVERAGE


class AccountBreached(Exception):
    """Equity is below a floor."""


class InsufficientMargin(Exception):
    """The free margin does not carry the trade."""


class Account(Aggregate):
    @event("Opened")
    def __init__(
        self, deposit: Decimal, daily_loss: Decimal, max_loss: Decimal
    ) -> None:
        self.balance = deposit
        self.daily_floor = deposit - deposit * daily_loss
        self.max_floor = deposit - deposit * max_loss
        self.positions: list[Position] = []

    def open_position(
        self, trade_id: UUID, symbol: str, quantity: Decimal, bid: Decimal, ask: Decimal
    ) -> None:
        opened = Position(trade_id, symbol, quantity, ask)
        if self.free_margin(bid) < opened.margin:
            raise InsufficientMargin
        self.position_opened(trade_id, symbol, quantity, ask)
        if self.equity(bid) < max(self.daily_floor, self.max_floor):
            raise AccountBreached

    def close_position(self, trade_id: UUID, bid: Decimal) -> None:
        held = next(each for each in self.positions if each.trade_id == trade_id)
        self.position_closed(trade_id, bid, held.profit(bid))
        if self.equity(bid) < max(self.daily_floor, self.max_floor):
            raise AccountBreached

    @event("PositionOpened")
    def position_opened(
        self, trade_id: UUID, symbol: str, quantity: Decimal, open_price: Decimal
    ) -> None:
        self.positions.append(Position(trade_id, symbol, quantity, open_price))

    @event("PositionClosed")
    def position_closed(self, trade_id: UUID, price: Decimal, profit: Decimal) -> None:  # noqa: ARG002 - recorded
        self.positions = [each for each in self.positions if each.trade_id != trade_id]
        self.balance += profit

    def equity(self, bid: Decimal) -> Decimal:
        return self.balance + sum(each.profit(bid) for each in self.positions)

    def free_margin(self, bid: Decimal) -> Decimal:
        return self.equity(bid) - sum(each.margin for each in self.positions)


class Accounts(Application[UUID]):
    def open_accounts(self, count: int) -> tuple[UUID, ...]:
        opened = [
            Account(Decimal(100_000), Decimal("0.05"), Decimal("0.10"))
            for _ in range(count)
        ]
        self.save(*opened)
        return tuple(each.id for each in opened)

    def trade(self, account_id: UUID) -> None:
        """Open a position, or close the one that is held."""
        account: Account = self.repository.get(account_id)
        if account.positions:
            account.close_position(account.positions[0].trade_id, Decimal(BID))
        else:
            account.open_position(uuid4(), "EURUSD", LOTS, Decimal(BID), Decimal(ASK))
        self.save(account)


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
