"""Why an account says no. Each is an answer to the trader, not a bug."""

from domain.values.refusal import Refused


class AccountBreached(Refused):
    """The account was breached: it trades no more."""


class AccountPaused(Refused):
    """A daily limit was reached: the account trades again after the boundary."""


class AccountFrozen(Refused):
    """The account is under review: nothing is done on it until that has ended."""


class AccountClosed(Refused):
    """The account has ended: it trades no more."""


class AccountBridged(Refused):
    """The account trades on another platform: here it is only observed."""


class AccountSimulated(Refused):
    """The account trades here: nothing is observed of it from outside."""


class ObservationRefused(Refused):
    """An observation contradicts an earlier one, or what can have happened."""


class TradeNotOpen(Refused):
    """No open trade carries that id."""


class MarketClosed(Refused):
    """The symbol's session is closed."""


class QuantityRefused(Refused):
    """The quantity is outside what the instrument or the trade allows."""


class StopRefused(Refused):
    """A stop loss or take profit stands on the wrong side of the market."""


class InsufficientMargin(Refused):
    """The free margin does not carry the trade."""


class FlowRefused(Refused):
    """The flow says nothing that could be booked."""


class PayoutUncovered(Refused):
    """What is there above the capital and the floors does not cover it."""


class PayoutSettled(Refused):
    """That payout has been debited, or is held, already."""


class PayoutNotHeld(Refused):
    """No payout of that id is held."""


class AnnulmentRefused(Refused):
    """Nothing is there to annul, or the account would be breached all the same."""


class ReviewRefused(Refused):
    """No breach of the account is under review."""


class PriceRefused(Refused):
    """A price is finer than the instrument's steps, or higher than it may be."""


class OrderRefused(Refused):
    """An order contradicts itself, or the order that it is linked to."""


class OrderNotWorking(Refused):
    """No order that waits for its price carries that id."""


class TooManyOrders(Refused):
    """The account has as many orders working as it may have."""


class Outdated(Refused):
    """It has changed since the version that the sender had seen."""


class NotOpposite(Refused):
    """Trades close each other when they are of one symbol and on opposite sides."""
