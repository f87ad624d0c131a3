"""Four hundred sequences whose truth is known: the gate believes none that is false."""

from collections import Counter
from datetime import timedelta

import pytest

from domain.account.events import RuleBreached
from domain.venue.gate import LIVE_GATE, Admitted, GateState, admit
from tests.stories.facts import MAX_LOSS, opening, trade
from tests.stories.gate.labelled import Said, Sequence, labelled
from tests.stories.story import Quoted, Told

SEQUENCES = tuple(labelled())


class Judged:
    """An account that trades from the first quote on, behind a live venue's gate."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self.state = GateState()
        self.told = Told.beginning(sequence.begins, (sequence.instrument,))
        self.told = self.told.next(opening(MAX_LOSS))
        self.admitted: list[Said] = []
        self.breached_by: list[Said] = []
        for said in sequence.quotes:
            self.hear(said)
            if len(self.admitted) == 1 and not self.told.opened.positions:
                order = trade(sequence.side, str(sequence.quantity), sequence.symbol)
                self.told = self.told.next(order)

    def hear(self, said: Said) -> None:
        sequence = self.sequence
        raw = sequence.raw(said)
        now = raw.at + timedelta(milliseconds=said.delay)
        verdict = admit(raw, sequence.instrument, self.state, now, LIVE_GATE)
        self.state = verdict.state
        if not isinstance(verdict, Admitted):
            return
        self.admitted.append(said)
        self.told = self.told.next(Quoted(sequence.symbol, said.bid, said.ask, now))
        if any(isinstance(each, RuleBreached) for each in self.told.events):
            self.breached_by.append(said)


@pytest.fixture(scope="module")
def judged() -> tuple[Judged, ...]:
    return tuple(map(Judged, SEQUENCES))


def test_there_are_enough_of_each_kind() -> None:
    kinds = Counter(each.kind for each in SEQUENCES)
    assert len(SEQUENCES) >= 400
    assert sum(each.breach for each in SEQUENCES) >= 150
    assert kinds["weekend gap"] >= 30
    assert kinds["one tick spike"] >= 30
    assert len({each.id for each in SEQUENCES}) == len(SEQUENCES)


def test_no_quote_that_is_false_is_believed(judged: tuple[Judged, ...]) -> None:
    believed = {
        each.sequence.id
        for each in judged
        for said in each.admitted
        if not said.is_market
    }
    assert believed == set()


def test_no_account_is_breached_by_what_was_not_so(judged: tuple[Judged, ...]) -> None:
    false = {e.sequence.id for e in judged if e.breached_by and not e.sequence.breach}
    assert false == set()


def test_no_gap_of_the_market_is_missed(judged: tuple[Judged, ...]) -> None:
    missed = {e.sequence.id for e in judged if e.sequence.breach and not e.breached_by}
    assert missed == set()


def test_without_a_gate_most_of_the_false_ones_would_have_ended_an_account() -> None:
    """The set can fail: it is the gate that keeps these accounts alive."""
    lethal = [
        each
        for each in SEQUENCES
        if not each.breach
        and any(is_lethal(each, said) for said in each.quotes if not said.is_market)
    ]
    assert len(lethal) >= 150


def is_lethal(sequence: Sequence, said: Said) -> bool:
    try:
        return sequence.is_beyond(said)
    except ArithmeticError:
        return False
