"""Verdicts as the rule cases write them, and how an observed account then stands."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from application.views.account import AccountStatus, status_of
from domain.account.events import (
    AccountEvent,
    AccountExpired,
    AccountWarned,
    ObjectivesMet,
    RuleBreached,
)
from domain.account.state import Account
from domain.rules.adjudicate import Verdict
from domain.rules.course import floors

Row = tuple[str, str, str, str, str]  # label, rule, effect, level, observed


class ObservedView(Struct, frozen=True, kw_only=True):
    """The verdicts are those that these observations brought, in order."""

    account_id: str
    status: AccountStatus
    verdicts: tuple[Row, ...]
    floors: dict[str, Decimal]
    days: int
    position: str
    version: int


def observed_view(
    account: Account, events: Iterable[AccountEvent], position: str, version: int
) -> ObservedView:
    assert account.bridge is not None
    course = account.bridge.course
    assert course is not None, "something has been observed"
    levels = floors(course, account.phase).items()
    return ObservedView(
        account_id=account.account_id,
        status=status_of(account),
        verdicts=tuple(row for event in events for row in rows_of(event)),
        floors={rule: level.amount for rule, level in levels},
        days=len(course.days),
        position=position,
        version=version,
    )


def rows_of(event: AccountEvent) -> Iterator[Row]:
    match event:
        case RuleBreached(source=str(label), breaches=breaches):
            yield from rows(label, Verdict(breaches=breaches))
        case ObjectivesMet(source=str(label), reached=reached):
            yield from rows(label, Verdict(reached=reached))
        case AccountWarned(source=str(label)) | AccountExpired(source=str(label)):
            yield from rows(label, Verdict(struck=event.struck))
        case _:
            return


def rows(label: str, verdict: Verdict) -> Sequence[Row]:
    breaches = [
        (
            label,
            each.limit.id,
            each.limit.effect.value,
            str(each.floor.amount),
            str(each.observed.amount),
        )
        for each in verdict.breaches
    ]
    passes = [
        (
            label,
            each.target.id,
            "pass",
            str(each.level.amount),
            str(each.observed.amount),
        )
        for each in verdict.reached
    ]
    strikes = [
        (
            label,
            each.timer.id,
            each.deadline.strike.value,
            str(each.deadline.days),
            f"{each.deadline.since:%Y-%m-%dT%H:%M:%S}Z",
        )
        for each in verdict.struck
    ]
    return [*breaches, *passes, *strikes]
