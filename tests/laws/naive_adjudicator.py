"""The page of the case format read aloud: slow, simple, written without the product."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from tests.laws.naive_days import Days
from tests.laws.naive_goals import goals, shown
from tests.laws.naive_timers import next_strike

CENT = Decimal("0.01")
LOSSES = {"daily", "weekly", "daily_cap", "max"}
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


def date_of(zone: str, clock: str, instant: datetime) -> date:
    """Name a day by the last date that has begun by then."""
    hours, minutes = clock.split(":")
    wall = instant.replace(tzinfo=None, second=0, microsecond=0) + timedelta(days=3)
    wall = wall.replace(hour=int(hours), minute=int(minutes))
    while boundary_of(zone, wall) > instant:
        wall -= timedelta(days=1)
    return wall.date()


def adjudicated(case: Case) -> dict[str, Any]:
    """Answer {"verdicts", "seen"}; `seen` holds floors, days and goals after each."""
    plan = case["plan"]
    initial = Decimal(plan["initial"])
    rules = plan["rules"]
    zone, clock = plan["reset"]
    losses = [rule for rule in rules if rule["kind"] in LOSSES]
    start = datetime.fromisoformat(plan["start"]).astimezone(UTC)
    now: dict[str, Any] = {
        "clock": start,
        "reset": plan["reset"],
        "initial": initial,
        "capital": initial,
        "balance": initial,
        "equity": initial,
        "flat": True,
        "days": set(),
        "paused": set(),
        "ended": False,
        "mark": {rule["id"]: initial for rule in losses},
        "stood": [(initial, initial, True)],
        "warned": set(),
        "start": start,
        "log": Days(date_of(zone, clock, start), late=clock >= "12:00"),
        "verdicts": [],
    }
    seen = []
    for number, event in enumerate(case["events"], start=1):
        at = datetime.fromisoformat(event["at"]).astimezone(UTC)
        pass_time(now, rules, losses, at)
        now["clock"] = max(now["clock"], at)
        take(now, rules, losses, event, f"e{number}")
        floors = {rule["id"]: str(floor(rule, now, initial)) for rule in losses}
        told = {"floors": floors, "days": len(now["days"]), "ended": now["ended"]}
        seen.append(told | shown(now, rules))
    return {"verdicts": now["verdicts"], "seen": seen}


def pass_time(
    now: dict[str, Any], rules: list[Case], losses: list[Case], until: datetime
) -> None:
    """Boundaries and timers by then, in order; of one instant the boundary first."""
    zone, clock = now["reset"]
    coming = boundaries(zone, clock, now["clock"], until)
    first_beyond = partial(first_day_beyond, zone, clock)
    while True:
        strike = None if now["ended"] else next_strike(now, rules, first_beyond)
        if (
            strike
            and strike["at"] <= until
            and (not coming or strike["at"] < coming[0])
        ):
            run_out(now, strike)
        elif coming:
            turn(now, rules, losses, coming.pop(0))
        else:
            return


def first_day_beyond(zone: str, clock: str, since: datetime, days: int) -> datetime:
    """Find when the first day begins whose date is more than `days` later."""
    hours, minutes = (int(part) for part in clock.split(":"))
    wanted = date_of(zone, clock, since) + timedelta(days=days + 1)
    wall = datetime(wanted.year, wanted.month, wanted.day, hours, minutes)  # noqa: DTZ001 - a clock on a wall
    return boundary_of(zone, wall)


def run_out(now: dict[str, Any], strike: dict[str, Any]) -> None:
    label = f"timer@{strike['at']:%Y-%m-%dT%H:%MZ}"
    for rule, how, days, since in strike["told"]:
        ran_from = f"{since:%Y-%m-%dT%H:%M:%SZ}"
        now["verdicts"].append([label, rule, how, str(days), ran_from])
        if how == "expire":
            now["ended"] = True
        else:
            now["warned"].add((rule, since))


def take(
    now: dict[str, Any],
    rules: list[Case],
    losses: list[Case],
    event: Case,
    label: str,
) -> None:
    if not {"balance", "equity", "flow"} & event.keys():
        return
    if "flow" in event:
        flow(now, losses, Decimal(event["flow"]))
    if "balance" in event or "equity" in event:
        stand(now, event)
    now["stood"].append((now["balance"], now["equity"], now["flat"]))
    raise_marks(now, losses)
    ticking = [rule for rule in losses if rule.get("eval", "tick") == "tick"]
    judge(now, ticking, now["initial"], label)
    reach(now, rules, label)


def stand(now: dict[str, Any], event: Case) -> None:
    before = now["balance"]
    if "balance" in event:
        now["balance"] = now["equity"] = Decimal(event["balance"])
    if "equity" in event:
        now["equity"] = Decimal(event["equity"])
    now["flat"] = event.get("flat", now["balance"] == now["equity"])
    if event.get("opened"):
        now["days"].add(now["log"].today)
    now["log"].enter(event, now["clock"], now["balance"] - before)


def flow(now: dict[str, Any], losses: list[Case], amount: Decimal) -> None:
    """Move what is measured and what it is measured from; then it is judged."""
    for each in ("balance", "equity", "capital"):
        now[each] += amount
    now["stood"] = [(b + amount, e + amount, flat) for b, e, flat in now["stood"]]
    for rule in losses:
        how = "shift"
        if rule["kind"] == "max":
            how = rule.get("flow_marks", "shift") if rule.get("hwm_on") else "keep"
        elif rule["anchor"] == "initial":
            how = "keep"
        if how == "shift":
            now["mark"][rule["id"]] += amount
        elif how == "reset_to_initial":
            now["mark"][rule["id"]] = now["initial"]


def turn(
    now: dict[str, Any], rules: list[Case], losses: list[Case], boundary: datetime
) -> None:
    label = f"reset@{boundary:%Y-%m-%dT%H:%MZ}"
    closing = [rule for rule in losses if rule.get("eval") == "eod"]
    judge(now, closing, now["initial"], label)
    log, (zone, clock) = now["log"], now["reset"]
    floating = now["equity"] - now["balance"]
    log.end(None if now["flat"] else floating)
    log.begin(date_of(zone, clock, boundary), held=not now["flat"])
    for rule in losses:
        anchor_anew(now, rule)
    now["paused"] = set()
    ticking = [rule for rule in losses if rule.get("eval", "tick") == "tick"]
    judge(now, ticking, now["initial"], label)
    reach(now, rules, label)


def anchor_anew(now: dict[str, Any], rule: Case) -> None:
    """Give a rule what it is measured from on the day, or in the week, that begins."""
    mark, balance, equity = now["mark"], now["balance"], now["equity"]
    kind, follows = rule["kind"], rule.get("hwm_on")
    if kind in {"daily", "daily_cap"} or (
        kind == "weekly" and now["log"].begins_week(rule["week"])
    ):
        mark[rule["id"]] = {
            "balance": balance,
            "equity": equity,
            "trail_equity": equity,
            "max": max(balance, equity),
            "initial": now["initial"],
        }[rule["anchor"]]
    elif follows == "eod_balance":
        mark[rule["id"]] = max(mark[rule["id"]], balance)
    elif follows == "eod_max":
        mark[rule["id"]] = max(mark[rule["id"]], balance, equity)


def raise_marks(now: dict[str, Any], losses: list[Case]) -> None:
    balance, equity = now["balance"], now["equity"]
    seen = {"balance": balance, "equity": equity, "max": max(balance, equity)}
    for rule in losses:
        follows = rule.get("hwm_on")
        if rule.get("anchor") == "trail_equity":
            follows = "equity"
        if follows in seen:
            now["mark"][rule["id"]] = max(now["mark"][rule["id"]], seen[follows])


def floor(rule: Case, now: dict[str, Any], initial: Decimal) -> Decimal:
    anchor = now["mark"][rule["id"]]
    if rule["kind"] == "max" and rule["mode"] == "static":
        anchor = initial
    level = cents(anchor - allowed(rule, anchor, initial))
    if rule.get("lock") is not None:
        level = min(level, cents(initial + Decimal(rule["lock"])))
    return level


def allowed(rule: Case, anchor: Decimal, initial: Decimal) -> Decimal:
    basis, value = rule["amount"][0], Decimal(rule["amount"][1])
    amount = {
        "abs": value,
        "pct_initial": initial * value / 100,
        "pct_anchor": anchor * value / 100,
    }[basis]
    return cents(amount)


def crossed_level(
    rule: Case, now: dict[str, Any], initial: Decimal, observed: Decimal
) -> Decimal | None:
    """The side of a rule that `observed` lies beyond; None: it lies between."""
    touching = rule.get("cmp") == "le"
    level = floor(rule, now, initial)
    if observed < level or (touching and observed == level):
        return level
    if rule["kind"] == "daily_cap":
        anchor = now["mark"][rule["id"]]
        level = cents(anchor + allowed(rule, anchor, initial))
        if observed > level or (touching and observed == level):
            return level
    return None


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
        level = crossed_level(rule, now, initial, observed)
        effect = rule.get("effect", "hard")
        if level is not None:
            order = (-level, effect != "hard", rule["id"])
            verdict = [label, rule["id"], effect, str(level), str(cents(observed))]
            crossed.append((order, verdict))
    for _, verdict in sorted(crossed):
        now["verdicts"].append(verdict)
        if verdict[2] == "hard":
            now["ended"] = True
        else:
            now["paused"].add(verdict[1])


def reach(now: dict[str, Any], rules: list[Case], label: str) -> None:
    if now["ended"]:
        return
    passed = goals(now, rules)
    if passed is not None:
        rule, level, observed = passed
        told = [str(cents(level)), str(cents(observed))]
        now["verdicts"].append([label, rule, "pass", *told])
        now["ended"] = True
