"""A breach is looked at again by people: annulled, or, where observed, decided upon.

What has happened stays in the log. An annulled breach was found by quotes that should
not have counted: the account goes on as if they had never been accepted, flat, with
what it would have been closed at.
"""

from msgspec.structs import replace

from domain.account.commands import AnnulBreach, ConfirmBreach, DismissBreach
from domain.account.errors import AccountBridged, AnnulmentRefused, ReviewRefused
from domain.account.events import BreachAnnulled, BreachConfirmed, BreachDismissed
from domain.account.recount import Recount
from domain.account.state import Account, Status, evolve, turn
from domain.rules.adjudicate import at_instant
from domain.values.market import Moment
from domain.values.refusal import Arithmetic


def annul_breach(
    command: AnnulBreach, account: Account, moment: Moment
) -> BreachAnnulled:
    recount = must_be_counted(command.recount, account)
    anew = turned_since(recount, account, moment)
    event = BreachAnnulled(
        at=moment.at,
        tick=moment.tick,
        breach_version=command.breach_version,
        rules=command.rules,
        ticks=command.ticks,
        reason=command.reason,
        by=command.by,
        restored=recount.restored,
        correction=recount.balance - account.balance,
        balance=recount.balance,
        marks=anew.marks,
        record=anew.record,
        paused=tuple(sorted(anew.paused)),
    )
    must_stand(evolve(account, event), moment)
    return event


def must_be_counted(recount: Recount | None, account: Account) -> Recount:
    if account.bridge is not None:
        raise AccountBridged(account.account_id)
    if account.status is not Status.BREACHED or recount is None:
        raise AnnulmentRefused("the account is not breached")
    if account.positions:
        raise AnnulmentRefused("what was open still waits for its market to open")
    return recount


def turned_since(recount: Recount, account: Account, moment: Moment) -> Account:
    """Nobody has told it of days while it was over: it was flat on all of them."""
    account = replace(
        account,
        status=Status.ACTIVE,
        balance=recount.balance,
        marks=recount.marks,
        record=recount.record,
        paused=recount.paused,
    )
    day = account.phase.trading_day
    boundary = day.next_after(recount.at)
    while boundary <= moment.at:
        account = turn(account, Moment(boundary, recount.tick, moment.market))
        boundary = day.next_after(boundary)
    return account


def must_stand(after: Account, moment: Moment) -> None:
    """A floor that is crossed without those quotes too would end it again at once."""
    standing = after.standing(moment.market)
    _, verdict = at_instant(after.phase, standing, moment.tick, moment.at)
    if verdict.is_hard:
        crossed = verdict.breaches[0]
        raise AnnulmentRefused(
            f"{crossed.limit.id} is crossed without those quotes too",
            Arithmetic(
                rule=crossed.limit.id,
                limit=str(crossed.floor.amount),
                actual=str(crossed.observed.amount),
                at=f"{moment.at:%Y-%m-%dT%H:%M:%S.%f}Z",
            ),
        )


def confirm_breach(
    command: ConfirmBreach, account: Account, moment: Moment
) -> BreachConfirmed:
    must_be_under_review(account)
    return BreachConfirmed(
        at=moment.at,
        tick=moment.tick,
        breach_version=command.breach_version,
        rules=command.rules,
        reason=command.reason,
        by=command.by,
    )


def dismiss_breach(
    command: DismissBreach, account: Account, moment: Moment
) -> BreachDismissed:
    must_be_under_review(account)
    return BreachDismissed(
        at=moment.at,
        tick=moment.tick,
        breach_version=command.breach_version,
        rules=command.rules,
        reason=command.reason,
        by=command.by,
    )


def must_be_under_review(account: Account) -> None:
    if account.status is not Status.UNDER_REVIEW:
        raise ReviewRefused(account.account_id)
