"""Whatever stands in an address, the answer is a problem, and never a 5xx."""

from collections.abc import Iterator

from httpx import AsyncClient
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.doors.conftest import LogIn
from tests.doors.test_hostile_bodies import assert_is_problem

HOSTILE = (
    "%00",
    "a%00b",
    "%ff%fe",
    "%ED%A0%80",
    "..%2f..%2fetc",
    "' OR 1=1",
    "%0a",
    "a" * 5_000,
    "٣",
    "-1",
    "{}",
    "null",
)


def addresses(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "{" in route.path_format:
            start, _, rest = route.path_format.partition("{")
            end = rest.partition("}")[2]
            for handler in route.route_handlers:
                for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                    if "{" not in end and "/static" not in start:
                        yield method, f"{start}%s{end}"


async def test_every_address_refuses_every_hostile_name(
    app: Litestar, http: AsyncClient, log_in: LogIn, projected: None
) -> None:
    bearer = await log_in("admin@tradesense.ai", "admin123")
    asked = list(addresses(app))
    assert asked
    for method, path in asked:
        for name in HOSTILE:
            answer = await http.request(
                method,
                path % name,
                headers=bearer,
                json={} if method != "GET" else None,
            )
            assert 400 <= answer.status_code < 500, (method, path, name, answer.text)
            assert_is_problem(answer)


async def test_every_parameter_refuses_or_ignores_every_hostile_value(
    http: AsyncClient, log_in: LogIn, projected: None
) -> None:
    bearer = await log_in("admin@tradesense.ai", "admin123")
    document = (await http.get("/schema/openapi.json")).json()
    asked = [
        (path.replace("{", "").replace("}", ""), parameter["name"])
        for path, doors in document["paths"].items()
        for parameter in doors.get("get", {}).get("parameters", ())
        if parameter["in"] == "query"
    ]
    assert len(asked) > 10
    for path, parameter in asked:
        for value in HOSTILE:
            answer = await http.get(f"{path}?{parameter}={value}", headers=bearer)
            assert answer.status_code < 500 or answer.status_code == 503, (
                path,
                parameter,
                value,
                answer.text,
            )
            if answer.status_code >= 400:
                assert_is_problem(answer)
