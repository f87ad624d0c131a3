"""What is known of an event beside what it says: where, when, why and by whom."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, json


class Envelope(Struct, frozen=True, kw_only=True):
    venue: str | None
    as_of_tick: int  # the last tick applied before deciding
    engine_time: datetime
    command_id: UUID | None
    causation: str  # "command", "tick:<n>", "boundary", or the event that led to it
    correlation: str  # the request, or whatever else began it all
    actor: str  # a trader's id, "policy:<name>", "venue" or "system"
    recorded_at: datetime


written = json.Encoder().encode
