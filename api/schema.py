"""The OpenAPI document says what the frame adds to every route: doors and problems."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Request, Router
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.routes import HTTPRoute

from api.doors import ANYONE, DOOR, Door
from api.health import VERSION
from api.problems import MEDIA_TYPE, PROBLEMS, Problem

DOCUMENT: Final = "/openapi.json"
PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
TEXT: Final = {"type": "string"}
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
        "doc_url",
    ],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
        "request_id": TEXT,
        "doc_url": TEXT,
        "arithmetic": {
            "type": "object",
            "required": ["rule", "limit", "actual", "at"],
            "properties": {"rule": TEXT, "limit": TEXT, "actual": TEXT, "at": TEXT},
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "reason"],
                "properties": {"path": TEXT, "reason": TEXT},
            },
        },
        "findings": {"type": "array", "items": {}},
    },
}


class Described(OpenAPIRenderPlugin):
    """Litestar's document, completed once."""

    def __init__(self) -> None:
        super().__init__(path=DOCUMENT, media_type=MediaType.JSON)
        self._document = b""

    def render(
        self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]
    ) -> bytes:
        if not self._document:
            complete(openapi_schema, request.app)
            self._document = msgspec.json.encode(openapi_schema)
        return self._document


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="TradeSense",
        version=VERSION,
        description="The event-sourced core of a proprietary-trading firm.",
        openapi_router=Router(
            "/schema",
            route_handlers=[],
            guards=[only_the_document],
            opt=dict(ANYONE),
            include_in_schema=False,
        ),
        render_plugins=[Described()],
        use_handler_docstrings=True,
    )


async def only_the_document(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """Litestar hangs pages of its own beside the document; here they do not exist."""
    if not connection.scope["path"].endswith(DOCUMENT):
        raise Problem("not-found")


def complete(document: dict[str, Any], app: Litestar) -> None:
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for path, method, door in _doors(app):
        operation = document["paths"].get(path, {}).get(method)
        if operation is not None:
            _complete(operation, door)


def _doors(app: Litestar) -> Iterator[tuple[str, str, Door]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    if door := handler.opt.get(DOOR):
                        yield route.path_format or "/", method.lower(), door


def _complete(operation: dict[str, Any], door: Door) -> None:
    operation["security"] = [] if door.open else [{"bearer": []}]
    responses = operation.setdefault("responses", {})
    body = operation.get("requestBody")
    takes = operation.get("parameters") or body
    in_path = any(p.get("in") == "path" for p in operation.get("parameters", ()))
    wanted = {
        "400": bool(takes),
        "401": not door.open,
        "403": not door.open,
        "404": in_path,
        "413": bool(body),
        "415": bool(body),
    }
    for status, applies in wanted.items():
        if applies:
            responses[status] = _problem(int(status))
        else:
            responses.pop(status, None)
    responses["default"] = {
        "description": "A problem.",
        "content": {MEDIA_TYPE: {"schema": PROBLEM}},
    }


def _problem(status: int) -> dict[str, Any]:
    codes = [code for code, meaning in PROBLEMS.items() if meaning.status == status]
    return {
        "description": ", ".join(codes),
        "content": {MEDIA_TYPE: {"schema": PROBLEM}},
    }
