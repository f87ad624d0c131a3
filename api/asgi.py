"""One process that serves the API: uvicorn on uvloop, parsed by httptools."""

import gc
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from litestar import Litestar

from api.bootstrap import build
from api.listening import ImpatientProtocol, SpeakingProtocol
from infrastructure.clock import SystemClock
from infrastructure.log import start_log
from infrastructure.settings import load_settings

GRACE_SECONDS: Final = 10
KEEP_ALIVE_SECONDS: Final = 75
FRAME_BYTES: Final = 64 * 1024


def create_app() -> Litestar:
    """Build from the environment; a factory for `uvicorn --factory`."""
    writer = start_log(SystemClock())

    @asynccontextmanager
    async def written(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            writer.close()

    app = build(load_settings(), around=(written,))
    # What lives as long as the process need not be looked at by every collection.
    gc.freeze()
    gc.set_threshold(1000, 10, 50)
    return app


def serve(app: Litestar, host: str, port: int) -> None:
    """Answer until SIGTERM; requests in flight then have ten seconds to end."""
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal once more when it is done: that is no failure.
        signal.signal(stop, signal.SIG_IGN)
    uvicorn.Server(listening_config(app, host, port)).run()


def listening_config(app: Litestar, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=ImpatientProtocol,
        ws=SpeakingProtocol,
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,  # the frames of a stream are made for many
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
