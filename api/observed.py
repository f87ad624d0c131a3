"""Each request is counted, timed and written down once it has been answered."""

from time import perf_counter
from typing import Final, Protocol

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

from api.problems import report, request_id_of

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
NO_ROUTE: Final = "-"


class AccessLog(Protocol):
    def __call__(
        self, *, request_id: str, method: str, route: str, status: int, seconds: float
    ) -> None: ...


class RequestMetrics:
    """Counted by route, never by address: the number of series stays bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answered = Counter(
            "tradesense_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "tradesense_http_request_seconds",
            "Time from the first byte in to the last byte out.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Find the series in a dict of ours: the library's look-up costs more."""
        key = (method, route, status)
        if (series := self._series.get(key)) is None:
            series = self._series[key] = (
                self.answered.labels(method, route, status),
                self.seconds.labels(method, route),
            )
        answered, timed = series
        answered.inc()
        timed.observe(seconds)


def observed(app: ASGIApp, metrics: RequestMetrics, access_log: AccessLog) -> ASGIApp:
    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, note_status)
        except Exception as error:
            report(error, request_id_of(scope))
            raise
        finally:
            seconds = perf_counter() - started
            route = scope.get("path_template") or NO_ROUTE
            method = scope["method"] if route != NO_ROUTE else NO_ROUTE
            metrics.note(method, route, status, seconds)
            access_log(
                request_id=request_id_of(scope),
                method=method,
                route=route,
                status=status,
                seconds=seconds,
            )

    return watch
