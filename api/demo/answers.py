"""The parts of the public API's answers that a demo trader reads."""

from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    items: tuple[T, ...]


class Tokens(Struct, frozen=True):
    access_token: str


class Refusal(Struct, frozen=True):
    code: str
    detail: str = ""


class Symbol(Struct, frozen=True, kw_only=True):
    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    at: datetime | None
    session: Literal["open", "closed"]
    contract_size: Decimal
    digits: int
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    currency: str
    leverage: int


class Size(Struct, frozen=True):
    deposit: Decimal


class Plan(Struct, frozen=True):
    plan_id: str
    name: str
    sizes: tuple[Size, ...]


class Challenge(Struct, frozen=True):
    challenge_id: str
    status: str
    account_id: str  # of the current phase


class Limit(Struct, frozen=True):
    rule: str
    floor: Decimal
    distance: Decimal


class Objective(Struct, frozen=True):
    kind: str
    required: str


class Account(Struct, frozen=True, kw_only=True):
    account_id: str
    challenge_id: str | None
    phase: str
    currency: str
    status: str
    deposit: Decimal
    balance: Decimal
    equity: Decimal
    margin: Decimal
    free_margin: Decimal
    limits: tuple[Limit, ...]
    objectives: tuple[Objective, ...]


class Trade(Struct, frozen=True, kw_only=True):
    trade_id: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: Decimal
    status: Literal["open", "closed"]
    open_price: Decimal
    close_price: Decimal | None = None
    profit: Decimal
