"""Makes up cases: every kind of rule and choice, prices that sit on the edge."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

CENT = Decimal("0.01")
CLOCKS = (
    ("UTC", "00:00"),
    ("UTC", "00:30"),
    ("Etc/GMT-2", "00:00"),
    ("Europe/Prague", "00:00"),
    ("Europe/Prague", "02:30"),  # skipped in spring, doubled in autumn
    ("America/New_York", "17:00"),
    ("America/New_York", "01:30"),
    ("America/Chicago", "17:00"),
    ("America/St_Johns", "00:00"),
    ("Asia/Ulaanbaatar", "05:00"),
    ("Asia/Beirut", "00:00"),  # its clocks leap over midnight
    ("Australia/Lord_Howe", "02:00"),  # by half an hour
    ("Pacific/Apia", "00:00"),
    ("Africa/Casablanca", "02:30"),
)
STARTS = (
    datetime(2026, 1, 5, tzinfo=UTC),
    datetime(2025, 3, 28, 12, tzinfo=UTC),
    datetime(2025, 10, 24, 9, 30, tzinfo=UTC),
    datetime(2026, 3, 6, 21, tzinfo=UTC),
    datetime(2025, 10, 31, 22, tzinfo=UTC),
    datetime(2010, 11, 5, 12, tzinfo=UTC),  # St John's has midnight twice
    datetime(2011, 12, 28, 12, tzinfo=UTC),  # Apia leaves out a day
)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Case = dict[str, Any]


def random_case(chance: Random, name: str) -> Case:
    initial = chance.choice(["100000", "50000", "5123.19", "109807.40", "10000.01"])
    start = chance.choice(STARTS) + timedelta(minutes=chance.randrange(-600, 600))
    plan = {
        "initial": initial,
        "reset": list(chance.choice(CLOCKS)),
        "start": spelled(chance, start),
        "rules": rules(chance, Decimal(initial)),
    }
    return {"id": name, "plan": plan, "events": events(chance, plan, start)}


def rules(chance: Random, initial: Decimal) -> list[Case]:
    week = chance.choice(WEEK)
    many = chance.choice([0, 1, 2, 3, 4])
    losses = [loss(chance, f"r{n}", initial, week) for n in range(many)]
    chance.shuffle(losses)  # the id decides a tie, not the place in the list
    if chance.random() < 0.6 or not losses:
        losses.append(target(chance))
        for n in range(chance.choice([0, 0, 1, 2])):
            days = chance.randint(1, 3)
            losses.append({"id": f"days{n}", "kind": "min_days", "n": days})
    if chance.random() < 0.5:
        makers = [counted_days, good_days, consistency, capped, limited, idle]
        chosen = chance.sample(makers, chance.randint(1, 3))
        losses += [make(chance, make.__name__) for make in chosen]
    moved_by_flows(chance, losses)
    return losses


def moved_by_flows(chance: Random, rules: list[Case]) -> None:
    """All marks of a phase alike; what stays reached is always shifted."""
    how = chance.choice(["shift", "shift", "reset_to_initial", "keep"])
    if any(rule["kind"] == "sticky_target" for rule in rules):
        how = "shift"
    for rule in rules:
        if rule.get("mode") == "trail" and (how != "shift" or chance.random() < 0.5):
            rule["flow_marks"] = how


def target(chance: Random) -> Case:
    pct = chance.choice(["1", "2.5", "8", "10", "3.333"])
    basis = chance.choice(["closed", "equity"])
    told: Case = {"id": "target", "kind": "target", "pct": pct, "basis": basis}
    if chance.random() < 0.2:
        flat = basis == "closed" and chance.random() < 0.5
        return told | {"kind": "sticky_target", "flat": flat}
    if chance.random() < 0.5:
        told["flat"] = chance.random() < 0.5
    return told


def counted_days(chance: Random, name: str) -> Case:
    ways = ["closed", "filled", "completed", "held", "held_weekdays"]
    days, counted = chance.randint(1, 3), chance.choice(ways)
    return {"id": name, "kind": "trading_days", "n": days, "counted": counted}


def good_days(chance: Random, name: str) -> Case:
    return {
        "id": name,
        "kind": "profitable_days",
        "n": chance.randint(1, 2),
        "amount": chance.choice([["pct_initial", "1"], ["abs", "100.005"]]),
        "counted": chance.choice(["closed", "opened", "closed_net"]),
        "ended": chance.random() < 0.5,
    }


def consistency(chance: Random, name: str) -> Case:
    effect = chance.choice(["block_pass", "block_payout", "raise_target"])
    return {
        "id": name,
        "kind": "consistency",
        "best": chance.choice(["day", "open_day", "trade"]),
        "of": "net" if effect == "raise_target" else chance.choice(["net", "positive"]),
        "pct": chance.choice(["20", "40", "50", "33.3", "100"]),
        "cmp": chance.choice(["gt", "ge"]),
        "effect": effect,
    }


def capped(chance: Random, name: str) -> Case:
    pct, counted = chance.choice(["40", "33.3"]), chance.choice(["closed", "opened"])
    return {"id": name, "kind": "capped_days", "pct": pct, "counted": counted}


def limited(chance: Random, name: str) -> Case:
    start = chance.choice(["start", "first_trade"])
    return {"id": name, "kind": "time_limit", "after": span(chance, 9), "from": start}


def idle(chance: Random, name: str) -> Case:
    rule: Case = {"id": name, "kind": "inactivity", "after": span(chance, 9)}
    rule["activity"] = chance.choice(["opened", "filled"])
    rule["from"] = chance.choice(["activity", "warning"])
    rule["warn"] = span(chance, rule["after"][1] - 1)
    if rule["from"] == "activity" and chance.random() < 0.3:
        rule["warn"] = None
    return rule


def span(chance: Random, most: int) -> list[Any]:
    least = min(2, most)
    return [chance.choice(["elapsed", "calendar"]), chance.randint(least, most)]


def loss(chance: Random, name: str, initial: Decimal, week: str) -> Case:
    kinds = ["daily", "max", "daily", "max", "weekly", "daily_cap"]
    rule: Case = {"id": name, "kind": chance.choice(kinds)}
    if rule["kind"] != "max":
        anchors = ["balance", "equity", "max", "initial", "trail_equity"]
        rule["anchor"] = chance.choice(
            anchors[:4] if "cap" in rule["kind"] else anchors
        )
        if rule["kind"] == "weekly":
            rule["week"] = week
    else:
        rule["mode"] = chance.choice(["static", "trail", "trail"])
        if rule["mode"] == "trail":
            marks = ["balance", "equity", "max", "eod_balance", "eod_max"]
            rule["hwm_on"] = chance.choice(marks)
            if chance.random() < 0.4:
                rule["lock"] = chance.choice(["0", "100", "1500.50", "-250"])
    rule["amount"] = amount(chance, initial)
    for choice, among in (
        ("cmp", ["lt", "le"]),
        ("measured", ["equity", "min"]),
        ("eval", ["tick", "tick", "eod"]),
        ("effect", ["hard", "hard", "pause"]),
    ):
        if chance.random() < 0.7 or rule["kind"] in {"weekly", "daily_cap"}:
            rule[choice] = chance.choice(among)
    return rule


def amount(chance: Random, initial: Decimal) -> list[str]:
    basis = chance.choice(["abs", "pct_initial", "pct_anchor"])
    if basis == "abs":
        share = Decimal(chance.choice(["0.02", "0.03", "0.05"]))
        return [basis, str((initial * share).quantize(CENT))]
    return [basis, chance.choice(["2", "3", "4", "5", "6", "3.333", "2.005"])]


def events(chance: Random, plan: Case, start: datetime) -> list[Case]:
    initial = Decimal(plan["initial"])
    at, balance = start, initial
    now, openings = start, list[datetime]()
    made: list[Case] = []
    for _ in range(chance.randint(2, 14)):
        at = later(chance, at)
        is_late = chance.random() < 0.1  # its stamp lies before what came before it
        when = at - timedelta(minutes=chance.randint(1, 3_000)) if is_late else at
        event: Case = {"at": spelled(chance, when)}
        now = max(now, when)
        if chance.random() < 0.4:
            event["opened"] = True
        if chance.random() < 0.15:
            flow = step(chance, initial)
            event["flow"] = str(flow)
            balance += flow
        if chance.random() < 0.9:  # the others only assert
            balance += step(chance, initial)
            event |= values(chance, initial, balance)
            if "opened" in event:
                openings.append(now)
            if openings and chance.random() < 0.5:
                event["closed"] = closes(chance, initial, openings)
        made.append(event)
    return made


def later(chance: Random, at: datetime) -> datetime:
    at += timedelta(seconds=chance.choice([0, 1, 400, 7_200, 30_000, 90_000]))
    if chance.random() < 0.1:
        at = at.replace(minute=0, second=0)
    if chance.random() < 0.05:
        at += timedelta(days=chance.randint(2, 5))
    return at


def closes(chance: Random, initial: Decimal, openings: list[datetime]) -> list[Case]:
    """Of anything that was opened, in part or to its end; the sums need not fit."""
    made = []
    for _ in range(chance.randint(1, 2)):
        opened_at = spelled(chance, chance.choice(openings))
        close: Case = {"opened_at": opened_at, "profit": str(step(chance, initial))}
        if chance.random() < 0.7:
            close["result"] = str(step(chance, initial))
        made.append(close)
    return made


def values(chance: Random, initial: Decimal, balance: Decimal) -> Case:
    told: Case = {}
    if chance.random() < 0.9:
        told["balance"] = str(balance)
    if not told or chance.random() < 0.6:
        told["equity"] = str(balance + step(chance, initial))
    if chance.random() < 0.4:
        told["flat"] = chance.random() < 0.5
    return told


def step(chance: Random, initial: Decimal) -> Decimal:
    """Often a round share of the deposit, or a cent beside it: where edges are."""
    share = Decimal(chance.choice(["0", "0.01", "0.02", "0.03", "0.05", "0.005"]))
    drift = chance.choice([-1, 1]) * (initial * share).quantize(CENT)
    return drift + chance.choice([0, 0, 0, 1, -1]) * CENT


def spelled(chance: Random, at: datetime) -> str:
    """Tell an instant in one of the offsets that the format allows."""
    if chance.random() < 0.5:
        return f"{at:%Y-%m-%dT%H:%M:%S}Z"
    return (at.astimezone(UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00")
