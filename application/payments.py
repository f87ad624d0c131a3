"""How the firm is paid for a challenge."""

from decimal import Decimal
from typing import Protocol

from domain.values.refusal import Refused


class PaymentRefused(Refused):
    """The payment was not confirmed; nothing was sold."""


class Payments(Protocol):
    async def charge(
        self, order_id: str, price: Decimal, currency: str, method: str
    ) -> str:
        """Give the provider's reference once paid; the same order is charged once."""
        ...
