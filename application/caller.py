"""Who is asking, and in which roles."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    TRADER = "trader"
    SUPPORT = "support"
    RISK = "risk"
    FINANCE = "finance"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"
    BRIDGE = "bridge"


class Caller(Struct, frozen=True):
    """The person or machine behind a request, once its token was verified."""

    trader_id: str
    roles: frozenset[Role]
    session: str

    def has(self, *roles: Role) -> bool:
        """Whether one of the roles is held; a super admin holds them all."""
        return Role.SUPER_ADMIN in self.roles or not self.roles.isdisjoint(roles)
