"""Two words of one rule that cannot both be meant; a firm sees both of its readings.

A rule that says such a thing could not be built: it is found in what was written.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.plan.findings import Notes
from domain.plan.rule_words import WORDS
from domain.rules.allowance import AmountBasis
from domain.rules.consistency import Consequence, Consistency, Whole
from domain.rules.daily_cap import DailyCap
from domain.rules.daily_loss import DayAnchor
from domain.rules.inactivity import Inactivity, Since
from domain.rules.max_loss import MaxLoss, Mode
from domain.rules.phase import Rule
from domain.rules.profit_target import Basis
from domain.rules.profitable_days import ProfitableDays
from domain.rules.sticky_target import StickyTarget

Written = Mapping[str, Any]


def of_max_loss(written: Written, path: str, notes: Notes) -> None:
    mode, follows, lock = (written.get(name) for name in ("mode", "hwm_on", "lock"))
    if mode == Mode.STATIC and follows is not None:
        notes.open(
            f"{path}.hwm_on",
            "a floor that never moves is said to follow something",
            "mode is static: the floor never moves",
            f"mode is trail: the floor follows {follows}",
        )
    if mode == Mode.STATIC and lock is not None:
        notes.open(
            f"{path}.lock",
            "a floor that never moves is said to stop somewhere",
            "mode is static: the floor never moves",
            "mode is trail: the floor moves until it is locked",
        )
    if mode == Mode.STATIC and written.get("flow_marks") is not None:
        notes.open(
            f"{path}.flow_marks",
            "a floor that never moves is said to be moved by payouts",
            "mode is static: the floor never moves",
            "mode is trail: the floor follows a mark, which payouts may move",
        )
    if mode == Mode.TRAILING and "hwm_on" in written and follows is None:
        left_out = WORDS[MaxLoss].terms["hwm_on"].left_out
        assert left_out is not None
        notes.open(f"{path}.hwm_on", "a trailing floor follows nothing", *left_out)


def of_daily_cap(written: Written, path: str, notes: Notes) -> None:
    if written.get("anchor") == DayAnchor.PEAK_EQUITY:
        notes.open(
            f"{path}.anchor",
            "a ceiling above the day's own highest equity is never reached",
            "balance: floor and ceiling lie around the balance of the day's beginning",
            "equity: floor and ceiling lie around the equity of the day's beginning",
        )


def of_sticky_target(written: Written, path: str, notes: Notes) -> None:
    if written.get("flat") is True and written.get("basis") == Basis.EQUITY:
        notes.open(
            f"{path}.flat",
            "with no position open, equity is the balance",
            "flat is true, so basis is closed: open profit does not count",
            "flat is false: open profit counts while positions are open",
        )


def of_profitable_days(written: Written, path: str, notes: Notes) -> None:
    match written.get("amount"):
        case [AmountBasis.SHARE_OF_ANCHOR, _]:
            notes.open(
                f"{path}.amount[0]",
                "a day's profit is measured from no anchor",
                "pct_initial: per cent of the deposit",
                "abs: an amount of money",
            )


def of_consistency(written: Written, path: str, notes: Notes) -> None:
    raises = written.get("effect") == Consequence.RAISES_TARGET
    if raises and written.get("of") == Whole.POSITIVE:
        notes.open(
            f"{path}.of",
            "a target is of the net profit, this share is not",
            "of is net: the target rises until the best is no more than that share",
            "effect is block_pass: the target stays, the pass waits",
        )


def of_inactivity(written: Written, path: str, notes: Notes) -> None:
    if "warn" in written and written["warn"] is None:
        if written.get("from") == Since.WARNING:
            notes.open(
                f"{path}.from",
                "it runs from a warning that never comes",
                "from is activity: it expires unannounced",
                "warn is a number of days: a warning comes first",
            )
        return
    match written:
        case {
            "from": Since.ACTIVITY,
            "warn": [_, int() as warned],
            "after": [_, int() as ended],
        } if ended <= warned:
            notes.open(
                f"{path}.after",
                f"it ends after {ended} days and warns after {warned}",
                "from is activity: the warning comes earlier than that",
                f"from is warning: it ends {ended} days after the warning",
            )


CONTRADICTIONS: Final[Mapping[type[Rule], Callable[[Written, str, Notes], None]]] = {
    MaxLoss: of_max_loss,
    DailyCap: of_daily_cap,
    StickyTarget: of_sticky_target,
    ProfitableDays: of_profitable_days,
    Consistency: of_consistency,
    Inactivity: of_inactivity,
}
