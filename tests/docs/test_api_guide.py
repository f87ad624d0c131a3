"""Each example of the API guide is sent, in order, and answered as the guide shows."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from httpx import AsyncClient, Response
from msgspec import Struct

from infrastructure.roles import Role
from tests.databases import Database
from tests.docs.fences import blocks, differences
from tests.proofs.product import product, until

PAGE: Final = "docs/api-guide.md"
UP_SECONDS: Final = 120
NAME: Final = re.compile(r"\{(\w+)\}")


class Example(Struct, frozen=True):
    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    status: int
    header: str  # "Name: value" that the answer must carry
    shown: str


async def test_every_example_is_answered_as_shown(database: Database) -> None:
    settings = {
        "TS_ENV": "dev",
        "FEED": "none",
        "DATABASE_URL": database.dsn(Role.OWNER),
        "REDIS_URL": database.servers.redis_url,
    }
    async with product(**settings) as made:
        made.start("api")
        made.start("project")
        async with AsyncClient(base_url=made.url) as http:
            await until(lambda: made.is_ready(http), "it answers", UP_SECONDS)
            known: dict[str, str] = {}
            for example in examples():
                answer = await sent(http, example, known)
                assert not list(unlike(example, answer, known)), (example, answer.text)
                if answer.content:
                    learn(answer.json(), known)


def examples() -> Iterator[Example]:
    for request, answer in pairwise(blocks(PAGE)):
        if request.language == "http":
            assert answer.language == "json", request.text
            head, _, body = request.text.partition("\n\n")
            first, *headers = head.splitlines()
            method, path = first.split()
            status, _, header = answer.about.partition(" ")
            yield Example(
                method=method,
                path=path,
                headers=dict(header.split(": ") for header in headers),
                body=body,
                status=int(status),
                header=header,
                shown=answer.text,
            )


async def sent(http: AsyncClient, example: Example, known: dict[str, str]) -> Response:
    headers = {name: filled(value, known) for name, value in example.headers.items()}
    if example.body:
        headers["Content-Type"] = "application/json"
    return await http.request(
        example.method,
        filled(example.path, known),
        headers=headers,
        content=filled(example.body, known),
    )


def filled(text: str, known: Mapping[str, str]) -> str:
    """Put what earlier answers have said where the guide names it."""
    return NAME.sub(lambda named: known[named[1]], text)


def learn(answer: Any, known: dict[str, str]) -> None:
    """Of a list, its first item tells; what came last counts."""
    if isinstance(answer, dict):
        for items in (answer.get("items"), [answer]):
            for each in (items or [])[:1]:
                known |= {name: it for name, it in each.items() if isinstance(it, str)}


def unlike(
    example: Example, answer: Response, known: Mapping[str, str]
) -> Iterator[str]:
    if answer.status_code != example.status:
        yield f"{answer.status_code} instead of {example.status}"
    if example.header:
        name, value = example.header.split(": ")
        if answer.headers.get(name) != value:
            yield f"{name}: {answer.headers.get(name)} instead of {value}"
    if example.shown or answer.content:
        yield from differences(json.loads(filled(example.shown, known)), answer.json())
