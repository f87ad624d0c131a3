"""Why a plan cannot be drafted, activated or sold."""

from domain.plan.findings import Finding
from domain.values.refusal import Refused


class PlanAmbiguous(Refused):
    """The plan can be read in more than one way."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        places = ", ".join(each.field for each in findings)
        super().__init__(f"to be said in one way only: {places}")
        self.findings = findings


class PlanNotActive(Refused):
    """The plan is not on sale."""


class SizeNotOffered(Refused):
    """The plan is not sold with that deposit."""


class VersionNotDrafted(Refused):
    """No draft of the plan has that version."""


class AddOnNotOffered(Refused):
    """The plan is not sold with that add-on, or not with those together."""
