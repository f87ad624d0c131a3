"""The same streams both ways: a client says what it wants, and how far it has come."""

import asyncio
from contextlib import suppress
from typing import Any, Final, assert_never

import msgspec
from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import SkipValidation
from msgspec import Struct

from api.doors import ANYONE
from api.problems import INTERNAL, problem_of, report, request_id_of
from api.streaming.framing import texts
from api.streaming.hub import Change
from api.streaming.line import GRACE_SECONDS, address_of, line_of
from api.streaming.messages import (
    MOST_CHANNELS,
    Ack,
    Auth,
    Authenticated,
    Denied,
    Said,
    Subscribe,
    Unsubscribe,
)
from api.streaming.streams import UNAUTHENTICATED, Streams
from api.streaming.subscriber import Subscriber
from application.caller import Caller
from application.refusals import Busy, Unauthenticated

MALFORMED: Final = 4400
SILENT: Final = 4408
TOO_MANY: Final = 4429
BROKEN: Final = 1011
COME_AGAIN: Final = 1013
MESSAGE_BYTES: Final = 16 * 1024
MOST_A_SECOND: Final = 100

Socket = WebSocket[Any, Any, Any]
SAID: Final[msgspec.json.Decoder[Said]] = msgspec.json.Decoder(Said)


@websocket("/stream", opt=dict(ANYONE))
async def converse(
    socket: Socket, streams: NamedDependency[SkipValidation[Streams]]
) -> None:
    await socket.accept()
    line, address = line_of(socket.scope), address_of(socket.scope)
    line.take()
    try:
        with streams.subscriber(line, texts, address) as subscriber:
            code = await Conversation(socket, streams, subscriber).run()
    except Busy:
        code = TOO_MANY
    finally:
        line.give_up()
    if code is not None:
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(GRACE_SECONDS):
                await socket.close(code)


class Conversation:
    def __init__(
        self, socket: Socket, streams: Streams, subscriber: Subscriber
    ) -> None:
        self._socket = socket
        self._streams = streams
        self._subscriber = subscriber
        self._caller: Caller | None = None
        self._second, self._heard = 0, 0

    async def run(self) -> int | None:
        """Give the code to close with; None: the client has gone."""
        listening = asyncio.create_task(self._listen())
        ended = self._subscriber.ended
        try:
            await asyncio.wait((listening, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
        if ended.done():
            return ended.result()
        if (fault := listening.exception()) is not None:
            report(fault, request_id_of(self._socket.scope))
            return BROKEN
        return None

    async def _listen(self) -> None:
        """Take one message after the other, each once the one before is answered."""
        try:
            async with asyncio.timeout(self._streams.rhythm.first_message_seconds):
                text = await self._received()
        except TimeoutError:
            self._subscriber.end(SILENT)
            return
        while text is not None:
            if self._is_flooding():
                self._subscriber.end(TOO_MANY)
                return
            try:
                said = decoded(text)
            except msgspec.DecodeError:
                self._subscriber.end(MALFORMED)
                return
            await self._answer(said)
            text = await self._received()

    async def _received(self) -> str | bytes | None:
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            return None
        return message.get("text") or message.get("bytes") or b""

    def _is_flooding(self) -> bool:
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._heard = second, 0
        self._heard += 1
        return self._heard > MOST_A_SECOND

    async def _answer(self, said: Said) -> None:
        hub, reader = self._streams.hub, self._subscriber
        match said:
            case Auth():
                await self._authenticate(said.token.encode())
            case Subscribe():
                await hub.change(reader, await self._joining(said))
            case Unsubscribe():
                await hub.change(reader, Change(leaves=said.channels))
            case Ack():
                hub.acknowledge(reader, said.channel, said.seq)
            case _:
                assert_never(said)

    async def _authenticate(self, token: bytes) -> None:
        try:
            caller = await self._streams.authenticate(token)
        except Unauthenticated:
            self._subscriber.end(UNAUTHENTICATED)
            return
        except Exception as error:
            if problem_of(error).code == INTERNAL:
                raise
            self._subscriber.end(COME_AGAIN)
            return
        if self._caller is not None and self._caller.trader_id != caller.trader_id:
            self._subscriber.end(UNAUTHENTICATED)
            return
        self._caller = caller
        self._streams.hold(self._subscriber, token)
        told = Authenticated(caller.trader_id)
        await self._streams.hub.change(self._subscriber, Change(notes=(told,)))

    async def _joining(self, said: Subscribe) -> Change:
        """Open what may be read; say of each of the others why it may not."""
        joins: list[str] = []
        refused: list[Struct] = []
        names = {each.name for each in self._subscriber.channels}
        for name in dict.fromkeys(said.channels):
            names.add(name)
            denied = await self._denied(name, len(names))
            if denied is None:
                joins.append(name)
            else:
                names.discard(name)
                refused.append(denied)
        return Change(
            notes=tuple(refused), joins=tuple(joins), after_seq=said.resume_from
        )

    async def _denied(self, name: str, channels: int) -> Denied | None:
        if channels > MOST_CHANNELS:
            detail = f"at most {MOST_CHANNELS} channels of one stream"
            return Denied(name, "too-many-channels", detail)
        try:
            await self._streams.open(name, self._caller)
        except Exception as error:
            problem = problem_of(error)
            if problem.code == INTERNAL:
                raise
            return Denied(name, problem.code, problem.title)
        return None


def decoded(text: str | bytes) -> Said:
    if len(text) > MESSAGE_BYTES:
        raise msgspec.DecodeError("longer than anything that can be said here")
    return SAID.decode(text)
