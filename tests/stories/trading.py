"""Accounts on terms of trading, for the stories of what trading costs and holds."""

from decimal import Decimal

from msgspec.structs import replace

from domain.rules.phase import Rule
from domain.rules.trading_terms import HOUSE_STANDARD, TradingTerms
from domain.values.instrument import Instrument
from domain.values.money import Money
from domain.values.trading_day import TradingDay
from domain.venue.standard_instruments import EURUSD, STANDARD_INSTRUMENTS
from tests.stories.facts import GOLD, MONDAY, PRAGUE, opening
from tests.stories.story import Told

FRANC = replace(
    next(each for each in STANDARD_INSTRUMENTS if each.symbol == "USDCHF"),
    leverage=30,
    sessions="always",
)
EURO = replace(EURUSD, sessions="always")
COSTLY = replace(
    EURO,
    commission_per_lot=Decimal("7.00"),
    swap_long=Decimal("-6.50"),
    swap_short=Decimal("2.10"),
)


def trading(
    *rules: Rule,
    deposit: str = "100000",
    currency: str = "USD",
    terms: TradingTerms = HOUSE_STANDARD,
    day: TradingDay = PRAGUE,
    listed: tuple[Instrument, ...] = (EURO, FRANC, GOLD),
) -> Told:
    """An account with terms of trading; nothing is quoted yet."""
    command = opening(*rules, deposit=Money.parse(deposit, currency), day=day)
    command = replace(command, phase=replace(command.phase, trading=terms))
    return Told.beginning(MONDAY, listed).next(command)
