"""Every answer held against what is stored at the moment it arrives."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from application.engine.asks import Answer, Ask, KeyReused, Poisoned, TakeQuotes
from application.engine.deciding import LIVE
from application.parked import RetryParked, SkipParked
from application.refusals import NotFound, Waitable
from domain.account.commands import ClosePosition, OpenPosition
from domain.challenge.decider import PurchaseChallenge
from tests.simulation.curse import Riddle
from tests.simulation.journal import POISON
from tests.simulation.model import Model
from tests.simulation.promises import Broken, Facts, instant, must

Told = Answer | BaseException | None  # None: nobody knows what became of it
ANOTHER_BODY: Final = b"another body"
FAST: Final = timedelta(seconds=1)  # no machine's clock is further ahead
OVER: Final = {
    "account-breached": {"breached"},
    "account-frozen": {"frozen"},
    "account-closed": {"passed", "expired"},
}


class Answers:
    def __init__(self, model: Model, now: Callable[[], datetime]) -> None:
        self._model = model
        self._now = now
        self.answered = self.refused = self.unknown = 0
        self.acknowledged = 0  # the highest position that anybody was told
        self.doubtful: dict[str, Ask] = {}  # sent, and nobody knows what became of it
        self.retried: dict[str, set[str]] = defaultdict(set)  # and under which ids
        self.digest = sha256()  # of whatever was told, in its order
        self._first: dict[str, Answer] = {}  # by command id, for those that are kept

    def hear(self, ask: Ask, told: Told, known: int, *, was_there: bool) -> None:
        """`known` is what had been acknowledged to anybody when it was sent."""
        shown = told.body if isinstance(told, Answer) else repr(told).encode()
        self.digest.update(ask.request_id.encode() + shown)
        match told:
            case Answer():
                self._answered(ask, told, known)
            case None | Waitable():
                self.unknown += 1
                if str(ask.command_id) not in self._first:
                    self.doubtful[str(ask.command_id)] = ask
            case Poisoned():
                is_baffling = isinstance(told.__cause__, Riddle)
                must(is_baffling or is_poisoned(ask), "parked for no reason:", ask)
                self._has_no_effect(ask)
            case NotFound():
                must(not was_there, "not found, though acknowledged:", ask)
                self._has_no_effect(ask)
            case KeyReused():
                must(ask.request_hash == ANOTHER_BODY, "no key was reused:", ask)
            case fault:
                raise Broken(f"{ask.request_id}: {fault!r}") from fault

    def _answered(self, ask: Ask, answer: Answer, known: int) -> None:
        self.answered += 1
        self.refused += answer.is_refused
        must(answer.position <= self._model.position, "beyond the log:", answer)
        if not answer.is_replayed:
            must(answer.position >= known, "an answer from the past:", ask, answer)
            must(answer.is_refused or not is_poisoned(ask), "it was poison:", ask)
        self.doubtful.pop(str(ask.command_id), None)
        if ask.is_kept:
            first = self._first.setdefault(str(ask.command_id), answer)
            must(ask.request_hash != ANOTHER_BODY, "a reused key was answered:", ask)
            told = (answer.body, answer.is_refused)
            must((first.body, first.is_refused) == told, "two answers:", first, answer)
        self.acknowledged = max(self.acknowledged, answer.position)
        if not answer.is_refused:
            self._has_its_effect(ask, answer)
            return
        if ask.is_kept or not answer.is_replayed:
            self._has_no_effect(ask)
        self._is_justified(ask, answer)

    def _has_no_effect(self, ask: Ask) -> None:
        _, direct = self._model.effects.get(str(ask.command_id), (0, []))
        must(not direct, "refused, and done:", ask)

    def _has_its_effect(self, ask: Ask, answer: Answer) -> None:
        told, model = msgspec.json.decode(answer.body), self._model
        match ask.command:
            case OpenPosition(trade_id=trade_id):
                trade = model.trades.get(told["trade_id"])
                if trade is None:
                    raise Broken(f"acknowledged, not stored: {ask}")
                must(str(trade["price"]) == told["open_price"], "other price:", ask)
                if ask.natural_id is None:
                    must(told["trade_id"] == trade_id, "another trade:", ask)
            case TakeQuotes(venue_id=venue_id, quotes=quotes):
                stored = model.venues[venue_id]["told"]
                for sent, result in zip(quotes, told["results"], strict=True):
                    if result["accepted"]:
                        quoted = (sent.symbol, Decimal(sent.bid), Decimal(sent.ask))
                        must(stored[result["sequence"]] == quoted, "not stored:", sent)
                if venue_id != LIVE:
                    self._all_are_judged(model.venues[venue_id], told)
            case ClosePosition() | PurchaseChallenge():
                name = str(ask.command_id)
                is_done = not model.effects.keys().isdisjoint(
                    {name} | self.retried[name]
                )
                must(is_done, "acknowledged, not stored:", ask)
            case RetryParked(parked_id=parked_id) | SkipParked(parked_id=parked_id):
                how, _ = model.decided.get(parked_id, ("not at all", 0))
                must(how == told["status"], "decided", how, "not", told["status"])

    def _all_are_judged(self, venue: Facts, told: Facts) -> None:
        """Whoever leads a sandbox is answered once nothing is left to be decided."""
        sequences = [each["sequence"] or 0 for each in told["results"]]
        last = (max(sequences, default=0), instant(told["now"]))
        for name in self._model.book.pending:
            account = self._model.accounts[name]
            if account["venue"] is venue:
                when, _ = account["expected"][0]
                must(when > last, "answered before", name, "was judged by", when)

    def _is_justified(self, ask: Ask, answer: Answer) -> None:
        code, at = msgspec.json.decode(answer.body)["code"], answer.position
        account = self._model.accounts.get(ask.stream.partition("-")[2])
        match code:
            case "account-breached" | "account-frozen" | "account-closed":
                assert account is not None
                over_at = account["over_at"]
                must(over_at is not None and over_at <= at, code, "is wrong:", ask)
                must(account["status"] in OVER[code], code, "is wrong:", ask)
            case "account-paused":
                assert account is not None
                pauses = account["pauses"]
                is_paused = any(a <= at and (b is None or b >= at) for a, b in pauses)
                must(is_paused, code, "is wrong:", ask, pauses)
            case "trade-not-open":
                assert isinstance(ask.command, ClosePosition)
                trade = self._model.trades.get(ask.command.trade_id)
                if trade is not None and trade["opened_at"] <= at:
                    closed_at = trade["closed_at"]
                    is_closed = closed_at is not None and closed_at <= at
                    must(is_closed, "it is open:", ask, answer)
            case "market-closed":
                assert account is not None
                self._was_closed(ask, account, at)
            case "parked-settled":
                assert isinstance(ask.command, RetryParked | SkipParked)
                _, decided_at = self._model.decided[ask.command.parked_id]
                must(decided_at <= at, "nobody has decided:", ask)
            case "not-the-current-account" | "challenge-over":
                raise Broken(f"{code}: {ask}")

    def _was_closed(self, ask: Ask, account: Facts, position: int) -> None:
        venue = account["venue"]
        match ask.command:
            case OpenPosition(symbol=symbol):
                pass
            case ClosePosition(trade_id=trade_id):
                symbol = self._model.trades[trade_id]["symbol"]
            case other:
                raise Broken(f"a closed market, for {other}")
        until = max(venue["clock"], venue["heard_at"])
        if venue["name"] == LIVE:
            until = max(until, self._now() + FAST)
        was_open = self._model.was_open(venue, symbol, position, until)
        must(not was_open, symbol, "was open:", ask)


def is_poisoned(ask: Ask) -> bool:
    command = ask.command
    if not isinstance(command, OpenPosition) or command.client_order_id is None:
        return False
    return POISON in command.client_order_id.encode()
