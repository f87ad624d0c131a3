"""From a request to a command, and from what was decided to the answer."""

from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
from litestar import Request, Response
from msgspec import Struct

from api.conventions import POSITION_HEADER, command_id, idempotency_key
from api.problems import MEDIA_TYPE, Problem, body_of, request_id_of
from application.caller import Caller, Role
from application.engine.asks import Answer, Ask, Command, Refusal, VenueCommand
from application.gateway import Gateway

JSON: Final = "application/json"
REPLAYED: Final = "Idempotency-Replayed"
STAFF: Final = (Role.AUDITOR, Role.SUPPORT, Role.RISK, Role.ADMIN)
CLIENT_ORDERS: Final = UUID("0f5a5be6-6a53-5e0f-8d0d-2f3a7c9b1d20")

AnyRequest = Request[Any, Any, Any]


class Asking:
    """One request of one caller, on its way to an engine."""

    def __init__(self, request: AnyRequest, caller: Caller, body: Struct) -> None:
        path = request.scope["path"]
        key = idempotency_key(request)
        self.caller = caller
        self.request_id = request_id_of(request.scope)
        self._is_keyed = key is not None
        self.command_id = command_id(caller.trader_id, request.method, path, key)
        self._hash = sha256(msgspec.json.encode(body)).digest()

    def id_for(self, what: str) -> str:
        """Derive an id, so that the same request names the same thing again."""
        return str(uuid5(self.command_id, what))

    async def answer(
        self,
        gateway: Gateway,
        partition: str,
        stream: str,
        command: Command | VenueCommand,
        *,
        natural_id: UUID | None = None,
        by_house: bool = False,
    ) -> Response[Any]:
        """`by_house`: the stream need not be the caller's own."""
        told = await gateway.ask(
            partition,
            Ask(
                stream=stream,
                command=command,
                actor=self.caller.trader_id,
                owner=None if by_house else self.caller.trader_id,
                request_id=self.request_id,
                command_id=self.command_id,
                is_kept=self._is_keyed,
                request_hash=self._hash,
                natural_id=natural_id,
            ),
        )
        return answered(told, partition)


def answered(told: Answer, partition: str) -> Response[Any]:
    headers = {POSITION_HEADER: f"{partition}-{told.position}"}
    if told.is_replayed:
        headers[REPLAYED] = "true"
    if not told.is_refused:
        return Response(
            told.body, status_code=told.status, headers=headers, media_type=JSON
        )
    refusal = msgspec.json.decode(told.body, type=Refusal)
    problem = Problem(
        refusal.code,
        refusal.detail,
        arithmetic=refusal.arithmetic,
        findings=refusal.findings,
    )
    return Response(
        body_of(problem, refusal.request_id),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def owner_for(caller: Caller) -> str | None:
    """Whose things the caller may see: their own, or, for staff, everybody's."""
    return None if caller.has(*STAFF) else caller.trader_id


def client_order(account_id: str, client_order_id: str | None) -> UUID | None:
    if client_order_id is None:
        return None
    return uuid5(CLIENT_ORDERS, f"{account_id}\n{client_order_id}")
