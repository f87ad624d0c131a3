"""Both doors of the streams are on one path."""

from litestar import Router

from api.streaming.sse import stream
from api.streaming.websocket import converse


def stream_router() -> Router:
    return Router("/api/v1", route_handlers=[stream, converse], tags=["stream"])
