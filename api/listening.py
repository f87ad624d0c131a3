"""A connection that dawdles over its request, or talks no HTTP, is ended.

One that becomes a stream is handed on as a `Line`, in the scope of its request.
"""

import asyncio
from typing import Final, cast

import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from api.intake import RECEIVE_SECONDS
from api.problems import MEDIA_TYPE, Problem, body_of
from api.streaming.line import EXTENSION, Line

HEAD_BYTES: Final = 64 * 1024
PATIENCE_SECONDS: Final = RECEIVE_SECONDS + 2  # the intake's own answer comes first


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn waits for ever for the rest of a request; this does not."""

    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = True
    _head_bytes = 0  # received while the head is unfinished
    _field_bytes = 0  # of the finished fields of one head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._line = Line(self.transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES:
            self.send_400_response("the head of the request is too long")

    def on_message_begin(self) -> None:
        self._is_in_head, self._head_bytes, self._field_bytes = True, 0, 0
        self._expect()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._field_bytes += len(name) + len(value)
        if self._field_bytes > HEAD_BYTES:
            raise ValueError("a head this long")  # the parser turns it into a 400
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self.scope["extensions"] = {EXTENSION: {"line": self._line}}
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        self._settle()
        super().on_message_complete()

    def shutdown(self) -> None:
        super().shutdown()
        if self._line.is_taken:  # a stream has no end to wait for
            self.transport.close()
            self._line.give_up()

    def send_400_response(self, msg: str) -> None:
        request_id = str(uuid_utils.uuid7())
        body = body_of(Problem("invalid-request", msg), request_id)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\n"
            b"content-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n"
            b"connection: close\r\n\r\n%b"
            % (MEDIA_TYPE.encode(), len(body), request_id.encode(), body)
        )
        self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        self._settle()
        super().handle_websocket_upgrade()

    def _expect(self) -> None:
        self._settle()
        self._deadline = self.loop.call_later(PATIENCE_SECONDS, self._give_up)

    def _settle(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()


class SpeakingProtocol(WebSocketsSansIOProtocol):
    """uvicorn shakes hands, listens and pings; what is sent goes over the line."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_complete:
            return  # it was no handshake, and has been refused
        self.scope["extensions"] = {
            **(self.scope["extensions"] or {}),
            EXTENSION: {"line": Line(self.transport)},
        }
