"""The live market: opened once, then fed for as long as the engine runs."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from application.engine.asks import Ask, OpenVenue, Poisoned, SentQuote, TakeQuotes
from application.engine.deciding import LIVE
from application.engine.host import Host
from application.engine.tally import outcome
from application.market_feed import MarketFeed
from application.refusals import Waitable
from domain.values.instrument import Instrument
from domain.venue.gate import LIVE_GATE, RawQuote

log = structlog.get_logger("tradesense.feed")

STALE_AFTER_SECONDS: Final = 60
PATIENCE_SECONDS: Final = 0.2


async def open_live_venue(host: Host, instruments: tuple[Instrument, ...]) -> None:
    """Do nothing where it is open already: a venue keeps what it was opened with."""
    if LIVE in host.engine.venues:
        return
    command = OpenVenue(
        venue_id=LIVE,
        owner=None,
        starts_at=host.engine.clock.now(),
        instruments=instruments,
        gate=LIVE_GATE,
        stale_after_seconds=STALE_AFTER_SECONDS,
    )
    await host.engine.ask(asked(command, "open-live-venue"))
    host.keep_time()


async def feed_live_venue(host: Host, feed: MarketFeed) -> None:
    """Wait for each batch to be durable: a slow log slows the feed, nothing queues."""
    async for quotes in feed.quotes():
        try:
            await host.engine.ask(asked(sent(quotes), "feed"))
        except Waitable as trouble:
            host.tally.lost_quotes[outcome(trouble)] += len(quotes)
            log.warning("quotes-lost", because=str(trouble), quotes=len(quotes))
            await asyncio.sleep(PATIENCE_SECONDS)
        except Poisoned:
            host.tally.lost_quotes["parked"] += len(quotes)
            log.error("quotes-parked", quotes=len(quotes))  # noqa: TRY400 - told before
    log.warning("feed-ended")


def sent(quotes: Sequence[RawQuote]) -> TakeQuotes:
    return TakeQuotes(
        venue_id=LIVE,
        quotes=tuple(
            SentQuote(
                symbol=each.symbol,
                bid=each.bid,
                ask=each.ask,
                at=each.at,
                source_at=each.source_at,
                source=each.source,
            )
            for each in quotes
        ),
    )


def asked(command: OpenVenue | TakeQuotes, request_id: str) -> Ask:
    return Ask(
        stream=f"venue-{LIVE}",
        command=command,
        actor="venue",
        owner=None,
        request_id=request_id,
    )
