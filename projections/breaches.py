"""A row a crossed rule, with everything that is needed to compute the verdict again."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from domain.account.events import (
    BreachAnnulled,
    BreachConfirmed,
    BreachDismissed,
    ReviewEvent,
    RuleBreached,
)
from domain.account.evidence import FloorStood, arithmetic, floor_history, quotes
from domain.account.position import Valued
from domain.rules.adjudicate import Breach
from domain.rules.limit import Comparator, Effect, Measured
from domain.values.market import Leg
from domain.values.quote import Quote, Side
from projections.asking import Pool, Slice, fetch_one, fetch_slice
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told

BREACHES_ARE_NAMED_IN = UUID("9c3e34b6-2a2f-5b86-8f4f-6f2a7c3d51e0")


Review = Literal["open", "confirmed", "dismissed"]
REVIEWED: dict[type[ReviewEvent], Review | None] = {
    BreachAnnulled: None,
    BreachConfirmed: "confirmed",
    BreachDismissed: "dismissed",
}


class Held(Struct, frozen=True, kw_only=True):
    """A position as the verdict saw it."""

    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal
    open_price: Decimal
    valued_at: Decimal  # the price at which it would have closed
    profit: Decimal
    contract_size: Decimal
    quote_sequence: int
    conversion: tuple[Leg, ...]


class Row(Struct, frozen=True):
    breach_id: Annotated[str, says("Derived from stream, version and rule")]
    account_id: Annotated[str, says("The account whose rule was crossed")]
    rule: Annotated[str, says("The rule's id in the terms")]
    kind: Annotated[str, says("daily, weekly, daily_cap or max")]
    effect: Annotated[Effect, says("hard ends the account, pause ends with the day")]
    primary: Annotated[bool, says("The first of those crossed at the same instant")]
    terms_hash: Annotated[str, says("Of the terms that bind")]
    cmp: Annotated[Comparator, says("lt: touching the floor is allowed; le: it is not")]
    measured: Annotated[
        Measured, says("equity, or min: the lower of balance and equity")
    ]
    floor: Annotated[Decimal, says("The level that was crossed")]
    observed: Annotated[Decimal, says("What was measured against it")]
    anchor: Annotated[Decimal, says("What the floor was measured from")]
    anchor_at: Annotated[datetime, says("When that anchor first stood")]
    anchor_tick: Annotated[int, says("The last tick seen by then")]
    deposit: Annotated[Decimal, says("What the account was opened with")]
    balance: Annotated[Decimal, says("Of the account at the verdict")]
    equity: Annotated[Decimal, says("Of the account at the verdict")]
    currency: Annotated[str, says("Of all amounts here")]
    trading_days: Annotated[int, says("Days on which a trade was opened, until then")]
    opened_at: Annotated[datetime, says("Engine time of the account's opening")]
    decided_at: Annotated[datetime, says("Engine time of the tick or boundary")]
    tick: Annotated[int, says("The last tick before the verdict")]
    quotes: Annotated[tuple[Quote, ...], says("Every quote the verdict rests on")]
    positions: Annotated[tuple[Held, ...], says("Every open position, as valued then")]
    floor_history: Annotated[tuple[FloorStood, ...], says("How the floor came about")]
    arithmetic: Annotated[tuple[str, ...], says("Claims that anybody can recompute")]
    annulled: Annotated[bool, says("Quotes it rests on were found not to count")]
    review: Annotated[
        str | None, says("Of an observed one: open, confirmed or dismissed")
    ]
    decided_because: Annotated[
        str | None, says("Why it was annulled, confirmed or dismissed")
    ]
    partition: Annotated[str, says("Where the event is stored")]
    position: Annotated[int, says("Of the event in that partition")]
    version: Annotated[int, says("Of the account's stream at the event")]


TABLE = Table(
    "breaches",
    Row,
    key="breach_id",
    comment="A row a crossed rule, with its evidence",
    indexes=(
        "(account_id, decided_at, position, breach_id)",
        '(decided_at) WHERE "primary"',
    ),
)


def wanted(page: Sequence[Told]) -> Wanted:
    """A verdict is never changed; what was decided about it later is beside it."""
    return Wanted(
        frozenset(
            breach_id(told.stream, told.fact.breach_version, rule)
            for told in page
            if isinstance(told.fact, ReviewEvent)
            for rule in told.fact.rules
        )
    )


def fold(rows: Rows[Row], told: Told) -> None:
    fact = told.fact
    if isinstance(fact, RuleBreached):
        for number, breach in enumerate(fact.breaches):
            row = evidence(told, fact, breach, is_primary=number == 0)
            rows.put(row.breach_id, row)
    elif isinstance(fact, ReviewEvent):
        for rule in fact.rules:
            name = breach_id(told.stream, fact.breach_version, rule)
            if known := rows.get(name):
                rows.put(name, decided(known, fact))


def decided(row: Row, fact: ReviewEvent) -> Row:
    return replace(
        row,
        annulled=isinstance(fact, BreachAnnulled),
        review=REVIEWED[type(fact)],
        decided_because=fact.reason,
    )


def breach_id(stream: str, version: int, rule: str) -> str:
    return str(uuid5(BREACHES_ARE_NAMED_IN, f"{stream}\n{version}\n{rule}"))


def evidence(
    told: Told, fact: RuleBreached, breach: Breach, *, is_primary: bool
) -> Row:
    limit = breach.limit
    return Row(
        breach_id=breach_id(told.stream, told.version, limit.id),
        account_id=told.subject,
        rule=limit.id,
        kind=str(type(limit).__struct_config__.tag),
        effect=limit.effect,
        primary=is_primary,
        terms_hash=fact.terms_hash,
        cmp=limit.comparator,
        measured=limit.measured,
        floor=breach.floor.amount,
        observed=breach.observed.amount,
        anchor=breach.anchor.amount.amount,
        anchor_at=breach.anchor.at,
        anchor_tick=breach.anchor.tick,
        deposit=fact.deposit.amount,
        balance=fact.balance.amount,
        equity=fact.equity.amount,
        currency=fact.balance.currency,
        trading_days=fact.trading_days,
        opened_at=fact.opened_at,
        decided_at=fact.decided_at,
        tick=fact.tick,
        quotes=quotes(fact),
        positions=tuple(map(held, fact.positions)),
        floor_history=floor_history(fact, breach),
        arithmetic=arithmetic(fact, breach),
        annulled=False,
        review="open" if fact.opens_review else None,
        decided_because=None,
        partition=told.partition,
        position=told.position,
        version=told.version,
    )


def held(valued: Valued) -> Held:
    return Held(
        trade_id=valued.trade_id,
        symbol=valued.symbol,
        side=valued.side,
        quantity=valued.quantity,
        open_price=valued.open_price,
        valued_at=valued.price,
        profit=valued.profit.amount,
        contract_size=valued.contract_size,
        quote_sequence=valued.quote.sequence,
        conversion=valued.conversion,
    )


BREACHES = Projection(TABLE, (RuleBreached, *REVIEWED), wanted, fold)


class BreachView(Struct, frozen=True, kw_only=True):
    breach_id: str
    account_id: str
    rule: str
    kind: str
    effect: Effect
    primary: bool
    terms_hash: str
    cmp: Comparator
    measured: Measured
    floor: Decimal
    observed: Decimal
    deposit: Decimal
    balance: Decimal
    equity: Decimal
    currency: str
    trading_days: int
    opened_at: datetime
    decided_at: datetime
    tick: int
    event_position: str
    quotes: tuple[Quote, ...]
    positions: tuple[Held, ...]
    floor_history: tuple[FloorStood, ...]
    arithmetic: tuple[str, ...]
    annulled: bool
    review: Review | None
    decided_because: str | None


SELECT = """
    SELECT breach_id, account_id, rule, kind, effect, "primary", terms_hash, cmp,
        measured, floor, observed, deposit, balance, equity, currency, trading_days,
        opened_at, decided_at, tick, partition || '-' || position AS event_position,
        quotes, positions, floor_history, arithmetic,
        annulled, review, decided_because
    FROM read.breaches
"""
OF_ACCOUNT = " WHERE account_id = %(of)s"
OF_TRADER = """
    WHERE account_id IN (SELECT account_id FROM read.accounts WHERE trader_id = %(of)s)
"""
AFTER = """
    AND (decided_at, position, NOT "primary", breach_id) > (
        SELECT decided_at, position, NOT "primary", breach_id
        FROM read.breaches WHERE breach_id = %(after)s
    )
"""
IN_ORDER = """
    ORDER BY decided_at, position, NOT "primary", breach_id LIMIT %(limit)s
"""


async def breaches_of(
    pool: Pool,
    *,
    account_id: str | None = None,
    trader_id: str | None = None,
    after: str | None = None,
    limit: int,
) -> Slice[BreachView]:
    """List what was crossed, in that order; of one instant the primary one first."""
    query = SELECT + (OF_TRADER if account_id is None else OF_ACCOUNT)
    query += (AFTER if after else "") + IN_ORDER
    given = {"of": account_id or trader_id, "after": after}
    return await fetch_slice(
        pool, query, given, BreachView, limit=limit, key="breach_id"
    )


async def breach(pool: Pool, breach_id: str) -> BreachView | None:
    query = SELECT + " WHERE breach_id = %(breach_id)s"
    return await fetch_one(pool, query, {"breach_id": breach_id}, BreachView)


class Place(Struct, frozen=True):
    """Where a breach is in the log, and what it crossed together."""

    account_id: str
    version: int
    rules: tuple[str, ...]


PLACE = """
    SELECT account_id, version, (
        SELECT array_agg(rule ORDER BY NOT "primary", rule) FROM read.breaches AS also
        WHERE also.account_id = this.account_id AND also.version = this.version
    ) AS rules
    FROM read.breaches AS this WHERE breach_id = %(breach_id)s
"""


async def place_of_breach(pool: Pool, breach_id: str) -> Place | None:
    return await fetch_one(pool, PLACE, {"breach_id": breach_id}, Place)
