"""What a trade needs before it is let in, and what opens with it."""

from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from msgspec.structs import replace

from domain.account.commands import OpenPosition
from domain.account.errors import (
    AccountBreached,
    AccountBridged,
    AccountClosed,
    AccountFrozen,
    AccountPaused,
    InsufficientMargin,
    MarketClosed,
    QuantityRefused,
    StopRefused,
)
from domain.account.events import OpenReason, PositionOpened
from domain.account.execution import Execution, executed
from domain.account.margin import added_margin
from domain.account.position import Position
from domain.account.rollover import rolls_next
from domain.account.state import Account, Status
from domain.rules.trading_terms import CommissionDue, TradingTerms
from domain.values.instrument import Instrument
from domain.values.market import Moment, QuoteStale
from domain.values.money import ZERO, Money
from domain.values.quote import Quote, Side
from domain.values.refusal import Arithmetic
from domain.values.session import is_open


def existing(account: Account | None) -> Account:
    if account is None:
        raise AccountClosed("the account was never opened")
    return account


def trading(opened: Account | None) -> Account:
    account = existing(opened)
    if account.bridge is not None:
        raise AccountBridged(account.account_id)
    if account.status is Status.BREACHED:
        raise AccountBreached(account.account_id)
    if account.status is Status.FROZEN:
        raise AccountFrozen(account.account_id)
    if account.is_over:
        raise AccountClosed(account.account_id)
    return account


class Entry(Protocol):
    """What says how a trade is to be opened: a command, or an order that waited."""

    @property
    def trade_id(self) -> str: ...
    @property
    def order_id(self) -> str: ...
    @property
    def client_order_id(self) -> str | None: ...
    @property
    def symbol(self) -> str: ...
    @property
    def side(self) -> Side: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def stop_loss(self) -> Decimal | None: ...
    @property
    def take_profit(self) -> Decimal | None: ...


def open_position(
    command: OpenPosition, account: Account, moment: Moment
) -> PositionOpened:
    quote = must_be_let_in(command, account, moment)
    moment.market.instrument_to_open(command.symbol)
    stop, target = command.stop_loss, command.take_profit
    must_stand_clear(command.side, stop, target, quote.closing(command.side))
    return opened(command, account, moment)


def must_be_let_in(command: OpenPosition, account: Account, moment: Moment) -> Quote:
    if account.paused:
        raise AccountPaused(account.account_id)
    quote = must_be_tradable(command.symbol, moment)
    instrument = moment.market.instrument(command.symbol)
    must_fit(command.quantity, instrument)
    must_be_converted(instrument.currency, account, moment)
    return quote


def opened(
    entry: Entry,
    account: Account,
    moment: Moment,
    *,
    limit: Decimal | None = None,
    trailing: Decimal | None = None,
    reason: OpenReason = OpenReason.TRADER,
) -> PositionOpened:
    """At the last quote, no worse than `limit`. Raises `InsufficientMargin`."""
    position = position_of(entry, account, moment, limit)
    if trailing is not None:
        position = replace(position, trailing=trailing)
    must_be_carried(position, account, moment)
    return PositionOpened(
        at=moment.at,
        tick=moment.tick,
        position=position,
        trading_day=account.phase.trading_day.day_of(moment.at),
        balance=account.balance - position.commission,
        reason=reason,
    )


def position_of(
    entry: Entry, account: Account, moment: Moment, limit: Decimal | None = None
) -> Position:
    """What it would be if it were filled now, at the price that its terms make."""
    terms, side = account.phase.trading, entry.side
    instrument = moment.market.instrument(entry.symbol)
    price, execution = moment.market.quote(entry.symbol).opening(side), None
    if terms is not None and (terms.slippage or terms.latency):
        price, execution = executed(
            side, price, entry.order_id, instrument, terms, limit
        )
    position = position_at(price, entry, account, moment)
    if terms is None:
        return position
    return on_terms(position, terms, instrument, account, execution)


def position_at(
    price: Decimal, entry: Entry, account: Account, moment: Moment
) -> Position:
    instrument = moment.market.instrument(entry.symbol)
    per_lot = instrument.commission_per_lot * entry.quantity
    return Position(
        trade_id=entry.trade_id,
        order_id=entry.order_id,
        client_order_id=entry.client_order_id,
        symbol=entry.symbol,
        side=entry.side,
        opened_quantity=entry.quantity,
        quantity=entry.quantity,
        open_price=price,
        quote=moment.market.quote(entry.symbol),
        contract_size=instrument.contract_size,
        currency=instrument.currency,
        margin=required_margin(entry, price, instrument, account, moment),
        commission=Money.rounded(per_lot, account.currency),
        realised=Money.zero(account.currency),
        opened_at=moment.at,
        stop_loss=entry.stop_loss,
        take_profit=entry.take_profit,
        specification=instrument.version,
    )


def on_terms(
    position: Position,
    terms: TradingTerms,
    instrument: Instrument,
    account: Account,
    execution: Execution | None,
) -> Position:
    """What the terms of trading add to it; mostly nothing."""
    day, at = account.phase.trading_day, position.opened_at
    rolls_at = rolls_next(instrument, position.side, day, at)
    is_due = terms.commission is CommissionDue.ON_CLOSE and position.commission.amount
    if is_due:
        nothing = Money.zero(account.currency)
        position = replace(position, commission=nothing, due=position.commission)
    if rolls_at is None and execution is None:
        return position
    return replace(position, rolls_at=rolls_at, execution=execution)


def must_be_tradable(symbol: str, moment: Moment) -> Quote:
    instrument = moment.market.instrument(symbol)
    if not is_open(instrument.sessions, moment.at):
        raise MarketClosed(symbol)
    return moment.market.fresh_quote(symbol, moment.at)


def must_fit(quantity: Decimal, instrument: Instrument) -> None:
    lowest, highest = instrument.quantity_min, instrument.quantity_max
    if not lowest <= quantity <= highest or quantity % instrument.quantity_step:
        raise QuantityRefused(
            f"{lowest} to {highest} lots in steps of {instrument.quantity_step}"
        )


def must_stand_clear(
    side: Side, stop: Decimal | None, target: Decimal | None, price: Decimal
) -> None:
    """A stop is on the losing side of `price`, a target on the other."""
    if stop is None and target is None:
        return
    if side is Side.SELL:
        stop, target = target, stop
    if (stop is not None and stop >= price) or (target is not None and target <= price):
        raise StopRefused(f"the price is {price}")


def required_margin(
    entry: Entry,
    price: Decimal,
    instrument: Instrument,
    account: Account,
    moment: Moment,
) -> Money:
    """Held against the trade at its opening rate: base currency over leverage."""
    currency = account.currency
    held = ZERO
    if instrument.tiers:
        held = sum(
            (
                each.quantity
                for each in account.positions
                if (each.symbol, each.side) == (entry.symbol, entry.side)
            ),
            ZERO,
        )
    carried = instrument.carried(entry.quantity, held)
    if instrument.base == currency:
        return Money.rounded(carried, currency)
    amount, _ = moment.market.converted(carried * price, instrument.currency, currency)
    return Money.rounded(amount, currency)


def must_be_converted(currency: str, account: Account, moment: Moment) -> None:
    """Where the terms say how old a converting quote may be, no older one does."""
    terms = account.phase.trading
    if terms is None or terms.conversion_stale_after is None:
        return
    oldest = moment.at - timedelta(seconds=terms.conversion_stale_after)
    for symbol, _ in moment.market.path(currency, account.currency):
        quote = moment.market.quote(symbol)
        if quote.at < oldest:
            raise QuoteStale(
                f"{symbol} converts {currency}, and was last quoted at"
                f" {quote.at:%H:%M:%S}Z"
            )


def must_be_carried(position: Position, account: Account, moment: Moment) -> None:
    needed = added_margin(position, account.positions, account.phase.trading)
    if needed <= 0:  # a hedge frees margin
        return
    free = account.free_margin(moment.market)
    if free < needed:
        raise InsufficientMargin(
            f"{needed} {account.currency} of margin is needed",
            Arithmetic(
                rule="free_margin",
                limit=str(free),
                actual=str(needed),
                at=f"{moment.at:%Y-%m-%dT%H:%M:%S.%f}Z",
            ),
        )
