"""Why a challenge says no."""

from domain.values.refusal import Refused


class ChallengeOver(Refused):
    """The challenge has ended."""


class RuleRefused(Refused):
    """A rule of the plan forbids it."""


class NotTheCurrentAccount(Refused):
    """The account is not the one that the challenge is in now."""


class NotPaid(Refused):
    """It was not allowed when it would have been charged, and is now: buy again."""


class ChallengeNotBreached(Refused):
    """No breach has ended the challenge, so there is none to undo."""
