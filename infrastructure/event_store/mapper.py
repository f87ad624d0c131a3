"""Between the library's stored events and our facts: stable names, readable JSON.

The library would store module paths as topics and run upcasters of its own; here the
topic is the name in `application.catalogue` and the state is its JSON.
"""

from typing import Any

from eventsourcing.persistence import Mapper, StoredEvent
from msgspec import Struct

from application import catalogue
from infrastructure.event_store.upcasters import upcast


class Told(Struct, frozen=True, kw_only=True):
    """A fact with its place in its stream, as the library wants its events."""

    originator_id: str
    originator_version: int
    fact: catalogue.Fact


class FactMapper(Mapper[Any]):
    """For an `eventsourcing` application: `MAPPER_TOPIC` names this class."""

    def to_stored_event(self, domain_event: Told) -> StoredEvent:  # type: ignore[override]  # facts only
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=catalogue.name_of(domain_event.fact),
            state=catalogue.encode(domain_event.fact),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Told:
        name, payload = upcast(stored_event.topic, stored_event.state)
        return Told(
            originator_id=str(stored_event.originator_id),
            originator_version=stored_event.originator_version,
            fact=catalogue.decode(name, payload),
        )
