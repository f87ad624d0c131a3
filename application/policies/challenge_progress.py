"""A challenge moves with its accounts: on after a pass, else to its end."""

from collections.abc import Callable
from uuid import UUID, uuid5

from application.catalogue import Fact
from application.engine.asks import Ask, Command
from application.engine.memory import Entry
from domain.account.commands import OpenAccount
from domain.account.events import AccountExpired, ObjectivesMet, RuleBreached
from domain.account.state import Account
from domain.challenge.decider import FailPhase, PassPhase
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
        case ObjectivesMet():
            assert isinstance(state, Account)
            if state.challenge_id is None:
                return None
            target = f"challenge-{state.challenge_id}"
            command = PassPhase(account_id=state.account_id)
        case RuleBreached():
            assert isinstance(state, Account)
            # the fact decides: a pause heard late must not end what a breach ended
            verdict = Verdict(breaches=fact.breaches)
            if state.challenge_id is None or not verdict.is_hard:
                return None
            target = f"challenge-{state.challenge_id}"
            command = FailPhase(account_id=state.account_id)
        case AccountExpired():
            assert isinstance(state, Account)
            if state.challenge_id is None:
                return None
            target = f"challenge-{state.challenge_id}"
            command = FailPhase(account_id=state.account_id, is_expired=True)
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
