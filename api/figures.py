"""What the engines have counted, in the words that Prometheus reads.

Engines keep plain numbers; they are put into words when somebody looks, and the
database is asked then too. What is known of a partition carries its name, and nothing
carries the name of an account, a trader or a sandbox.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Final

import psycopg
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from application.engine.deciding import LIVE
from application.engine.host import Host
from application.engine.tally import Spread
from projections.asking import Pool
from projections.watched import Watched, watched

LOOK_SECONDS: Final = 1.0
PREFIX: Final = "tradesense"

Hosts = Mapping[str, Host]
Reading = Callable[[Host], float]

COUNTERS: Final[Mapping[str, tuple[str, Reading]]] = {
    "quotes_accepted": (
        "Quotes that the gates have given a number.",
        lambda host: host.tally.quotes,
    ),
    "store_outages": (
        "Times that the log stopped answering its engine.",
        lambda host: host.tally.outages,
    ),
    "engine_fenced": (
        "Engines that another owner of the partition has ended.",
        lambda host: host.tally.fenced,
    ),
    "checkpoint_failures": (
        "Checkpoints that could not be saved.",
        lambda host: host.tally.failed_checkpoints,
    ),
}
GAUGES: Final[Mapping[str, tuple[str, Reading]]] = {
    "commands_waiting": (
        "Commands that no batch has taken yet.",
        lambda host: host.engine.queued,
    ),
    "log_position": (
        "Position of the last event that is on disk.",
        lambda host: host.engine.head.position,
    ),
    "engine_writing": (
        "1 while the partition has a writer here.",
        lambda host: host.is_writing,
    ),
    "engine_epoch": (
        "How often the partition has changed its owner.",
        lambda host: host.engine.head.epoch,
    ),
    "store_trouble_seconds": (
        "How long the log has not been answering its engine.",
        lambda host: host.engine.journal.trouble_seconds,
    ),
    "policy_lag_events": (
        "Events whose follow-ups have not been asked for yet.",
        lambda host: host.engine.head.position - host.policy.position,
    ),
    "checkpoint_age_seconds": (
        "Age of the saved images; 0 while they lack nothing.",
        lambda host: host.checkpoint_seconds,
    ),
    "recovery_seconds": (
        "What the last start took, from owning the log to the first command.",
        lambda host: host.tally.recovery_seconds,
    ),
    "recovery_lease_seconds": (
        "Of that, waiting only for the lease of the owner before.",
        lambda host: host.tally.lease_seconds,
    ),
    "accounts_exposed": (
        "Accounts that a quote can move.",
        lambda host: sum(each.screen.exposed for each in host.engine.venues.values()),
    ),
    "accounts_unjudged": (
        "Accounts that are not judged yet by all that has happened.",
        lambda host: sum(len(each.backlog) for each in host.engine.venues.values()),
    ),
    "judging_lag": (
        "Quotes and turns of the day that some account has not been judged by yet.",
        lambda host: sum(each.backlog.kept for each in host.engine.venues.values()),
    ),
    "symbols_quarantined": (
        "Symbols whose source is at fault: nobody is judged by their price.",
        lambda host: sum(
            len(each.shown.suspended) for each in host.engine.venues.values()
        ),
    ),
}


class Figures(Collector):
    """`look` first, then let the registry collect."""

    def __init__(self, hosts: Hosts, pool: Pool) -> None:
        self._hosts = hosts
        self._pool = pool
        self._watched: tuple[Watched, ...] | None = None

    async def look(self) -> None:
        """Ask the database, bounded; that it does not answer is a figure too."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                self._watched = await watched(self._pool)
        except (TimeoutError, psycopg.Error):
            self._watched = None

    def collect(self) -> Iterator[Metric]:
        for name, (told, reading) in COUNTERS.items():
            yield by_partition(counter(name, told), self._hosts, reading)
        for name, (told, reading) in GAUGES.items():
            yield by_partition(gauge(name, told), self._hosts, reading)
        yield from self._by_kind()
        yield from self._spreads()
        yield from self._of_the_database()
        yield self._silence()

    def _by_kind(self) -> Iterator[Metric]:
        commands = counter("commands", "Commands, by what became of them.", "outcome")
        events = counter("events", "Events stored, by name.", "name")
        refused = counter("quotes_refused", "Quotes that a gate refused.", "reason")
        lost = counter("quotes_lost", "Live quotes that no engine took.", "because")
        for partition, host in self._hosts.items():
            for family, counts in (
                (commands, host.tally.commands),
                (events, host.tally.events),
                (refused, host.tally.refused_quotes),
                (lost, host.tally.lost_quotes),
            ):
                for kind, count in counts.items():
                    family.add_metric((partition, kind), count)
        return iter((commands, events, refused, lost))

    def _spreads(self) -> Iterator[Metric]:
        batches = histogram("batch_events", "Events in a batch, by batch.")
        commits = histogram("commit_seconds", "From sending a batch to its being kept.")
        for partition, host in self._hosts.items():
            add(batches, partition, host.tally.batches)
            add(commits, partition, host.tally.commits)
        return iter((batches, commits))

    def _of_the_database(self) -> Iterator[Metric]:
        known = self._watched or ()
        answered = gauge_of_all("database_answers", "1 if it told what stands here.")
        answered.add_metric((), self._watched is not None)
        parked = gauge("parked", "What failed and nobody has decided about.", "kind")
        for each in known:
            for kind, count in each.parked.items():
                parked.add_metric((each.partition, kind), count)
        lag = gauge("projector_lag_events", "Events that the tables lack.")
        late = gauge("projector_lag_seconds", "Age of the oldest event they lack.")
        frozen = gauge("accounts_frozen", "Accounts that wait for somebody to look.")
        holes = gauge("position_gap", "1 if the log lacks what the tables need next.")
        for each in known:
            lag.add_metric((each.partition,), each.lag.lag_events)
            late.add_metric((each.partition,), each.lag.lag_seconds)
            frozen.add_metric((each.partition,), each.frozen_accounts)
            holes.add_metric((each.partition,), each.has_hole)
        return iter((answered, parked, lag, late, frozen, holes))

    def _silence(self) -> Metric:
        silence = gauge_of_all("feed_silence_seconds", "Since the live market spoke.")
        for host in self._hosts.values():
            live = host.engine.venues.get(LIVE)
            if live is not None and (heard := live.shown.heard_at) is not None:
                since = host.engine.clock.now() - heard
                silence.add_metric((), max(0.0, since.total_seconds()))
        return silence


def by_partition(
    family: CounterMetricFamily | GaugeMetricFamily, hosts: Hosts, reading: Reading
) -> Metric:
    for partition, host in hosts.items():
        family.add_metric((partition,), reading(host))
    return family


def counter(name: str, told: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}_{name}", told, labels=("partition", *labels))


def gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", told, labels=("partition", *labels))


def gauge_of_all(name: str, told: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", told, labels=())


def histogram(name: str, told: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"{PREFIX}_{name}", told, labels=("partition",))


def add(family: HistogramMetricFamily, partition: str, spread: Spread) -> None:
    """Prometheus adds up: each bound counts all that fell under it."""
    bounds = (*(f"{bound:g}" for bound in spread.bounds), "+Inf")
    buckets = list(zip(bounds, accumulate(spread.counts), strict=True))
    family.add_metric((partition,), buckets, spread.sum)
