"""The symbols that a venue lists unless it is told otherwise."""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from domain.values.instrument import Instrument
from domain.values.session import Session

NEW_YORK: Final = "America/New_York"
FX_WEEK: Final = (Session(NEW_YORK, "Sun 17:00", "Fri 17:00"),)
NIGHTLY_PAUSE: Final = Session.around_the_week(NEW_YORK, "17:00", "18:00")
NOTHING: Final = Decimal(0)

EURUSD: Final = Instrument(
    symbol="EURUSD",
    contract_size=Decimal(100_000),
    digits=5,
    base="EUR",
    currency="USD",
    quantity_step=Decimal("0.01"),
    quantity_min=Decimal("0.01"),
    quantity_max=Decimal(100),
    leverage=100,
    commission_per_lot=NOTHING,
    swap_long=NOTHING,
    swap_short=NOTHING,
    sessions=FX_WEEK,
)
XAUUSD: Final = replace(
    EURUSD,
    symbol="XAUUSD",
    base="XAU",
    contract_size=Decimal(100),
    digits=2,
    leverage=20,
    sessions=NIGHTLY_PAUSE,
)
US500: Final = replace(
    XAUUSD,
    symbol="US500",
    base="US500",
    contract_size=Decimal(10),
)
BTCUSD: Final = replace(
    EURUSD,
    symbol="BTCUSD",
    base="BTC",
    contract_size=Decimal(1),
    digits=2,
    leverage=10,
    sessions="always",
)

STANDARD_INSTRUMENTS: Final = (
    EURUSD,
    replace(EURUSD, symbol="GBPUSD", base="GBP"),
    replace(EURUSD, symbol="AUDUSD", base="AUD"),
    replace(EURUSD, symbol="USDJPY", base="USD", currency="JPY", digits=3),
    replace(EURUSD, symbol="USDCHF", base="USD", currency="CHF"),
    replace(EURUSD, symbol="EURJPY", currency="JPY", digits=3),
    XAUUSD,
    US500,
    BTCUSD,
    replace(BTCUSD, symbol="ETHUSD", base="ETH"),
)
"""Free of costs, as a sandbox has them."""


def at_cost(
    instrument: Instrument, commission: str, swap_long: str, swap_short: str
) -> Instrument:
    return replace(
        instrument,
        commission_per_lot=Decimal(commission),
        swap_long=Decimal(swap_long),
        swap_short=Decimal(swap_short),
        triple_swap_on=None if instrument.sessions == "always" else "Wed",
    )


COSTS: Final = {
    "EURUSD": ("7.00", "-6.50", "2.10"),
    "GBPUSD": ("7.00", "-3.20", "-1.80"),
    "AUDUSD": ("7.00", "-2.90", "-0.60"),
    "USDJPY": ("7.00", "8.40", "-16.20"),
    "USDCHF": ("7.00", "6.10", "-11.30"),
    "EURJPY": ("7.00", "5.20", "-12.70"),
    "XAUUSD": ("7.00", "-34.00", "18.50"),
    "US500": ("0.00", "-9.80", "2.40"),
    "BTCUSD": ("4.00", "-24.00", "-8.00"),
    "ETHUSD": ("0.25", "-1.40", "-0.50"),
}
"""A round turn's commission, then a night long and a night short; all per lot."""

LIVE_CRYPTO_LEVERAGE: Final = 20
"""Twice a sandbox's: at weekends a phase can be passed within minutes, too."""


FX_CALENDAR: Final = "cme-fx/2026.1"
CALENDARS: Final = {"XAUUSD": "cme-metals/2026.1", "US500": "cme-index/2026.1"}
"""Whose holidays and early ends they keep; crypto keeps none."""


def live(instrument: Instrument) -> Instrument:
    costly = at_cost(instrument, *COSTS[instrument.symbol])
    if instrument.sessions == "always":
        return replace(costly, leverage=LIVE_CRYPTO_LEVERAGE)
    calendar = CALENDARS.get(instrument.symbol, FX_CALENDAR)
    kept = tuple(replace(each, calendar=calendar) for each in instrument.sessions)
    return replace(costly, sessions=kept)


LIVE_INSTRUMENTS: Final = tuple(map(live, STANDARD_INSTRUMENTS))
