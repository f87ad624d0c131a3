"""A breach that was looked at again, as whoever decided it is answered."""

from decimal import Decimal

from msgspec import Struct

from application.views.account import AccountStatus, status_of
from domain.account.events import BreachAnnulled, ReviewEvent
from domain.account.state import Account


class ReviewView(Struct, frozen=True, kw_only=True):
    account_id: str
    status: AccountStatus
    rules: tuple[str, ...]
    balance: Decimal
    correction: Decimal | None  # of what was closed at quotes that do not count
    reason: str
    position: str
    version: int


def review_view(
    event: ReviewEvent, account: Account, position: str, version: int
) -> ReviewView:
    correction = event.correction.amount if isinstance(event, BreachAnnulled) else None
    return ReviewView(
        account_id=account.account_id,
        status=status_of(account),
        rules=event.rules,
        balance=account.balance.amount,
        correction=correction,
        reason=event.reason,
        position=position,
        version=version,
    )
