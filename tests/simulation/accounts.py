"""What must become of every account: fills, marks and verdicts, from quotes alone.

Plain dicts and decimals, slow and separate from what the product does.
"""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from application.engine.journal import Recorded
from tests.laws.naive_adjudicator import floor, raise_marks
from tests.simulation.costs import (
    held_together,
    level_of,
    margin_of,
    nights_of,
    rate_of,
    rolls_next,
)
from tests.simulation.curse import raises
from tests.simulation.hours import in_one_session, next_boundary, session_of
from tests.simulation.promises import Facts, cents, money, must

Expected = tuple[Any, ...]
When = tuple[int, datetime]  # the last tick, and engine time
JUST_AFTER: Final = timedelta(microseconds=1)
LOSSES: Final = {"daily", "max"}
TIMERS: Final = {"time_limit", "inactivity"}
VERDICTS: Final = {
    "account.rule-breached/1",
    "account.objectives-met/1",
    "account.expired/1",
}


class Accounts:
    def __init__(self) -> None:
        self.known: dict[str, Facts] = {}
        self.trades: dict[str, Facts] = {}
        self.pending: dict[str, None] = {}  # whose verdict or fill is due
        self.position = 0  # of the fact that is being taken
        self._client_orders: set[tuple[str, str]] = set()

    # -- what is stored -----------------------------------------------------------

    def due(self) -> list[str]:
        """Whose verdict or fill has to come next, before all else."""
        return [name for name in self.pending if not self._may_wait(name)]

    def _may_wait(self, name: str) -> bool:
        is_late: bool = self.known[name]["venue"]["is_late"]
        return is_late

    def take(self, event: Recorded, fact: Facts, venue: Facts, when: When) -> None:
        name = event.stream.partition("-")[2]
        if event.name == "account.opened/1":
            must(name not in self.known, name, "was opened before")
            self._open_account(name, fact, venue)
            return
        account = self.known[name]
        if account["expected"]:
            self._as_expected(account, event, fact, when)
            return
        must(not self.due(), "a verdict was due before", event.position)
        must(not account["ended"], "trading on", name, "which is over")
        if event.name == "account.position-opened/1":
            self._open_position(account, fact)
        else:
            is_close = event.name == "account.position-closed/1"
            must(is_close, event.name, "out of nowhere")
            self._close_position(account, fact)
        self._judge_command(account)

    def _as_expected(
        self, account: Facts, event: Recorded, fact: Facts, when: When
    ) -> None:
        instant, expected = account["expected"].popleft()
        must(when == instant, event.name, "as of", when, "not", instant)
        must(expected == shown(event.name, fact), "expected", expected, "not", fact)
        if not account["expected"]:
            del self.pending[account["name"]]
        if account["ended"] and account["over_at"] is None:
            account["over_at"] = event.position
        if event.name in VERDICTS:
            account["verdict_at"] = event.position
        if event.name == "account.rule-breached/1" and not account["ended"]:
            account["pauses"].append([event.position, None])

    def _judge_command(self, account: Facts) -> None:
        tick = account["venue"]["sequence"]
        must(not raises(account["name"], tick), "judged, though that raises")
        self._observe(account)
        self._judge(account)

    def _open_account(self, name: str, fact: Facts, venue: Facts) -> None:
        deposit, rules = money(fact["deposit"]), fact["phase"]["rules"]
        losses = [rule for rule in rules if rule["kind"] in LOSSES]
        account = self.known[name] = {
            "name": name,
            "venue": venue,
            "challenge": fact["challenge_id"],
            "phase": fact["phase"]["name"],
            "trading": fact["phase"].get("trading"),
            "called": False,
            "deposit": deposit,
            "rules": rules,
            "losses": losses,
            "timers": [rule for rule in rules if rule["kind"] in TIMERS],
            "active_at": venue["clock"],
            "opened_at": venue["clock"],
            "warned": set(),  # rule, and since when it had run
            "balance": deposit,
            "equity": deposit,
            "peak_balance": deposit,
            "peak_equity": deposit,
            "day_balance": deposit,
            "day_equity": deposit,
            "mark": {rule["id"]: deposit for rule in losses},
            "positions": {},
            "closing": set(),  # must close, and wait for a market that is open
            "touched": frozenset(),
            "days": set(),
            "paused": set(),
            "pauses": [],
            "status": "active",
            "ended": False,
            "over_at": None,
            "verdict_at": None,
            "expected": deque(),
            "day": tuple(fact["phase"]["reset"]),
        }
        venue["accounts"][name] = account
        day = account["day"]
        if day not in venue["due"]:
            venue["due"][day] = next_boundary(day, venue["clock"])
        venue["turning"].setdefault(day, {})[name] = None
        self._wind(account)
        self._judge_command(account)

    def _open_position(self, account: Facts, fact: Facts) -> None:
        told, venue = fact["position"], account["venue"]
        trade_id, symbol = told["trade_id"], told["symbol"]
        must(not account["paused"], "a trade in a pause")
        must(trade_id not in self.trades, trade_id, "was opened before")
        self._must_trade(venue, symbol)
        instrument = venue["instruments"][symbol]
        bid, ask = venue["quotes"][symbol]
        quantity = Decimal(told["quantity"])
        price = ask if told["side"] == "buy" else bid
        must(Decimal(told["open_price"]) == price, trade_id, "filled beside the market")
        commission = cents(Decimal(instrument["commission_per_lot"]) * quantity)
        account["balance"] -= commission
        must(money(fact["balance"]) == account["balance"], "balance after", trade_id)
        client_order = told["client_order_id"]
        if client_order is not None:
            order = (account["name"], client_order)
            must(order not in self._client_orders, "a client order id fills twice")
            self._client_orders.add(order)
        limits = {
            each: Decimal(told[each]) if told[each] else None
            for each in ("stop_loss", "take_profit")
        }
        trade = self.trades[trade_id] = {
            "trade": trade_id,
            "account": account["name"],
            "symbol": symbol,
            "side": told["side"],
            "quantity": quantity,
            "price": price,
            "units": Decimal(instrument["contract_size"]),
            "currency": instrument["currency"],
            "instrument": instrument,
            "margin": margin_of(instrument, quantity, price, venue["quotes"]),
            "opened_at": self.position,
            "closed_at": None,
            **limits,
        }
        must(money(told["margin"]) == trade["margin"], "margin", told)
        trade["rolls_at"] = rolls_next(account, trade, venue["clock"])
        account["positions"][trade_id] = trade
        account["days"].add(fact["trading_day"])
        self._touch(account)
        self._was_active(account)

    def _close_position(self, account: Facts, fact: Facts) -> None:
        must(fact["reason"] == "trader", "a fill that nobody asked for", fact)
        (fill,) = fact["fills"]
        closed = fill["closed"]
        trade = account["positions"].get(closed["trade_id"])
        must(trade is not None, "not open:", closed["trade_id"])
        self._must_trade(account["venue"], trade["symbol"])
        quantity = Decimal(closed["quantity"])
        must(0 < quantity <= trade["quantity"], "more closed than was open")
        profit = self._profit(account, trade, quantity)
        must(money(closed["profit"]) == profit, "profit", closed, "not", profit)
        self._reduce(account, trade, quantity, profit)
        must(money(fact["balance"]) == account["balance"], "balance", fact)

    @staticmethod
    def _must_trade(venue: Facts, symbol: str) -> None:
        sessions, now = venue["instruments"][symbol]["sessions"], venue["clock"]
        must(session_of(sessions, now) is not None, symbol, "is closed at", now)
        if (most := venue["stale_after"]) is not None:
            age = (now - venue["quoted_at"][symbol]).total_seconds()
            must(age <= most, "the quote of", symbol, "is", age, "seconds old")

    # -- what follows ---------------------------------------------------------------

    def witness(self, account: Facts, symbol: str) -> None:
        """A quote of `symbol`: first what had to close, then stops, then the rules."""
        if self._baffles(account):
            self._observe(account)
            self._freeze(account)
            return
        if self._liquidate(account, symbol):
            self._observe(account)
        if account["ended"]:
            self._leave(account)
            return
        bid, ask = account["venue"]["quotes"][symbol]
        due = [
            (reason, trade)
            for trade in account["positions"].values()
            if trade["symbol"] == symbol and self._is_tradable(account, trade)
            if (reason := reached(trade, bid, ask)) is not None
        ]
        before = account["venue"]["before"]
        due.sort(key=lambda each: way(each[1], each[0], before))  # the rest as opened
        for reason, trade in due:
            quantity = trade["quantity"]
            profit = self._profit(account, trade, quantity)
            self._reduce(account, trade, quantity, profit)
            fills = ((trade["trade"], quantity, profit),)
            self._expect(account, "closed", reason, fills, account["balance"])
            self._observe(account)
        self._observe(account)
        self._judge(account)

    def turn(self, account: Facts) -> None:
        """The account's day ends, with quotes or without."""
        equity = account["equity"] = self.equity(account)
        closing = self._crossed(account, "eod")
        self._anchor_anew(account, account["balance"], equity)
        if self._baffles(account):
            self._freeze(account)
        else:
            self._judge(account, closing, presses=False)

    def _anchor_anew(self, account: Facts, balance: Decimal, equity: Decimal) -> None:
        mark = account["mark"]
        for rule in account["losses"]:
            name = rule["id"]
            if rule["kind"] == "daily":
                mark[name] = {
                    "balance": balance,
                    "equity": equity,
                    "trail_equity": equity,
                    "max": max(balance, equity),
                    "initial": account["deposit"],
                }[rule["anchor"]]
            elif rule["hwm_on"] == "eod_balance":
                mark[name] = max(mark[name], balance)
            elif rule["hwm_on"] == "eod_max":
                mark[name] = max(mark[name], balance, equity)
        account["day_balance"], account["day_equity"] = balance, equity
        account["paused"] = set()
        for pause in account["pauses"]:
            pause[1] = pause[1] or self.position

    def time_out(self, account: Facts) -> None:
        """A deadline has come: an end is told without the warnings of its instant."""
        if self._baffles(account):
            self._freeze(account)
            return
        at = account["venue"]["timers"][account["name"]]
        if self._roll(account, at):
            self._observe(account)
            self._judge(account)
            if account["ended"]:
                return
        found = sorted(each[1:] for each in deadlines(account) if each[0] <= at)
        ends = [each for each in found if each[1] == "expire"]
        told = tuple(ends or found)
        if not told:
            return
        if ends:
            self._expect(account, "expired", told, account["balance"])
            self._end(account, "expired")
        else:
            self._expect(account, "warned", told)
            account["warned"] |= {(rule, since) for rule, _, since, _ in told}
            self._wind(account)
        if self._liquidate(account) and not account["ended"]:
            self._observe(account)
            self._judge(account)
        self._leave(account)

    def equity(self, account: Facts) -> Decimal:
        floating = (
            self._profit(account, trade, trade["quantity"])
            for trade in account["positions"].values()
        )
        return sum(floating, account["balance"])

    @staticmethod
    def _baffles(account: Facts) -> bool:
        is_over, tick = account["ended"], account["venue"]["sequence"]
        return not is_over and raises(account["name"], tick)

    def _freeze(self, account: Facts) -> None:
        """Judging it raises: it stays as it stands, and others go on."""
        closing = account["closing"]
        self._expect(account, "quarantined", "Riddle")
        self._end(account, "frozen")
        account["closing"] = closing
        self._leave(account)

    def _reduce(
        self, account: Facts, trade: Facts, quantity: Decimal, profit: Decimal
    ) -> None:
        account["balance"] += profit
        trade["margin"] -= cents(trade["margin"] * quantity / trade["quantity"])
        trade["quantity"] -= quantity
        if not trade["quantity"]:
            trade["closed_at"] = self.position
            del account["positions"][trade["trade"]]
            account["closing"].discard(trade["trade"])
            self._touch(account)
        self._was_active(account)

    @staticmethod
    def _touch(account: Facts) -> None:
        touched = set()
        for trade in account["positions"].values():
            touched.add(trade["symbol"])
            if trade["currency"] == "JPY":
                touched.add("USDJPY")
        account["touched"] = frozenset(touched)

    @staticmethod
    def _profit(account: Facts, trade: Facts, quantity: Decimal) -> Decimal:
        quotes = account["venue"]["quotes"]
        bid, ask = quotes[trade["symbol"]]
        if trade["side"] == "buy":
            gain = (bid - trade["price"]) * quantity * trade["units"]
        else:
            gain = (trade["price"] - ask) * quantity * trade["units"]
        if trade["currency"] == "JPY":  # sold for dollars at the ask, bought at the bid
            bid, ask = quotes["USDJPY"]
            gain /= ask if gain > 0 else bid
        return cents(gain)

    @staticmethod
    def _is_tradable(account: Facts, trade: Facts) -> bool:
        """A market that has opened again has no price before its first quote."""
        venue, symbol = account["venue"], trade["symbol"]
        sessions = venue["instruments"][symbol]["sessions"]
        return in_one_session(sessions, venue["quoted_at"][symbol], venue["clock"])

    def _observe(self, account: Facts) -> None:
        equity = account["equity"] = self.equity(account)
        if account["ended"]:
            return
        account["peak_balance"] = max(account["peak_balance"], account["balance"])
        account["peak_equity"] = max(account["peak_equity"], equity)
        raise_marks(account, account["losses"])

    def _judge(
        self,
        account: Facts,
        closing: tuple[Expected, ...] = (),
        *,
        presses: bool = True,
    ) -> None:
        """A hard breach beats a pass; a pause closes all, and that is judged too."""
        if account["ended"]:
            return
        breaches, goals = closing, tuple[str, ...]()
        if not is_hard(closing):
            now = self._crossed(account, "tick")
            breaches = (*closing, *now)
            goals = () if is_hard(now) else self._goals(account)
            account["paused"] |= {each[2] for each in now if each[3] == "pause"}
        if presses and not breaches and self._press(account):
            self._observe(account)
            self._judge(account)
            return
        if not breaches and not goals:
            return
        if breaches:
            told = tuple((name, level, seen) for _, _, name, _, level, seen in breaches)
            self._expect(account, "breached", told)
            account["closing"] = set(account["positions"])
        if goals:
            self._expect(account, "met", goals, account["balance"])
        if goals or is_hard(breaches):
            self._end(account, "passed" if goals else "breached")
        fills = self._liquidate(account)
        self._observe(account)
        if fills and not account["ended"]:
            self._judge(account)
        self._leave(account)

    def _roll(self, account: Facts, at: datetime) -> bool:
        """Whoever holds over this instant pays for it, or is paid."""
        paid = []
        for trade in account["positions"].values():
            if trade["rolls_at"] is None or trade["rolls_at"] > at:
                continue
            nights = nights_of(account, trade, trade["rolls_at"])
            amount = cents(rate_of(trade) * trade["quantity"] * nights)
            trade["rolls_at"] = rolls_next(account, trade, trade["rolls_at"])
            account["balance"] += amount
            paid.append((trade["trade"], amount))
        if paid:
            self._expect(account, "swap", tuple(paid), account["balance"])
            self._wind(account)
        return bool(paid)

    def _press(self, account: Facts) -> bool:
        """Call for margin once; at the lower level close the worst, and look again."""
        terms, held = account["trading"], account["positions"]
        if terms is None or not (held or account["called"]):
            return False
        equity, margin = account["equity"], held_together(held.values())
        level = level_of(margin, terms["margin_call"])
        is_called = bool(held) and equity <= level
        if is_called != account["called"]:
            account["called"] = is_called
            self._expect(account, "called" if is_called else "restored", equity, level)
        fills: list[Expected] = []
        left = [each for each in held.values() if self._is_tradable(account, each)]
        while left and self._is_stopped(account):
            worst = min(left, key=lambda t: self._profit(account, t, t["quantity"]))
            left.remove(worst)
            quantity = worst["quantity"]
            profit = self._profit(account, worst, quantity)
            fills.append((worst["trade"], quantity, profit))
            self._reduce(account, worst, quantity, profit)
        if fills:
            told = tuple(fills)
            self._expect(account, "closed", "stop_out", told, account["balance"])
        return bool(fills)

    def _is_stopped(self, account: Facts) -> bool:
        margin = held_together(account["positions"].values())
        level = level_of(margin, account["trading"]["stop_out"])
        return self.equity(account) <= level

    def _end(self, account: Facts, status: str) -> None:
        account["ended"], account["status"] = True, status
        account["closing"] = set(account["positions"])
        venue, name, day = account["venue"], account["name"], account["day"]
        venue["timers"].pop(name, None)
        venue["turning"][day].pop(name)
        if not venue["turning"][day]:
            del venue["turning"][day], venue["due"][day]

    @staticmethod
    def _leave(account: Facts) -> None:
        """No quote concerns it any more, once nothing waits to be closed."""
        if account["ended"] and not account["closing"]:
            account["venue"]["accounts"].pop(account["name"], None)

    def _liquidate(self, account: Facts, only: str | None = None) -> bool:
        """Close what must, where the market is open; the rest goes on waiting."""
        due = [
            trade
            for trade in account["positions"].values()
            if trade["trade"] in account["closing"]
            and only in (None, trade["symbol"])
            and self._is_tradable(account, trade)
        ]
        fills = tuple(
            (
                trade["trade"],
                trade["quantity"],
                self._profit(account, trade, trade["quantity"]),
            )
            for trade in due
        )
        for trade, (_, quantity, profit) in zip(due, fills, strict=True):
            self._reduce(account, trade, quantity, profit)
        if fills:
            self._expect(account, "closed", "liquidation", fills, account["balance"])
        return bool(fills)

    @staticmethod
    def _crossed(account: Facts, evaluated: str) -> tuple[Expected, ...]:
        """Each as (order, order, rule, effect, floor, observed), the primary first."""
        found = []
        for rule in account["losses"]:
            if rule["eval"] != evaluated:
                continue
            if evaluated == "tick" and rule["id"] in account["paused"]:
                continue
            seen = account["equity"]
            if rule["measured"] == "min":
                seen = min(account["balance"], seen)
            level = floor(rule, account, account["deposit"])
            if seen < level or (rule["cmp"] == "le" and seen == level):
                effect = rule["effect"]
                found.append(
                    (-level, effect != "hard", rule["id"], effect, level, seen)
                )
        return tuple(sorted(found))

    @staticmethod
    def _goals(account: Facts) -> tuple[str, ...]:
        """Name the first target that is met, once the days are."""
        rules = account["rules"]
        wanted = [rule["n"] for rule in rules if rule["kind"] == "min_days"]
        if any(len(account["days"]) < days for days in wanted):
            return ()
        for rule in rules:
            if rule["kind"] != "target" or (rule["flat"] and account["positions"]):
                continue
            share = cents(account["deposit"] * Decimal(rule["pct"]) / 100)
            basis = "equity" if rule["basis"] == "equity" else "balance"
            if account[basis] >= account["deposit"] + share:
                return (rule["id"],)
        return ()

    def _was_active(self, account: Facts) -> None:
        account["active_at"] = account["venue"]["clock"]
        self._wind(account)

    @staticmethod
    def _wind(account: Facts) -> None:
        """Set its clock to the next deadline, if its terms or trades have any."""
        if account["ended"]:
            return
        coming = [each[0] for each in deadlines(account)]
        rolls = (trade["rolls_at"] for trade in account["positions"].values())
        coming += [at for at in rolls if at is not None]
        timers = account["venue"]["timers"]
        if coming:
            timers[account["name"]] = min(coming)
        else:
            timers.pop(account["name"], None)

    def _expect(self, account: Facts, *what: object) -> None:
        venue = account["venue"]
        account["expected"].append(((venue["sequence"], venue["clock"]), what))
        self.pending[account["name"]] = None


def deadlines(account: Facts) -> list[tuple[datetime, str, str, datetime, int]]:
    """When each timer of an account has more than passed, and what it then says."""
    found = []
    for rule in account["timers"]:
        days, how, since = rule["after"][1], "expire", account["opened_at"]
        if rule["kind"] == "inactivity":
            since = account["active_at"]
            if (rule["id"], since) not in account["warned"]:
                days, how = rule["warn"][1], "warn"
        at = since + timedelta(hours=24 * days) + JUST_AFTER
        found.append((at, rule["id"], how, since, days))
    return found


def is_hard(breaches: tuple[Expected, ...]) -> bool:
    return any(each[3] == "hard" for each in breaches)


def way(trade: Facts, reason: str, before: tuple[Decimal, Decimal]) -> Decimal:
    """How far the price had to go to the level from the quote before."""
    bid, ask = before
    came_from = bid if trade["side"] == "buy" else ask
    is_rising = (trade["side"] == "buy") is (reason == "take_profit")
    level: Decimal = trade[reason]
    return max(Decimal(0), level - came_from if is_rising else came_from - level)


def reached(trade: Facts, bid: Decimal, ask: Decimal) -> str | None:
    stop, target = trade["stop_loss"], trade["take_profit"]
    is_long = trade["side"] == "buy"
    price = bid if is_long else ask
    if stop is not None and (price <= stop if is_long else price >= stop):
        return "stop_loss"
    if target is not None and (price >= target if is_long else price <= target):
        return "take_profit"
    return None


def shown(name: str, fact: Facts) -> Expected:
    """Bring a stored verdict or fill into the form in which it is predicted."""
    match name:
        case "account.position-closed/1":
            fills = tuple(
                (
                    each["closed"]["trade_id"],
                    Decimal(each["closed"]["quantity"]),
                    money(each["closed"]["profit"]),
                )
                for each in fact["fills"]
            )
            return ("closed", fact["reason"], fills, money(fact["balance"]))
        case "account.swap-posted/1":
            swaps = tuple(
                (each["trade_id"], money(each["amount"])) for each in fact["swaps"]
            )
            return ("swap", swaps, money(fact["balance"]))
        case "account.margin-called/1" | "account.margin-restored/1":
            stood = fact["margin"]
            what = name.partition("-")[2].removesuffix("/1")
            return (what, money(stood["equity"]), money(stood["level"]))
        case "account.rule-breached/1":
            told = tuple(
                (each["limit"]["id"], money(each["floor"]), money(each["observed"]))
                for each in fact["breaches"]
            )
            return ("breached", told)
        case "account.objectives-met/1":
            targets = tuple(each["target"]["id"] for each in fact["reached"])
            return ("met", targets, money(fact["balance"]))
        case "account.warned/1":
            return ("warned", struck(fact))
        case "account.expired/1":
            return ("expired", struck(fact), money(fact["balance"]))
        case "account.quarantined/1":
            return ("quarantined", fact["cause"])
    return (name,)


def struck(fact: Facts) -> Expected:
    return tuple(
        (
            each["timer"]["id"],
            each["deadline"]["strike"],
            datetime.fromisoformat(each["deadline"]["since"]),
            each["deadline"]["days"],
        )
        for each in fact["struck"]
    )
