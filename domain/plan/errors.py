"""Why a plan cannot be drafted, activated or sold."""

from domain.values.refusal import Refused


class PlanNotActive(Refused):
    """The plan is not on sale."""


class SizeNotOffered(Refused):
    """The plan is not sold with that deposit."""


class VersionNotDrafted(Refused):
    """No draft of the plan has that version."""
