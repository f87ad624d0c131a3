"""How the business says no."""

from msgspec import Struct


class Arithmetic(Struct, frozen=True, kw_only=True):
    """The numbers behind a refusal, so that nobody has to guess them."""

    rule: str
    limit: str
    actual: str
    at: str


class Refused(Exception):
    """A command that breaks a business rule; nothing has changed."""

    arithmetic: Arithmetic | None = None

    def __init__(self, detail: str = "", arithmetic: Arithmetic | None = None) -> None:
        super().__init__(detail)
        self.arithmetic = arithmetic
