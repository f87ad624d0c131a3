"""Whether a market has a price now at which something that waits may fill."""

from domain.values.market import Moment
from domain.values.session import closes_next, is_open


def has_price(symbol: str, moment: Moment) -> bool:
    """A market that has opened again has no price before its first quote."""
    if symbol in moment.market.suspended:
        return False
    sessions = moment.market.instrument(symbol).sessions
    quoted_at = moment.market.quote(symbol).at
    if not (is_open(sessions, moment.at) and is_open(sessions, quoted_at)):
        return False
    closed_at = closes_next(sessions, quoted_at)
    return closed_at is None or closed_at > moment.at
