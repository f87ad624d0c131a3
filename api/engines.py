"""The engines of this process: up before the first request, down after the last."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from litestar import Litestar

from application.engine.host import Host
from application.gateway import LIVE_PARTITION, LocalGateway
from application.live_venue import feed_live_venue, open_live_venue
from application.market_feed import MarketFeed
from application.standard_plans import offer_standard_plans
from domain.values.instrument import Instrument

log = structlog.get_logger("tradesense.engine")


def told_of(feeding: asyncio.Task[None]) -> None:
    """Without its feed the market falls silent, which is an alarm; say why."""
    if not feeding.cancelled() and (fault := feeding.exception()) is not None:
        log.critical("feed-broke", cause=type(fault).__name__)


class Engines:
    def __init__(
        self,
        hosts: Callable[[], dict[str, Host]],
        instruments: tuple[Instrument, ...],
        feed: MarketFeed | None,
    ) -> None:
        self._make = hosts
        self._instruments = instruments
        self._feed = feed
        self._hosts: dict[str, Host] = {}
        self.gateway = LocalGateway(self._hosts)
        self.running: Mapping[str, Host] = self._hosts  # once all have recovered

    def state(self) -> str:
        """Answer what `/ready` shows."""
        if not self._hosts:
            return "starting"
        writing = all(host.is_writing for host in self._hosts.values())
        return "ready" if writing else "stopped"

    @asynccontextmanager
    async def alive(self, _: Litestar) -> AsyncIterator[None]:
        try:
            live = await self._started()
        except Exception:
            log.exception("engine-not-started")  # the server itself says only that
            raise
        feeding = None
        if self._feed is not None:
            feeding = asyncio.create_task(feed_live_venue(live, self._feed))
            feeding.add_done_callback(told_of)
        try:
            yield
        finally:
            if feeding is not None:
                feeding.cancel()
            for host in self._hosts.values():
                await host.stop()

    async def _started(self) -> Host:
        made = self._make()
        await asyncio.gather(*(host.start(self._on_end) for host in made.values()))
        self._hosts.update(made)
        live = self._hosts[LIVE_PARTITION]
        await open_live_venue(live, self._instruments)
        await offer_standard_plans(live)
        return live

    def _on_end(self, error: BaseException | None) -> None:
        """Without its writer a process only pretends: end, and let it be restarted."""
        if error is not None:
            log.critical("engine-ended", error=repr(error))
            os.kill(os.getpid(), signal.SIGTERM)
