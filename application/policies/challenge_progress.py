"""A challenge moves with its accounts: on after a pass, else to its end."""

from collections.abc import Callable
from typing import assert_never
from uuid import UUID, uuid5

from application.catalogue import Fact
from application.engine.asks import Ask, Command
from application.engine.memory import Entry
from domain.account.commands import OpenAccount
from domain.account.events import (
    AccountExpired,
    BreachAnnulled,
    BreachConfirmed,
    ObjectivesMet,
    RuleBreached,
)
from domain.account.state import Account
from domain.challenge.decider import (
    ChallengeCommand,
    FailPhase,
    PassPhase,
    ReinstatePhase,
)
from domain.challenge.events import PhaseStarted
from domain.challenge.state import Challenge
from domain.rules.adjudicate import Verdict
from domain.values.money import Money

NAME = "challenge-progress"
NAMESPACE = UUID("3f0d5a0e-4a3e-5f6b-9f55-0c4b7d6a2c11")

LEADS_ON = (  # what `react` may answer to
    PhaseStarted,
    ObjectivesMet,
    RuleBreached,
    AccountExpired,
    BreachConfirmed,
    BreachAnnulled,
)

Ending = (
    ObjectivesMet | RuleBreached | AccountExpired | BreachConfirmed | BreachAnnulled
)
Lookup = Callable[[str], Entry | None]


def react(position: str, stream: str, fact: Fact, lookup: Lookup) -> Ask | None:
    """`position` names the event once and for all: hearing it twice asks once."""
    entry = lookup(stream)
    state = entry.state if entry else None
    target: str
    command: Command
    match fact:
        case PhaseStarted():
            assert isinstance(state, Challenge)
            target, command = f"account-{fact.account_id}", opening(state, fact)
        case (
            ObjectivesMet()
            | RuleBreached()
            | AccountExpired()
            | BreachConfirmed()
            | BreachAnnulled()
        ):
            assert isinstance(state, Account)
            step = step_of(fact, state.account_id)
            if state.challenge_id is None or step is None:
                return None
            target, command = f"challenge-{state.challenge_id}", step
        case _:
            return None
    return Ask(
        stream=target,
        command=command,
        actor=f"policy:{NAME}",
        owner=None,
        request_id=position,
        causation=position,
        command_id=uuid5(NAMESPACE, f"{NAME}\n{position}"),
    )


def step_of(fact: Ending, account_id: str) -> ChallengeCommand | None:
    match fact:
        case ObjectivesMet():
            return PassPhase(account_id=account_id)
        case RuleBreached():
            # the fact decides: a pause heard late must not end what a breach ended
            is_hard = Verdict(breaches=fact.breaches).is_hard
            if not is_hard or fact.opens_review:
                return None
            return FailPhase(account_id=account_id)
        case BreachConfirmed():
            return FailPhase(account_id=account_id)
        case AccountExpired():
            return FailPhase(account_id=account_id, is_expired=True)
        case BreachAnnulled():
            return ReinstatePhase(account_id=account_id)
        case _:
            assert_never(fact)


def opening(challenge: Challenge, started: PhaseStarted) -> OpenAccount:
    terms = challenge.terms
    return OpenAccount(
        account_id=started.account_id,
        trader_id=challenge.trader_id,
        challenge_id=challenge.challenge_id,
        venue_id=challenge.venue_id,
        deposit=Money.rounded(challenge.deposit, terms.currency),
        phase=terms.phase(started.phase),
        terms_hash=challenge.terms_hash,
    )
