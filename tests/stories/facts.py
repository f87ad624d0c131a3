"""Small facts that the stories share; times and prices are dull on purpose."""

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from domain.account.commands import ClosePosition, OpenAccount, OpenPosition
from domain.rules.allowance import Allowance, AmountBasis
from domain.rules.daily_loss import DailyLoss, DayAnchor
from domain.rules.limit import Comparator, Effect, Evaluated, Measured
from domain.rules.max_loss import Follows, MaxLoss, Mode
from domain.rules.minimum_days import MinimumDays
from domain.rules.phase import Phase, Rule
from domain.rules.profit_target import Basis, ProfitTarget
from domain.values.instrument import Instrument
from domain.values.money import Money
from domain.values.quote import Side
from domain.values.trading_day import TradingDay
from domain.venue.standard_instruments import EURUSD, STANDARD_INSTRUMENTS, XAUUSD
from tests.stories.story import Quoted, Told

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
PRAGUE = TradingDay("Europe/Prague", "00:00")
GOLD_IN_ITS_HOURS = XAUUSD
GOLD = replace(XAUUSD, sessions="always")  # one lot: 100 USD a dollar
FREE_MARKETS = tuple(
    replace(each, sessions="always")
    for each in (
        *STANDARD_INSTRUMENTS,
        replace(EURUSD, symbol="GBPJPY", base="GBP", currency="JPY", digits=3),
    )
)
A_TENTH = Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(10))
FIVE_PERCENT = Allowance(AmountBasis.SHARE_OF_DEPOSIT, Decimal(5))
MAX_LOSS = MaxLoss(
    id="max",
    allowance=A_TENTH,
    comparator=Comparator.BELOW,
    measured=Measured.EQUITY,
    evaluated=Evaluated.EVERY_TICK,
    effect=Effect.HARD,
    mode=Mode.STATIC,
    follows=None,
    lock=None,
)
TRAILING = replace(MAX_LOSS, id="trail", mode=Mode.TRAILING, follows=Follows.EQUITY)
DAILY_LOSS = DailyLoss(
    id="daily",
    allowance=FIVE_PERCENT,
    comparator=Comparator.BELOW,
    measured=Measured.EQUITY,
    evaluated=Evaluated.EVERY_TICK,
    effect=Effect.HARD,
    measured_from=DayAnchor.BALANCE,
)
DAILY_PAUSE = replace(DAILY_LOSS, id="pause", effect=Effect.PAUSE)
TARGET = ProfitTarget(
    id="target", percent=Decimal(8), basis=Basis.CLOSED, needs_flat=True
)
THREE_DAYS = MinimumDays(id="days", days=3)


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def phase_with(*rules: Rule, day: TradingDay = PRAGUE) -> Phase:
    return Phase(name="evaluation", trading_day=day, rules=rules)


def opening(
    *rules: Rule, deposit: Money | None = None, day: TradingDay = PRAGUE
) -> OpenAccount:
    return OpenAccount(
        account_id="an-account",
        trader_id="a-trader",
        challenge_id=None,
        venue_id="a-venue",
        deposit=deposit or usd("100000.00"),
        phase=phase_with(*rules, day=day),
        terms_hash="sha256:0",
    )


def account_with(
    *rules: Rule,
    deposit: Money | None = None,
    day: TradingDay = PRAGUE,
    gold: Instrument = GOLD,
) -> Told:
    """A deposit of 100,000, and gold quoted 1999 to 2000."""
    told = Told.beginning(MONDAY, (gold,))
    return told.next(opening(*rules, day=day, deposit=deposit)).next(gold_at("1999"))


def account_in(currency: str, *listed: Instrument) -> Told:
    """A deposit of 100,000 in any currency; nothing is quoted yet."""
    told = Told.beginning(MONDAY, listed or FREE_MARKETS)
    return told.next(opening(deposit=Money.parse("100000", currency)))


def gold_at(bid: str, at: datetime | None = None) -> Quoted:
    """Gold with a spread of one dollar: what is bid 1999 is asked 2000."""
    return Quoted("XAUUSD", bid, str(Decimal(bid) + 1), at)


def trade(
    side: Side,
    quantity: str,
    symbol: str = "XAUUSD",
    *,
    trade_id: str = "gold",
    stop_loss: str | None = None,
    take_profit: str | None = None,
) -> OpenPosition:
    return OpenPosition(
        trade_id=trade_id,
        order_id=f"order-of-{trade_id}",
        client_order_id=None,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        stop_loss=Decimal(stop_loss) if stop_loss else None,
        take_profit=Decimal(take_profit) if take_profit else None,
    )


def close(trade_id: str = "gold", quantity: str | None = None) -> ClosePosition:
    return ClosePosition(
        trade_id=trade_id, quantity=Decimal(quantity) if quantity else None
    )


buy_gold = trade(Side.BUY, "1.00")
sell_gold = trade(Side.SELL, "1.00")
close_gold = close()
