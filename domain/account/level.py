"""A price at which something happens, and from which side the market comes to it."""

from decimal import Decimal

from msgspec import Struct

NOTHING = Decimal(0)


class Level(Struct, frozen=True):
    price: Decimal
    is_rising: bool  # reached by a price that rises to it

    def is_reached(self, price: Decimal) -> bool:
        return price >= self.price if self.is_rising else price <= self.price

    def distance(self, price: Decimal) -> Decimal:
        """How far the market has to go from there."""
        way = self.price - price if self.is_rising else price - self.price
        return max(NOTHING, way)
