"""Whatever the body is, every door answers with a problem, and never with a 5xx."""

from collections.abc import AsyncIterator, Iterator

import pytest
from httpx import AsyncClient, Response
from litestar import Litestar
from litestar.routes import HTTPRoute

from api.intake import BODY_BYTES, DEPTH, depth_of, plain_json
from api.problems import MEDIA_TYPE, Problem
from tests.doors.conftest import LogIn
from tests.doors.hostile import HOSTILE

JSON = {"Content-Type": "application/json"}
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "doc_url"}


def doors_with_a_body(app: Litestar) -> Iterator[tuple[str, str, bool]]:
    """List each method and path that reads a body, and whether it must have one."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                field = handler.parsed_data_field
                for method in handler.http_methods:
                    if field is not None:
                        path = route.path_format.replace("{", "").replace("}", "")
                        yield method, path, not field.has_default


def assert_is_problem(answer: Response, *codes: str) -> None:
    body = answer.json()
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert set(body) >= MEMBERS
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert not codes or body["code"] in codes


async def test_every_door_refuses_every_hostile_body(
    app: Litestar, http: AsyncClient, log_in: LogIn
) -> None:
    bearer = await log_in("admin@tradesense.ai", "admin123")
    doors = list(doors_with_a_body(app))
    assert doors
    for method, path, is_needed in doors:
        for name, body in HOSTILE.items():
            if body in {b"", b"null"} and not is_needed:
                continue
            answer = await http.request(
                method, path, content=body, headers=JSON | bearer
            )
            assert answer.status_code == 400, (method, path, name, answer.text)
            assert_is_problem(answer, "malformed-json", "invalid-request")


async def test_too_much_is_refused_by_every_door(
    app: Litestar, http: AsyncClient, log_in: LogIn
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (BODY_BYTES // 4)

    bearer = await log_in("admin@tradesense.ai", "admin123")
    for method, path, _ in doors_with_a_body(app):
        for content in (b" " * (BODY_BYTES + 1), chunks()):
            answer = await http.request(
                method, path, content=content, headers=JSON | bearer
            )
            assert answer.status_code == 413, (method, path)
            assert_is_problem(answer, "body-too-large")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        JSON | {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_other_media_types_are_refused(
    http: AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.post("/api/v1/auth/login", content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert_is_problem(answer, "unsupported-media-type")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/html", 406),
        ("application/xml, text/*", 406),
        ("application/json", 200),
        ("application/*", 200),
        ("text/html, */*;q=0.1", 200),
    ],
)
async def test_only_json_is_spoken(http: AsyncClient, accept: str, status: int) -> None:
    answer = await http.get("/api/v1/ping", headers={"Accept": accept})
    assert answer.status_code == status


async def test_errors_name_the_place(http: AsyncClient) -> None:
    answer = await http.post(
        "/api/v1/auth/login", json={"email": "a@b.c", "password": 7}
    )
    assert answer.json()["errors"] == [
        {"path": "password", "reason": "Expected `str`, got `int`"}
    ]
    answer = await http.post(
        "/api/v1/auth/login", json={"email": "a@b.c", "password": "x", "admin": True}
    )
    assert [fault["path"] for fault in answer.json()["errors"]] == ["admin"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/api/v1/nowhere", 404, "not-found"),
        ("GET", "/schema/nowhere", 404, "not-found"),
        ("GET", "/docs/assets/../../app.py", 404, "not-found"),
        ("GET", "/docs/assets/%2e%2e/%2e%2e/app.py", 404, "not-found"),
        ("DELETE", "/api/v1/ping", 405, "method-not-allowed"),
        ("GET", "/api/v1/ping%00", 400, "invalid-request"),
        ("GET", "/api/v1/ping?x=%00", 400, "invalid-request"),
        ("GET", "/api/v1/dev/mail", 400, "invalid-request"),
    ],
)
async def test_odd_addresses_get_problems(
    http: AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert_is_problem(answer, code)
    if status == 405:
        assert "GET" in answer.headers["allow"]


async def test_a_request_id_is_ours(http: AsyncClient) -> None:
    answer = await http.get("/api/v1/ping", headers={"X-Request-Id": "mine"})
    assert answer.headers["x-request-id"] != "mine"


async def test_answers_carry_safe_headers(http: AsyncClient) -> None:
    answer = await http.get("/api/v1/ping")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_brackets_in_texts_are_no_depth() -> None:
    assert depth_of(r'{"a":"[[[\"[[[","b":[]}') == 2
    assert plain_json(b'{"a":"%s"}' % (b"[" * 1000)) == {"a": "[" * 1000}


def test_the_deepest_allowed_body_is_read() -> None:
    plain_json(b"[" * DEPTH + b"]" * DEPTH)
    with pytest.raises(Problem):
        plain_json(b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1))


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert plain_json(rb'"\ud83d\ude00 \\u0000"') == "😀 \\u0000"
