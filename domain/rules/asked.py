"""Every objective of a phase as it stands: what it asks for, how far that has come."""

from collections.abc import Iterator

from msgspec import Struct

from domain.rules.adjudicate import weighed
from domain.rules.objective import Target
from domain.rules.phase import Phase
from domain.rules.standing import Standing


class Asked(Struct, frozen=True, kw_only=True):
    rule: str
    kind: str
    required: str
    actual: str
    met: bool


def asked(phase: Phase, standing: Standing) -> Iterator[Asked]:
    for each in phase.objectives:
        required, actual = each.required(standing), each.actual(standing)
        is_met = each.is_met(standing)
        if isinstance(each, Target):
            level, observed = weighed(phase, each, standing)
            required, actual = str(level.amount), str(observed.amount)
            is_met = is_met and level <= observed
        yield Asked(
            rule=each.id,
            kind=str(type(each).__struct_config__.tag),
            required=required,
            actual=actual,
            met=is_met,
        )
