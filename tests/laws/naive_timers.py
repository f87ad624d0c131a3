"""When the time of a naive case runs out, looked for anew after everything."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

JUST_AFTER = timedelta(microseconds=1)
Case = dict[str, Any]
Strike = dict[str, Any]
FirstDayBeyond = Callable[[datetime, int], datetime]


def next_strike(
    now: dict[str, Any], rules: list[Case], first_beyond: FirstDayBeyond
) -> Strike | None:
    """Find the earliest instant, and what all is told at it."""

    def more_than(span: list[Any], since: datetime) -> datetime:
        unit, days = span
        if unit == "elapsed":
            return since + timedelta(hours=24 * days) + JUST_AFTER
        return first_beyond(since, days)

    coming = []
    for rule in rules:
        if rule["kind"] == "time_limit":
            since = now["start"]
            if rule["from"] == "first_trade":
                openings = now["log"].openings
                since = openings[0][0] if openings else None
            if since is not None:
                days = rule["after"][1]
                at = more_than(rule["after"], since)
                coming.append((at, rule["id"], "expire", days, since))
        if rule["kind"] == "inactivity":
            coming.append(inactive(now, rule, more_than))
    if not coming:
        return None
    first = min(at for at, *_ in coming)
    told = sorted((each[1:] for each in coming if each[0] == first), key=str)
    ends = [each for each in told if each[1] == "expire"]
    return {"at": first, "told": ends or told}


def inactive(
    now: dict[str, Any],
    rule: Case,
    more_than: Callable[[list[Any], datetime], datetime],
) -> tuple[datetime, str, str, int, datetime]:
    log = now["log"]
    active = [now["start"], *(at for at, _ in log.openings)]
    if rule["activity"] == "filled":
        active += [at for at, _ in log.closings]
    since = max(active)
    if rule["warn"] is not None and (rule["id"], since) not in now["warned"]:
        at = more_than(rule["warn"], since)
        return at, rule["id"], "warn", rule["warn"][1], since
    if rule["from"] == "warning":
        since = more_than(rule["warn"], since)
    at = more_than(rule["after"], since)
    return at, rule["id"], "expire", rule["after"][1], since
