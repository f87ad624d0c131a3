"""A row a begun phase of a challenge, and the account that serves it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Struct
from msgspec.structs import replace

from domain.challenge.events import (
    ChallengeBreached,
    ChallengeExpired,
    ChallengeReinstated,
    PhasePassed,
    PhaseStarted,
)
from projections.table import Projection, Rows, Table, Wanted, says
from projections.told import Told

Status = Literal["active", "passed", "breached", "expired"]


class Phase(Struct, frozen=True):
    account_id: Annotated[str, says("The account that serves this phase, and no other")]
    challenge_id: Annotated[str, says("The challenge")]
    number: Annotated[int, says("Version of the challenge that began it: sorts them")]
    phase: Annotated[str, says("The phase's name in the terms")]
    status: Annotated[Status, says("How it stands")]
    started_at: Annotated[datetime, says("Engine time of its beginning")]
    ended_at: Annotated[
        datetime | None, says("When it was passed, breached or expired")
    ]


TABLE = Table(
    "phases",
    Phase,
    key="account_id",
    comment="A row a begun phase of a challenge",
    indexes=("(challenge_id, number)",),
    fillfactor=80,
)

Ending = PhasePassed | ChallengeBreached | ChallengeExpired
ENDS: dict[type[Ending], Status] = {
    PhasePassed: "passed",
    ChallengeBreached: "breached",
    ChallengeExpired: "expired",
}


def wanted(page: Sequence[Told]) -> Wanted:
    facts = (each.fact for each in page)
    return Wanted(
        frozenset(
            f.account_id for f in facts if isinstance(f, Ending | ChallengeReinstated)
        )
    )


def fold(rows: Rows[Phase], told: Told) -> None:
    fact = told.fact
    match fact:
        case PhaseStarted():
            rows.put(fact.account_id, started(told, fact))
        case ChallengeReinstated():
            phase = rows.get(fact.account_id)
            assert phase is not None, "a phase ends after it began"
            rows.put(fact.account_id, replace(phase, status="active", ended_at=None))
        case PhasePassed() | ChallengeBreached() | ChallengeExpired():
            phase = rows.get(fact.account_id)
            assert phase is not None, "a phase ends after it began"
            status = ENDS[type(fact)]
            rows.put(fact.account_id, replace(phase, status=status, ended_at=fact.at))


def started(told: Told, fact: PhaseStarted) -> Phase:
    return Phase(
        account_id=fact.account_id,
        challenge_id=told.subject,
        number=told.version,
        phase=fact.phase,
        status="active",
        started_at=fact.at,
        ended_at=None,
    )


HEARS = (PhaseStarted, *ENDS, ChallengeReinstated)
PHASES = Projection(TABLE, HEARS, wanted, fold)
