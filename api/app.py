"""The frame in which every route hangs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry

from api.console.rendering import template_config
from api.docs import docs_router
from api.doors import (
    Authenticate,
    Confirm,
    caller,
    confirming,
    doorkeeper,
    refuse_doorless,
)
from api.headers import with_safe_headers
from api.health import Probes, greeting_router, health_router
from api.intake import JsonRequest
from api.metrics import metrics
from api.observed import AccessLog, RequestMetrics, observed
from api.problems import answer
from api.schema import openapi_config

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(  # noqa: PLR0913 - the frame's whole shopping list, all by name
    *,
    routes: Sequence[ControllerRouterHandler],
    dependencies: Mapping[str, Provide],
    authenticate: Authenticate,
    confirm: Confirm,
    probes: Probes,
    registry: CollectorRegistry,
    access_log: AccessLog,
    lifespan: Sequence[Lifespan] = (),
    metrics_are_public: bool = False,
) -> Litestar:
    app = Litestar(
        route_handlers=[health_router, greeting_router, docs_router, metrics, *routes],
        dependencies={
            "caller": Provide(caller, sync_to_thread=False),
            "probes": always(probes),
            "registry": always(registry),
            "metrics_are_public": always(metrics_are_public),
            **dependencies,
        },
        middleware=[doorkeeper(authenticate), confirming(confirm)],
        request_class=JsonRequest,
        exception_handlers={Exception: answer},
        openapi_config=openapi_config(),
        lifespan=list(lifespan),
        template_config=template_config(),
        logging_config=None,
        debug=False,
    )
    refuse_doorless(app)
    app.asgi_handler = with_safe_headers(
        observed(app.asgi_handler, RequestMetrics(registry), access_log)
    )
    return app


def always(value: Any) -> Provide:  # noqa: ANN401 - whatever a handler asks for
    """Provide one and the same thing to every handler that names it."""
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)
