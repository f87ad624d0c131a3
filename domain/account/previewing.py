"""What an order would cost and leave, and how large it may be to outlive its stop."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from domain.account.commands import PlaceOrder
from domain.account.margin import added_margin
from domain.account.order import Order
from domain.account.placing import must_be_sound, order_of
from domain.account.position import Position
from domain.account.state import Account
from domain.account.trading import position_at
from domain.rules.standing import Standing
from domain.values.market import Moment
from domain.values.money import Money
from domain.values.quote import Quote, Side


class Preview(Struct, frozen=True, kw_only=True):
    """As if it were filled at its own price, or now where that is there already."""

    price: Decimal
    margin: Money  # added to what is held
    commission: Money
    after: Standing  # once it is filled, with the spread of now
    at_stop: Standing | None  # once its stop has closed it; None: it has none
    largest: Decimal | None  # lots that no limit ends even then; None: no stop


def preview(command: PlaceOrder, account: Account, moment: Moment) -> Preview:
    """Raise what its placing would raise, but for the margin."""
    order = order_of(command, account, moment)
    quote = must_be_sound(order, account, moment)
    price = quote.opening(order.side) if order.is_due(quote) else order.entry(quote)
    position = position_at(price, order, account, moment)
    return Preview(
        price=price,
        margin=Money.rounded(added(position, account), account.currency),
        commission=position.commission,
        after=standing_after(position, beside(price, quote, order), account, moment),
        at_stop=at_stop(position, account, moment),
        largest=largest(order, price, account, moment),
    )


def added(position: Position, account: Account) -> Decimal:
    return added_margin(position, account.positions, account.phase.trading)


def beside(price: Decimal, quote: Quote, order: Order) -> Decimal:
    """Where it could be closed at once."""
    spread = quote.ask - quote.bid
    return price - spread if order.side is Side.BUY else price + spread


def standing_after(
    position: Position, price: Decimal, account: Account, moment: Moment
) -> Standing:
    """Open, and worth what `price` makes of it; all else as it is now."""
    standing, cost = account.standing(moment.market), position.commission
    floating = position.portion_valued(
        position.quantity, moment.market, account.currency, price
    ).profit
    return replace(
        standing,
        balance=standing.balance - cost,
        equity=standing.equity - cost + floating,
    )


def at_stop(position: Position, account: Account, moment: Moment) -> Standing | None:
    """Closed at its stop, not beyond it: a gap may cost more."""
    if position.stop_loss is None:
        return None
    standing = standing_after(position, position.stop_loss, account, moment)
    lost = standing.equity - account.standing(moment.market).equity
    return replace(standing, balance=account.balance + lost)


def largest(
    order: Order, price: Decimal, account: Account, moment: Moment
) -> Decimal | None:
    """Found by halving: more lots lose more, and hold more margin."""
    if order.stop_loss is None:
        return None
    instrument = moment.market.instrument(order.symbol)
    step = instrument.quantity_step
    fits, too_many = 0, int(instrument.quantity_max / step) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        sized = replace(order, quantity=middle * step)
        if outlives(position_at(price, sized, account, moment), account, moment):
            fits = middle
        else:
            too_many = middle
    found = fits * step
    return found if instrument.quantity_min <= found else Decimal(0)


def outlives(position: Position, account: Account, moment: Moment) -> bool:
    if added(position, account) > account.free_margin(moment.market):
        return False
    standing = at_stop(position, account, moment)
    assert standing is not None
    return not any(
        limit.is_crossed(standing, limit.floor(standing))
        for limit in account.phase.limits
    )
