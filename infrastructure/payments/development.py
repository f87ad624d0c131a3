"""Pays at once, with nobody's money: for development and tests only."""

from decimal import Decimal

from application.payments import PaymentRefused


class DevelopmentPayments:
    def __init__(self, *, is_allowed: bool) -> None:
        self._is_allowed = is_allowed

    async def charge(
        self,
        order_id: str,
        price: Decimal,  # noqa: ARG002 - part of the port
        currency: str,  # noqa: ARG002 - likewise
        method: str,
    ) -> str:
        if not self._is_allowed or method != "dev":
            raise PaymentRefused("this way of paying exists in development only")
        return f"dev-{order_id}"
