"""What must follow from what is stored: plain dicts and decimals, slow and separate.

It reads every stored batch as JSON and packed columns, predicts each fill and verdict
from the quotes alone, and says `Broken` where the log says anything else.
"""

import struct
from collections import defaultdict, deque
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any, Final

from msgspec import json, msgpack

from application.engine.journal import Batch, Recorded, TickBlock
from tests.laws.naive_adjudicator import boundaries, floor, raise_marks

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Facts = dict[str, Any]
Expected = tuple[Any, ...]


class Broken(AssertionError):
    """A promise was not kept."""


def must(promise: object, *what: object) -> None:
    if not promise:
        raise Broken(" ".join(map(str, what)))


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN) + 0


def money(told: Facts) -> Decimal:
    return Decimal(told["amount"])


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Model:
    def __init__(self) -> None:
        self.position = self.batches = 0
        self.versions: dict[str, int] = defaultdict(int)
        self.venues: dict[str, Facts] = {}
        self.accounts: dict[str, Facts] = {}
        self.challenges: dict[str, Facts] = {}
        self.plans: dict[str, Facts] = {}
        self.trades: dict[str, Facts] = {}
        self.client_orders: set[tuple[str, str]] = set()
        self.effects: dict[str, tuple[int, list[tuple[int, str]]]] = {}
        self.first_told: dict[str, int] = {}  # stream, position of its first event
        self._pending: dict[str, None] = {}  # accounts whose verdict is due

    # -- what is stored -----------------------------------------------------------

    def take(self, batch: Batch) -> None:
        self.batches += 1
        must(batch.number == self.batches, "batch", batch.number, "is not the next")
        for event in batch.events:  # venues first: their blocks name no instrument
            if event.name == "venue.opened/1":
                self._open_venue(event)
        for block in batch.tick_blocks:
            self._queue_ticks(block)
        for event in batch.events:
            self._event(event)
        must(self.position == batch.position, "the batch ends elsewhere")
        for venue in self.venues.values():
            self._apply_ticks(venue, None)
        must(not self._pending, "no verdict where one was due:", *self._pending)

    def _event(self, event: Recorded) -> None:
        self.position += 1
        self.versions[event.stream] += 1
        must(event.position == self.position, "a hole before", event.position)
        must(event.version == self.versions[event.stream], "a hole in", event.stream)
        self.first_told.setdefault(event.stream, event.position)
        envelope = json.decode(event.envelope)
        self._note_effect(event, envelope)
        fact = json.decode(event.payload)
        venue = self.venues[envelope["venue"]] if envelope["venue"] else None
        if venue is not None:
            self._apply_ticks(venue, envelope["as_of_tick"])
            must(venue["sequence"] == envelope["as_of_tick"], "ticks not stored")
            at = instant(envelope["engine_time"])
            must(at >= venue["clock"], "time goes back at", event.position)
            venue["clock"] = at
        kind, _, name = event.stream.partition("-")
        is_verdict = kind == "account" and name in self._pending
        is_boundary = event.name == "venue.day-boundary-passed/1"
        if venue is not None and not is_verdict and not is_boundary:
            self._nothing_is_due(venue, venue["clock"])
        if kind == "account":
            assert venue is not None
            self._account_event(event, fact, venue)
        elif kind == "venue":
            must(not self._pending, "a verdict was due before", event.name)
            if event.name == "venue.day-boundary-passed/1":
                assert venue is not None
                self._turn_day(venue, fact)
        elif kind == "challenge":
            self._challenge_event(event, fact)
        else:
            self._plan_event(event, fact)

    def _note_effect(self, event: Recorded, envelope: Facts) -> None:
        command_id = envelope["command_id"]
        if command_id is None:
            return
        batch, direct = self.effects.setdefault(command_id, (self.batches, []))
        must(batch == self.batches, "command", command_id, "has had its effect before")
        causation = envelope["causation"]
        if not causation.startswith(("boundary:", "tick:")):
            direct.append((event.position, event.name))

    # -- venues and quotes --------------------------------------------------------

    def _open_venue(self, event: Recorded) -> None:
        fact = json.decode(event.payload)
        instruments = {each["symbol"]: each for each in fact["instruments"]}
        self.venues[fact["venue_id"]] = {
            "clock": instant(fact["at"]),
            "sequence": 0,
            "instruments": instruments,
            "quotes": {},
            "told": {},  # by sequence, what was quoted
            "coming": deque(),
            "accounts": {},
            "due": {},  # by zone and time: the next boundary, and who turns
        }

    def _queue_ticks(self, block: TickBlock) -> None:
        venue = self.venues[block.venue_id]
        for tick in ticks_of(block):
            venue["coming"].append(tick)

    def _apply_ticks(self, venue: Facts, until: int | None) -> None:
        coming = venue["coming"]
        while coming and (until is None or coming[0][0] <= until):
            sequence, symbol, bid, ask, at = coming.popleft()
            must(not self._pending, "a verdict was due before tick", sequence)
            must(sequence == venue["sequence"] + 1, "a hole before tick", sequence)
            self._nothing_is_due(venue, at)
            must(at >= venue["clock"], "time goes back at tick", sequence)
            venue["clock"], venue["sequence"] = at, sequence
            venue["quotes"][symbol] = (bid, ask)
            venue["told"][sequence] = (symbol, bid, ask)
            accounts = venue["accounts"].values()
            for account in [each for each in accounts if symbol in each["touched"]]:
                self._witness(account, symbol)

    def _nothing_is_due(self, venue: Facts, at: datetime) -> None:
        for boundary, _ in venue["due"].values():
            must(boundary > at, "boundary", boundary, "was due before", at)

    def _turn_day(self, venue: Facts, fact: Facts) -> None:
        day, at = tuple(fact["trading_day"]), instant(fact["at"])
        must(day in venue["due"], "nobody's day turns", day)
        boundary, names = venue["due"][day]
        must(boundary == at, "a boundary at", at, "instead of", boundary)
        must(boundary == min(each for each, _ in venue["due"].values()), "out of order")
        venue["due"][day] = (next_boundary(day, at), names)
        for name in tuple(names):
            self._turn(self.accounts[name])

    # -- accounts -------------------------------------------------------------------

    def _account_event(self, event: Recorded, fact: Facts, venue: Facts) -> None:
        name = event.stream.partition("-")[2]
        if event.name == "account.opened/1":
            must(name not in self.accounts, name, "was opened before")
            self._open_account(name, fact, venue, event.position)
            return
        account = self.accounts[name]
        if account["expected"]:
            expected = account["expected"].popleft()
            must(expected == shown(event.name, fact), "expected", expected, "not", fact)
            if not account["expected"]:
                del self._pending[name]
            if account["ended"] and account["over_at"] is None:
                account["over_at"] = event.position
            if event.name == "account.rule-breached/1" and not account["ended"]:
                account["pauses"].append([event.position, None])
            return
        must(not self._pending, "a verdict was due before", event.position)
        must(not account["ended"], "trading on", name, "which is over")
        if event.name == "account.position-opened/1":
            self._open_position(account, fact, event.position)
        else:
            must(
                event.name == "account.position-closed/1", event.name, "out of nowhere"
            )
            self._close_position(account, fact)
        self._observe(account)
        self._judge(account)

    def _open_account(
        self, name: str, fact: Facts, venue: Facts, position: int
    ) -> None:
        deposit, rules = money(fact["deposit"]), fact["phase"]["rules"]
        losses = [rule for rule in rules if rule["kind"] in {"daily", "max"}]
        account = self.accounts[name] = {
            "name": name,
            "venue": venue,
            "challenge": fact["challenge_id"],
            "phase": fact["phase"]["name"],
            "deposit": deposit,
            "rules": rules,
            "losses": losses,
            "balance": deposit,
            "equity": deposit,
            "peak_balance": deposit,
            "peak_equity": deposit,
            "day_balance": deposit,
            "day_equity": deposit,
            "mark": {rule["id"]: deposit for rule in losses},
            "positions": {},
            "touched": frozenset(),
            "days": set(),
            "paused": set(),
            "pauses": [],
            "status": "active",
            "ended": False,
            "over_at": None,
            "expected": deque(),
            "day": tuple(fact["phase"]["reset"]),
        }
        venue["accounts"][name] = account
        day = account["day"]
        if day not in venue["due"]:
            venue["due"][day] = (next_boundary(day, venue["clock"]), {})
        venue["due"][day][1][name] = None
        if account["challenge"] is not None:
            stages = self.challenges[account["challenge"]]["stages"]
            must(name in stages, "an account of no phase", name)
            must(not stages[name]["opened"], name, "was opened for its phase before")
            stages[name]["opened"] = position
        self._observe(account)
        self._judge(account)

    def _open_position(self, account: Facts, fact: Facts, position: int) -> None:
        told, venue = fact["position"], account["venue"]
        trade_id, symbol = told["trade_id"], told["symbol"]
        must(not account["paused"], "a trade in a pause")
        must(trade_id not in self.trades, trade_id, "was opened before")
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
            must(order not in self.client_orders, "a client order id fills twice")
            self.client_orders.add(order)
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
            "opened_at": position,
            "closed_at": None,
            **limits,
        }
        account["positions"][trade_id] = trade
        account["days"].add(fact["trading_day"])
        self._touch(account)

    def _close_position(self, account: Facts, fact: Facts) -> None:
        must(fact["reason"] == "trader", "a fill that nobody asked for", fact)
        (fill,) = fact["fills"]
        closed = fill["closed"]
        trade = account["positions"].get(closed["trade_id"])
        must(trade is not None, "not open:", closed["trade_id"])
        quantity = Decimal(closed["quantity"])
        must(0 < quantity <= trade["quantity"], "more closed than was open")
        profit = self._profit(account, trade, quantity)
        must(money(closed["profit"]) == profit, "profit", closed, "not", profit)
        self._reduce(account, trade, quantity, profit)
        must(money(fact["balance"]) == account["balance"], "balance", fact)

    def _reduce(
        self, account: Facts, trade: Facts, quantity: Decimal, profit: Decimal
    ) -> None:
        account["balance"] += profit
        trade["quantity"] -= quantity
        if not trade["quantity"]:
            trade["closed_at"] = self.position
            del account["positions"][trade["trade"]]
            self._touch(account)

    def _touch(self, account: Facts) -> None:
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

    def equity(self, account: Facts) -> Decimal:
        floating = (
            self._profit(account, trade, trade["quantity"])
            for trade in account["positions"].values()
        )
        return sum(floating, account["balance"])

    def _observe(self, account: Facts) -> None:
        equity = account["equity"] = self.equity(account)
        if account["ended"]:
            return
        account["peak_balance"] = max(account["peak_balance"], account["balance"])
        account["peak_equity"] = max(account["peak_equity"], equity)
        raise_marks(account, account["losses"])

    def _witness(self, account: Facts, symbol: str) -> None:
        bid, ask = account["venue"]["quotes"][symbol]
        for trade in tuple(account["positions"].values()):
            if trade["symbol"] != symbol:
                continue
            if (reason := reached(trade, bid, ask)) is None:
                continue
            quantity = trade["quantity"]
            profit = self._profit(account, trade, quantity)
            self._reduce(account, trade, quantity, profit)
            fills = ((trade["trade"], quantity, profit),)
            self._expect(account, "closed", reason, fills, account["balance"])
            self._observe(account)
        self._observe(account)
        self._judge(account)

    def _turn(self, account: Facts) -> None:
        equity, balance = self.equity(account), account["balance"]
        account["equity"] = equity
        closing = self._crossed(account, "eod")
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
        self._judge(account, closing)

    def _judge(self, account: Facts, closing: tuple[Expected, ...] = ()) -> None:
        """A hard breach beats a pass; a pause closes all, and that is judged too."""
        if account["ended"]:
            return
        breaches, goals = closing, tuple[str, ...]()
        if not is_hard(closing):
            now = self._crossed(account, "tick")
            breaches = (*closing, *now)
            goals = () if is_hard(now) else self._goals(account)
            account["paused"] |= {each[2] for each in now if each[3] == "pause"}
        if not breaches and not goals:
            return
        if breaches:
            told = tuple((name, level, seen) for _, _, name, _, level, seen in breaches)
            self._expect(account, "breached", told)
        if is_hard(breaches):
            account["ended"], account["status"] = True, "breached"
        if goals:
            self._expect(account, "met", goals, account["balance"])
            account["ended"], account["status"] = True, "passed"
        if account["ended"]:
            self._end(account)
        fills = self._liquidate(account)
        self._observe(account)
        if fills and not account["ended"]:
            self._judge(account)

    def _end(self, account: Facts) -> None:
        due, day = account["venue"]["due"], account["day"]
        del account["venue"]["accounts"][account["name"]]
        due[day][1].pop(account["name"])
        if not due[day][1]:
            del due[day]

    def _liquidate(self, account: Facts) -> bool:
        fills = []
        for trade in tuple(account["positions"].values()):
            quantity = trade["quantity"]
            profit = self._profit(account, trade, quantity)
            fills.append((trade["trade"], quantity, profit))
        for trade_id, quantity, profit in fills:
            trade = account["positions"][trade_id]
            self._reduce(account, trade, quantity, profit)
        if fills:
            balance = account["balance"]
            self._expect(account, "closed", "liquidation", tuple(fills), balance)
        return bool(fills)

    def _crossed(self, account: Facts, evaluated: str) -> tuple[Expected, ...]:
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

    def _expect(self, account: Facts, *what: object) -> None:
        account["expected"].append(what)
        self._pending[account["name"]] = None

    # -- challenges and plans ---------------------------------------------------------

    def _challenge_event(self, event: Recorded, fact: Facts) -> None:
        name = event.stream.partition("-")[2]
        if event.name == "challenge.purchased/1":
            must(name not in self.challenges, name, "was bought before")
            phases = [each["name"] for each in fact["terms"]["phases"]]
            self.challenges[name] = {
                "phases": phases,
                "stages": {},
                "ended": None,
                "funded": False,
            }
            return
        challenge = self.challenges[name]
        must(not challenge["ended"], name, "is over:", event.name)
        stages = challenge["stages"]
        match event.name:
            case "challenge.phase-started/1":
                follows = challenge["phases"][len(stages)]
                must(fact["phase"] == follows, "phase", fact["phase"], "not", follows)
                stages[fact["account_id"]] = {"told": None, "opened": None}
            case "challenge.phase-passed/1":
                self._stage_ends(stages, fact, "passed")
            case "challenge.breached/1":
                self._stage_ends(stages, fact, "breached")
                challenge["ended"] = "breached"
            case "challenge.passed/1":
                must(len(stages) == len(challenge["phases"]), "passed too early")
                challenge["ended"] = "passed"
            case "challenge.funded/1":
                must(not challenge["funded"], name, "was funded before")
                challenge["funded"] = True

    def _stage_ends(self, stages: Facts, fact: Facts, how: str) -> None:
        name = fact["account_id"]
        must(self.accounts[name]["status"] == how, name, "has not", how)
        must(stages[name]["told"] is None, name, "was told before")
        stages[name]["told"] = how

    def _plan_event(self, event: Recorded, fact: Facts) -> None:
        plan = self.plans.setdefault(event.stream, {"drafts": 0, "active": None})
        if event.name == "plan.drafted/1":
            plan["drafts"] += 1
            must(fact["version"] == plan["drafts"], "a draft was lost or doubled")
        else:
            must(1 <= fact["version"] <= plan["drafts"], "activated what is not there")
            plan["active"] = fact["version"]

    def unfollowed(self) -> list[str]:
        """What should have followed from what is stored, and has not."""
        missing = []
        for name, challenge in self.challenges.items():
            for account_id, stage in challenge["stages"].items():
                if not stage["opened"]:
                    missing.append(f"account {account_id} of {name}")
                elif stage["told"] is None:
                    account = self.accounts[account_id]
                    if account["status"] != "active":
                        missing.append(f"{account_id} {account['status']} in {name}")
        return missing


def is_hard(breaches: tuple[Expected, ...]) -> bool:
    return any(each[3] == "hard" for each in breaches)


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
        case "account.rule-breached/1":
            told = tuple(
                (each["limit"]["id"], money(each["floor"]), money(each["observed"]))
                for each in fact["breaches"]
            )
            return ("breached", told)
        case "account.objectives-met/1":
            targets = tuple(each["target"]["id"] for each in fact["reached"])
            return ("met", targets, money(fact["balance"]))
    return (name,)


@cache
def next_boundary(day: tuple[str, str], after: datetime) -> datetime:
    zone, clock = day
    return boundaries(zone, clock, after, after + timedelta(days=2))[0]


def ticks_of(block: TickBlock) -> list[tuple[int, str, Decimal, Decimal, datetime]]:
    """Read the columns as they are described, not with the code that wrote them."""
    body = msgpack.decode(block.body)
    first, count, symbols, digits = body[3], body[4], body[5], body[6]
    which = struct.unpack(f"<{count}H", body[8])
    bids, asks = (struct.unpack(f"<{count}q", body[n]) for n in (9, 10))
    times = struct.unpack(f"<{count}q", body[12])
    return [
        (
            first + n,
            symbols[which[n]],
            Decimal(bids[n]).scaleb(-digits[which[n]]),
            Decimal(asks[n]).scaleb(-digits[which[n]]),
            EPOCH + timedelta(microseconds=times[n]),
        )
        for n in range(count)
    ]
