"""Why a venue says no to its operator."""

from domain.values.refusal import Refused


class SymbolNotQuarantined(Refused):
    """The symbol is quoted and believed: there is nothing to release."""


class InstrumentFixed(Refused):
    """What ticks and positions are written in never changes under the same symbol."""


class InstrumentChangePending(Refused):
    """A later change of the symbol is waiting already, or too many are."""


class EffectiveInThePast(Refused):
    """A specification cannot take effect before now."""
