"""Commands that ask the running API, as an admin who is signed in for that."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

import click
import httpx
from msgspec import Struct

from api.cli.refusing import settings
from api.demo.main import base_url
from infrastructure.identity.seed import DEV_PEOPLE
from infrastructure.settings import Environment, Settings

PATIENCE_SECONDS: Final = 10.0
ADMIN: Final = next(each for each in DEV_PEOPLE if each.handle == "admin")


class Admin(Struct, frozen=True):
    url: str | None
    email: str | None
    password: str | None


def as_admin(function: Callable[..., None]) -> Callable[..., None]:
    """Ask who it is, as options; the command gets them as one `admin`."""

    @wraps(function)
    def asked(
        *said: object,
        url: str | None,
        email: str | None,
        password: str | None,
        **rest: object,
    ) -> None:
        function(*said, admin=Admin(url, email, password), **rest)

    asking: Callable[..., None] = asked
    for option in (
        click.option("--json", "as_json", is_flag=True),
        click.option("--password", envvar="TS_ADMIN_PASSWORD", help="Of the admin."),
        click.option("--email", envvar="TS_ADMIN_EMAIL", help="In dev: the dev admin."),
        click.option("--url", help="Of the running API; else HOST and PORT."),
    ):
        asking = option(asking)
    return asking


def asked_as(
    admin: Admin, path: str, body: Mapping[str, Any] | None, method: str = "POST"
) -> dict[str, Any]:
    """Raise `ClickException` where nobody answers, or the answer is no."""
    asked = settings()
    where = admin.url or base_url(asked.host, asked.port)
    try:
        with httpx.Client(base_url=where, timeout=PATIENCE_SECONDS) as http:
            headers = _signed_in(http, admin, asked)
            return _accepted(http.request(method, path, json=body, headers=headers))
    except httpx.HTTPError as trouble:
        raise click.ClickException(
            f"Nobody answers at {where}: say where TradeSense runs with --url."
        ) from trouble


def _signed_in(http: httpx.Client, admin: Admin, asked: Settings) -> dict[str, str]:
    email, password = admin.email, admin.password
    if asked.env is Environment.DEV:
        email, password = email or ADMIN.email, password or ADMIN.password
    if not (email and password):
        raise click.ClickException("Set TS_ADMIN_EMAIL and TS_ADMIN_PASSWORD.")
    person = {"email": email, "password": password}
    tokens = _accepted(http.post("/api/v1/auth/login", json=person))
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _accepted(answer: httpx.Response) -> dict[str, Any]:
    said: dict[str, Any] = answer.json()
    if answer.is_success:
        return said
    reasons = "".join(f"; {e['path']} {e['reason']}" for e in said.get("errors", ()))
    raise click.ClickException(f"{said['code']}: {said['detail']}{reasons}")
