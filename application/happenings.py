"""What has just become durable, for those who show it to people."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import structlog

from application.engine.deciding import LIVE
from application.engine.draft import Draft
from application.engine.host import Host
from application.gateway import LIVE_PARTITION
from domain.account.state import Account
from domain.values.quote import Quote

log = structlog.get_logger("tradesense.engine")

Listener = Callable[[str, Draft], None]


class Happenings(Protocol):
    """Where the engines run is not for those to know who listen."""

    def tell(self, listener: Listener) -> None:
        """Call it with the partition and with each batch that is on disk."""
        ...

    def symbols(self) -> frozenset[str]:
        """What the live venue trades."""
        ...

    def quotes(self) -> Mapping[str, Quote]:
        """The last durable quote of each symbol of the live venue.

        While nothing has changed it is the same object.
        """
        ...

    def account(self, partition: str, account_id: str) -> Account | None: ...


class LocalHappenings:
    """The engines run in this very process and event loop."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._listeners: list[Listener] = []

    def of(self, hosts: dict[str, Host]) -> dict[str, Host]:
        """Listen to engines that are about to start."""
        for partition, host in hosts.items():
            host.engine.on_commit.append(partial(self._heard, partition))
        self._hosts = hosts
        return hosts

    def tell(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def symbols(self) -> frozenset[str]:
        venues = self._hosts[LIVE_PARTITION].engine.venues
        return frozenset(venues[LIVE].instruments) if LIVE in venues else frozenset()

    def quotes(self) -> Mapping[str, Quote]:
        venues = self._hosts[LIVE_PARTITION].engine.venues
        return venues[LIVE].shown.quotes if LIVE in venues else {}

    def account(self, partition: str, account_id: str) -> Account | None:
        entry = self._hosts[partition].engine.memory.shown(f"account-{account_id}")
        if entry is None:
            return None
        assert isinstance(entry.state, Account)
        return entry.state

    def _heard(self, partition: str, draft: Draft) -> None:
        """Whatever a listener makes of it, the engine goes on."""
        for listener in self._listeners:
            try:
                listener(partition, draft)
            except Exception:
                log.exception("listener-failed", partition=partition)
