"""What a naive case asks for, and how far that has come."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
TARGETS = {"target", "sticky_target"}
Case = dict[str, Any]
Now = dict[str, Any]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def goals(now: Now, rules: list[Case]) -> tuple[str, Decimal, Decimal] | None:
    """Name the first target that is reached, where all else is met."""
    for rule in rules:
        blocks = rule["kind"] != "consistency" or rule["effect"] == "block_pass"
        if blocks and rule["kind"] not in TARGETS and not is_met(now, rule):
            return None
    for rule in rules:
        if rule["kind"] in TARGETS and is_reached(now, rules, rule):
            return rule["id"], *level_and_observed(now, rules, rule)
    return None


def shown(now: Now, rules: list[Case]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {"required": {}, "actual": {}, "met": {}}
    for rule in rules:
        if rule["kind"] in TARGETS:
            required, actual = level_and_observed(now, rules, rule)
            met = is_reached(now, rules, rule)
            told["required"][rule["id"]] = str(cents(required))
            told["actual"][rule["id"]] = str(cents(actual))
        elif rule["kind"] == "consistency":
            told["required"][rule["id"]] = str(cents(needed(now, rule)))
            told["actual"][rule["id"]] = str(cents(whole(now, rule)))
            met = is_met(now, rule)
        elif rule["kind"] in {"min_days", "trading_days", "profitable_days"}:
            told["required"][rule["id"]] = str(rule["n"])
            told["actual"][rule["id"]] = str(count(now, rule))
            met = is_met(now, rule)
        else:
            continue
        told["met"][rule["id"]] = met
    return told


def is_met(now: Now, rule: Case) -> bool:
    if rule["kind"] in {"min_days", "trading_days", "profitable_days"}:
        return bool(count(now, rule) >= rule["n"])
    if rule["kind"] == "consistency":
        top, share, all_of_it = best(now, rule), Decimal(rule["pct"]), whole(now, rule)
        if all_of_it <= 0:
            return False
        if rule["cmp"] == "gt":
            return top * 100 <= share * all_of_it
        return top * 100 < share * all_of_it
    return True


def is_reached(now: Now, rules: list[Case], rule: Case) -> bool:
    if rule.get("flat", True) and not now["flat"]:
        return False
    level, observed = level_and_observed(now, rules, rule)
    return observed >= level


def level_and_observed(
    now: Now, rules: list[Case], target: Case
) -> tuple[Decimal, Decimal]:
    initial = now["initial"]
    capital = now["capital"]
    level = capital + cents(initial * Decimal(target["pct"]) / 100)
    by_equity = target.get("basis") == "equity"
    if target["kind"] == "target":
        observed = now["equity"] if by_equity else now["balance"]
    else:
        observed = max(
            equity if by_equity else balance
            for balance, equity, flat in now["stood"]
            if flat or not target["flat"]
        )
    for rule in rules:
        if rule["kind"] == "consistency" and rule["effect"] == "raise_target":
            level = max(level, capital + needed(now, rule))
        if rule["kind"] == "capped_days":
            observed -= beyond_cap(now, rule, level - capital, observed)
    return level, observed


def beyond_cap(now: Now, rule: Case, asked: Decimal, observed: Decimal) -> Decimal:
    """Add up what the days brought that does not count."""
    cap = cents(asked * Decimal(rule["pct"]) / 100)
    brought = now["log"].brought(by_opening=rule["counted"] == "opened")
    brought[now["log"].today] += observed - now["balance"]
    return sum((max(each - cap, ZERO) for each in brought.values()), ZERO)


def count(now: Now, rule: Case) -> int:
    log = now["log"]
    if rule["kind"] == "min_days":
        return len(now["days"])
    if rule["kind"] == "profitable_days":
        return profitable_days(now, rule)
    opened = {day for _, day in log.openings}
    closed = {day for _, day in log.closings}
    weekend = {day for day in log.held if log.called(day) in {"sat", "sun"}}
    return len(
        {
            "closed": closed,
            "filled": opened | closed,
            "completed": {day for day, _ in log.finished},
            "held": log.held,
            "held_weekdays": log.held - weekend,
        }[rule["counted"]]
    )


def profitable_days(now: Now, rule: Case) -> int:
    log = now["log"]
    basis, value = rule["amount"][0], Decimal(rule["amount"][1])
    amount = cents(value if basis == "abs" else now["initial"] * value / 100)
    brought = log.brought(by_opening=rule["counted"] == "opened")
    if rule["counted"] == "closed_net":
        lost = log.lost | {log.today: min(now["equity"] - now["balance"], ZERO)}
        for day, loss in lost.items():
            brought[day] += loss
    if rule["ended"]:
        del brought[log.today]
    return sum(each >= amount for each in brought.values())


def candidates(now: Now, rule: Case) -> list[Decimal]:
    log = now["log"]
    if rule["best"] == "trade":
        return [result for _, result in log.finished]
    return list(log.brought(by_opening=rule["best"] == "open_day").values())


def best(now: Now, rule: Case) -> Decimal:
    return max([ZERO, *candidates(now, rule)])


def whole(now: Now, rule: Case) -> Decimal:
    if rule["of"] == "net":
        return Decimal(now["balance"] - now["capital"])
    return sum((each for each in candidates(now, rule) if each > 0), ZERO)


def needed(now: Now, rule: Case) -> Decimal:
    """Count up in cents from a little below: the first that is enough."""
    top, share = best(now, rule), Decimal(rule["pct"])
    profit = cents(top * 100 / share) - 2 * CENT
    while not (
        top * 100 < share * profit
        or (rule["cmp"] == "gt" and top * 100 == share * profit)
    ):
        profit += CENT
    return profit
