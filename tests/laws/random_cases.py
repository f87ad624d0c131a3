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
    losses = [loss(chance, f"r{n}", initial) for n in range(chance.randint(1, 4))]
    chance.shuffle(losses)  # the id decides a tie, not the place in the list
    if chance.random() < 0.6:
        pct = chance.choice(["1", "2.5", "8", "10", "3.333"])
        target = {"id": "target", "kind": "target", "pct": pct}
        target["basis"] = chance.choice(["closed", "equity"])
        if chance.random() < 0.5:
            target["flat"] = chance.random() < 0.5  # type: ignore[assignment]
        losses.append(target)
        for n in range(chance.choice([0, 0, 1, 2])):
            days = chance.randint(1, 3)
            losses.append({"id": f"days{n}", "kind": "min_days", "n": days})
    return losses


def loss(chance: Random, name: str, initial: Decimal) -> Case:
    rule: Case = {"id": name, "kind": chance.choice(["daily", "max"])}
    if rule["kind"] == "daily":
        anchors = ["balance", "equity", "max", "initial", "trail_equity"]
        rule["anchor"] = chance.choice(anchors)
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
        if chance.random() < 0.7:
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
    made: list[Case] = []
    for _ in range(chance.randint(2, 14)):
        at = later(chance, at)
        is_late = chance.random() < 0.1  # its stamp lies before what came before it
        when = at - timedelta(minutes=chance.randint(1, 3_000)) if is_late else at
        event: Case = {"at": spelled(chance, when)}
        if chance.random() < 0.4:
            event["opened"] = True
        if chance.random() < 0.9:  # the others only assert
            balance += step(chance, initial)
            event |= values(chance, initial, balance)
        made.append(event)
    return made


def later(chance: Random, at: datetime) -> datetime:
    at += timedelta(seconds=chance.choice([0, 1, 400, 7_200, 30_000, 90_000]))
    if chance.random() < 0.1:
        at = at.replace(minute=0, second=0)
    if chance.random() < 0.05:
        at += timedelta(days=chance.randint(2, 5))
    return at


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
    drift = chance.choice([-1, -1, 1]) * (initial * share).quantize(CENT)
    return drift + chance.choice([0, 0, 0, 1, -1]) * CENT


def spelled(chance: Random, at: datetime) -> str:
    """Tell an instant in one of the offsets that the format allows."""
    if chance.random() < 0.5:
        return f"{at:%Y-%m-%dT%H:%M:%S}Z"
    return (at.astimezone(UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00")
