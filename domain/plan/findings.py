"""What a plan leaves open: where, why, and the two ways in which it can be read."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    ERROR = "error"  # the plan is refused
    WARNING = "warning"  # it has one meaning, but perhaps not the one that was meant


class Finding(Struct, frozen=True, kw_only=True):
    """`field` is the place in what was written: `phases[0].rules[1].cmp`."""

    field: str
    reason: str
    readings: tuple[str, str]
    severity: Severity = Severity.ERROR


class Fault(Struct, frozen=True):
    """A place that is not what any plan can say: a misspelt word, half a number."""

    path: str
    reason: str


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(each for each in findings if each.severity is Severity.ERROR)


def warnings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(each for each in findings if each.severity is Severity.WARNING)


class Notes:
    """What has been found so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.faults: list[Fault] = []

    def fault(self, path: str, reason: str) -> None:
        self.faults.append(Fault(path, reason))

    def open(self, field: str, reason: str, one: str, other: str) -> None:
        self.findings.append(Finding(field=field, reason=reason, readings=(one, other)))

    def doubt(self, field: str, reason: str, one: str, other: str) -> None:
        self.findings.append(
            Finding(
                field=field,
                reason=reason,
                readings=(one, other),
                severity=Severity.WARNING,
            )
        )

    def is_clear(self, path: str = "") -> bool:
        """Whether nothing at that place, or inside it, keeps it from being read."""
        places = [each.field for each in errors(self.findings)]
        places += [each.path for each in self.faults]
        return not any(place.startswith(path) for place in places)
