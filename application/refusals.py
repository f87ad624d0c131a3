"""How the product says no before any rule of the business is asked."""

from domain.values.refusal import Refused


class Unauthenticated(Refused):
    """Nobody is signed in with this token."""


class InvalidCredentials(Refused):
    """E-mail and password do not fit; which of the two is nobody's business."""


class Forbidden(Refused):
    """The caller is known and lacks the role for this."""


class NotFound(Refused):
    """Nothing here carries that id, or it is a stranger's."""


class Waitable(Refused):
    """Not now: the same request may be answered in `retry_after_seconds`."""

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class TooManyRequests(Waitable):
    """More requests than the limit of a window."""

    def __init__(
        self, limit: int, window_seconds: int, retry_after_seconds: int
    ) -> None:
        super().__init__(
            f"at most {limit} in {window_seconds} s",
            retry_after_seconds=retry_after_seconds,
        )
        self.limit = limit
        self.window_seconds = window_seconds


class Busy(Waitable):
    """A bounded queue is full."""


class StoreUnavailable(Waitable):
    """The database does not answer."""


class ProjectionBehind(Waitable):
    """The tables have not reached the wanted position in time."""
