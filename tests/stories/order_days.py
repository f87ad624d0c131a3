"""Days of an engine on which orders wait, fill, and are gone."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from application.engine.asks import Ask
from domain.account.commands import (
    AccountCommand,
    CloseAll,
    ClosePositionBy,
    ProtectPosition,
)
from domain.account.order import OrderType, TimeInForce
from domain.rules.max_loss import Follows
from domain.values.quote import Side
from tests.stories.engines import (
    advance,
    asking,
    buy,
    gold,
    open_account,
    open_venue,
    quotes,
    sell_out,
)
from tests.stories.facts import (
    DAILY_PAUSE,
    FREE_MARKETS,
    GOLD,
    MAX_LOSS,
    MONDAY,
    TARGET,
    TRAILING,
)
from tests.stories.orders import (
    buy_limit,
    buy_stop,
    cancel,
    change,
    order,
    sell_limit,
    sell_stop,
)

COSTLY_GOLD = replace(GOLD, commission_per_lot=Decimal(70))
BALANCE_TRAIL = replace(TRAILING, id="balance", follows=Follows.BALANCE)
TUESDAY = MONDAY + timedelta(days=1)


def of(account_id: str, command: AccountCommand) -> Ask:
    return asking(f"account-{account_id}", command)


def trailing(account_id: str, trade_id: str, distance: str) -> Ask:
    command = ProtectPosition(trade_id=trade_id, trailing=Decimal(distance))
    return of(account_id, command)


BEGINNING = (
    open_venue(instruments=(COSTLY_GOLD, *FREE_MARKETS[:6])),
    open_account("a", MAX_LOSS, TRAILING, BALANCE_TRAIL),
    open_account("b", DAILY_PAUSE, TARGET),
    gold("1999"),
)

# An entry costs its commission and spread at the very quote that was equity's highest.
ENTRIES = [
    *BEGINNING,
    buy("a", "t1", "0.50"),
    of("a", sell_limit("2020.00", name="o1")),
    of("b", buy_stop("2020.00", name="o2", stop_loss="2000.00")),
    gold("2010", "2025", "2024"),
    of("a", buy_limit("2000.00", name="o3", lasts=TimeInForce.DAY)),
    gold("2005", "1998", "2003", "1990"),
    advance(TUESDAY),
    gold("1985"),
]
TRAILS = [
    *BEGINNING,
    of("a", order(Side.BUY, OrderType.MARKET, name="o1", trailing="5.00")),
    of("b", order(Side.SELL, OrderType.MARKET, name="o2", trailing="9.00")),
    gold("2003", "2002"),
    trailing("b", "trade-of-o2", "7.00"),
    gold("2001", "1999", "1998.01"),
    gold("1996", "1995"),
    gold("2002.50"),
]
BOOK = [
    *BEGINNING,
    of("a", buy_limit("1990.00", name="o1")),
    of("a", buy_stop("2010.00", name="o2", oco="o1")),
    of("a", change("o1", price="1980.00")),
    of("a", order(Side.SELL, OrderType.STOP_LIMIT, "1985.00", "1986.00", name="o3")),
    of("a", sell_stop("1970.00", name="o4", symbol="XAUUSD")),
    gold("1984"),
    of("a", cancel("o4")),
    gold("1979", "1987"),
    of("a", ClosePositionBy(trade_id="trade-of-o1", by="trade-of-o3")),
    buy("a", "t2"),
    of("a", buy_limit("1900.00", name="o5")),
    of("a", CloseAll()),
]
ENDS = [
    *BEGINNING,
    buy("b", "t1"),
    of("b", buy_limit("1900.00", name="o1")),
    of("a", buy_limit("1900.00", name="o2", lasts=TimeInForce.DAY)),
    of("a", buy_limit("1901.00", name="o3", lasts=TimeInForce.IOC)),
    quotes(("EURUSD", "1.10000"), ("XAUUSD", "1949")),
    advance(TUESDAY),
    of("a", buy_limit("1940.00", name="o4", quantity="4.00")),
    gold("1930", "1900"),
    of("b", buy_limit("1890.00", name="o5")),
    buy("b", "t2"),
    gold("2200"),
    sell_out("b", "t2"),
]

ORDER_DAYS = {
    "an entry at the best quote": ENTRIES[:8],
    "entries": ENTRIES,
    "trailing stops": TRAILS,
    "a book of orders": BOOK,
    "ends of orders": ENDS,
}
