"""What a trade needs before it is let in, and what opens with it."""

from datetime import timedelta
from decimal import Decimal

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
from domain.account.events import PositionOpened
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


def open_position(
    command: OpenPosition, account: Account, moment: Moment
) -> PositionOpened:
    quote = must_be_let_in(command, account, moment)
    moment.market.instrument_to_open(command.symbol)
    must_stand_clear(command, quote)
    return opened(command, account, moment)


def must_be_let_in(command: OpenPosition, account: Account, moment: Moment) -> Quote:
    if account.paused:
        raise AccountPaused(account.account_id)
    quote = must_be_tradable(command.symbol, moment)
    instrument = moment.market.instrument(command.symbol)
    must_fit(command.quantity, instrument)
    must_be_converted(instrument.currency, account, moment)
    return quote


def opened(command: OpenPosition, account: Account, moment: Moment) -> PositionOpened:
    """Fill it at the last quote. Raises `InsufficientMargin`."""
    position = position_of(command, account, moment)
    must_be_carried(position, account, moment)
    return PositionOpened(
        at=moment.at,
        tick=moment.tick,
        position=position,
        trading_day=account.phase.trading_day.day_of(moment.at),
        balance=account.balance - position.commission,
    )


def position_of(command: OpenPosition, account: Account, moment: Moment) -> Position:
    """What it would be if it were filled now, at the price that its terms make."""
    quote = moment.market.quote(command.symbol)
    instrument = moment.market.instrument(command.symbol)
    terms, side = account.phase.trading, command.side
    price, execution = quote.opening(side), None
    if terms is not None and (terms.slippage or terms.latency):
        price, execution = executed(side, price, command.order_id, instrument, terms)
    per_lot = instrument.commission_per_lot * command.quantity
    commission = Money.rounded(per_lot, account.currency)
    position = Position(
        trade_id=command.trade_id,
        order_id=command.order_id,
        client_order_id=command.client_order_id,
        symbol=command.symbol,
        side=side,
        opened_quantity=command.quantity,
        quantity=command.quantity,
        open_price=price,
        quote=quote,
        contract_size=instrument.contract_size,
        currency=instrument.currency,
        margin=required_margin(command, price, instrument, account, moment),
        commission=commission,
        realised=Money.zero(account.currency),
        opened_at=moment.at,
        stop_loss=command.stop_loss,
        take_profit=command.take_profit,
        specification=instrument.version,
    )
    if terms is None:
        return position
    return on_terms(position, terms, instrument, account, execution)


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


def must_stand_clear(command: OpenPosition, quote: Quote) -> None:
    """A stop is on the losing side of the closing price, a target on the other."""
    stop, target = command.stop_loss, command.take_profit
    if stop is None and target is None:
        return
    price = quote.closing(command.side)
    if command.side is Side.SELL:
        stop, target = target, stop
    if (stop is not None and stop >= price) or (target is not None and target <= price):
        raise StopRefused(f"the price is {price}")


def required_margin(
    command: OpenPosition,
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
                if (each.symbol, each.side) == (command.symbol, command.side)
            ),
            ZERO,
        )
    carried = instrument.carried(command.quantity, held)
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
