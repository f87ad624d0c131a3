"""The page of the case format read aloud: slow, simple, written without the product."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")
Case = dict[str, Any]
Verdict = list[str]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


@cache
def boundary_of(zone: str, wall: datetime) -> datetime:
    """Find the first instant at which a clock in `zone` reads `wall` or later."""
    place = ZoneInfo(zone)
    offsets = {
        place.utcoffset((wall + timedelta(hours=hour)).replace(tzinfo=place, fold=fold))
        for hour in range(-36, 37)
        for fold in (0, 1)
    }
    spans = [offset for offset in offsets if offset is not None]
    instant = (wall - max(spans)).replace(tzinfo=UTC)
    while instant.astimezone(place).replace(tzinfo=None) < wall:
        instant += timedelta(minutes=1)
    return instant


def boundaries(
    zone: str, clock: str, after: datetime, until: datetime
) -> list[datetime]:
    """List those in (after, until]; two days that begin at one instant begin once."""
    hours, minutes = clock.split(":")
    day = after.replace(tzinfo=None, second=0, microsecond=0) - timedelta(days=3)
    day = day.replace(hour=int(hours), minute=int(minutes))
    found = set()
    while day <= until.replace(tzinfo=None) + timedelta(days=3):
        instant = boundary_of(zone, day)
        if after < instant <= until:
            found.add(instant)
        day += timedelta(days=1)
    return sorted(found)


def adjudicated(case: Case) -> dict[str, Any]:
    """Answer {"verdicts", "seen"}; `seen` holds floors and days after every entry."""
    plan = case["plan"]
    initial = Decimal(plan["initial"])
    rules = plan["rules"]
    zone, clock = plan["reset"]
    losses = [rule for rule in rules if rule["kind"] in {"daily", "max"}]
    now: dict[str, Any] = {
        "clock": datetime.fromisoformat(plan["start"]).astimezone(UTC),
        "day": 0,
        "balance": initial,
        "equity": initial,
        "flat": True,
        "days": set(),
        "paused": set(),
        "ended": False,
        "mark": {rule["id"]: initial for rule in losses},
        "verdicts": [],
    }
    seen = []
    for number, event in enumerate(case["events"], start=1):
        at = datetime.fromisoformat(event["at"]).astimezone(UTC)
        for boundary in boundaries(zone, clock, now["clock"], at):
            turn(now, rules, losses, initial, f"reset@{boundary:%Y-%m-%dT%H:%MZ}")
        now["clock"] = max(now["clock"], at)
        take(now, rules, losses, initial, event, f"e{number}")
        floors = {rule["id"]: str(floor(rule, now, initial)) for rule in losses}
        seen.append({"floors": floors, "days": len(now["days"]), "ended": now["ended"]})
    return {"verdicts": now["verdicts"], "seen": seen}


def take(
    now: dict[str, Any],
    rules: list[Case],
    losses: list[Case],
    initial: Decimal,
    event: Case,
    label: str,
) -> None:
    if "balance" not in event and "equity" not in event:
        return
    if "balance" in event:
        now["balance"] = now["equity"] = Decimal(event["balance"])
    if "equity" in event:
        now["equity"] = Decimal(event["equity"])
    now["flat"] = event.get("flat", now["balance"] == now["equity"])
    if event.get("opened"):
        now["days"].add(now["day"])
    raise_marks(now, losses)
    ticking = [rule for rule in losses if rule.get("eval", "tick") == "tick"]
    judge(now, ticking, initial, label)
    goals(now, rules, initial, label)


def turn(
    now: dict[str, Any],
    rules: list[Case],
    losses: list[Case],
    initial: Decimal,
    label: str,
) -> None:
    judge(now, [rule for rule in losses if rule.get("eval") == "eod"], initial, label)
    balance, equity = now["balance"], now["equity"]
    for rule in losses:
        mark = now["mark"]
        if rule["kind"] == "daily":
            mark[rule["id"]] = {
                "balance": balance,
                "equity": equity,
                "trail_equity": equity,
                "max": max(balance, equity),
                "initial": initial,
            }[rule["anchor"]]
        elif rule.get("hwm_on") == "eod_balance":
            mark[rule["id"]] = max(mark[rule["id"]], balance)
        elif rule.get("hwm_on") == "eod_max":
            mark[rule["id"]] = max(mark[rule["id"]], balance, equity)
    now["day"] += 1
    now["paused"] = set()
    ticking = [rule for rule in losses if rule.get("eval", "tick") == "tick"]
    judge(now, ticking, initial, label)
    goals(now, rules, initial, label)


def raise_marks(now: dict[str, Any], losses: list[Case]) -> None:
    balance, equity = now["balance"], now["equity"]
    seen = {"balance": balance, "equity": equity, "max": max(balance, equity)}
    for rule in losses:
        follows = rule.get("hwm_on")
        if rule["kind"] == "daily" and rule["anchor"] == "trail_equity":
            follows = "equity"
        if follows in seen:
            now["mark"][rule["id"]] = max(now["mark"][rule["id"]], seen[follows])


def floor(rule: Case, now: dict[str, Any], initial: Decimal) -> Decimal:
    anchor = now["mark"][rule["id"]]
    if rule["kind"] == "max" and rule["mode"] == "static":
        anchor = initial
    basis, value = rule["amount"][0], Decimal(rule["amount"][1])
    amount = {
        "abs": value,
        "pct_initial": initial * value / 100,
        "pct_anchor": anchor * value / 100,
    }[basis]
    level = cents(anchor - cents(amount))
    if rule.get("lock") is not None:
        level = min(level, cents(initial + Decimal(rule["lock"])))
    return level


def judge(now: dict[str, Any], rules: list[Case], initial: Decimal, label: str) -> None:
    if now["ended"]:
        return
    crossed = []
    for rule in rules:
        if rule["id"] in now["paused"]:
            continue
        observed = now["equity"]
        if rule.get("measured") == "min":
            observed = min(now["balance"], now["equity"])
        level = floor(rule, now, initial)
        effect = rule.get("effect", "hard")
        if observed < level or (rule.get("cmp") == "le" and observed == level):
            order = (-level, effect != "hard", rule["id"])
            verdict = [label, rule["id"], effect, str(level), str(cents(observed))]
            crossed.append((order, verdict))
    for _, verdict in sorted(crossed):
        now["verdicts"].append(verdict)
        if verdict[2] == "hard":
            now["ended"] = True
        else:
            now["paused"].add(verdict[1])


def goals(now: dict[str, Any], rules: list[Case], initial: Decimal, label: str) -> None:
    wanted = [rule["n"] for rule in rules if rule["kind"] == "min_days"]
    for rule in rules:
        if rule["kind"] != "target" or now["ended"]:
            continue
        level = initial + cents(initial * Decimal(rule["pct"]) / 100)
        observed = now["equity"] if rule.get("basis") == "equity" else now["balance"]
        ready = not rule.get("flat", True) or now["flat"]
        if ready and observed >= level and all(len(now["days"]) >= n for n in wanted):
            shown = [str(cents(level)), str(cents(observed))]
            now["verdicts"].append([label, rule["id"], "pass", *shown])
            now["ended"] = True
