"""Who follows the page comes where it says: each block is run, in one shell."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx

from infrastructure.roles import Role
from tests.databases import Database
from tests.docs.fences import HERE, Block, blocks, differences
from tests.proofs.product import Product, product, until

PAGE: Final = "docs/getting-started.md"
START: Final = "make run\n"
ACTIVATE: Final = ". .venv/bin/activate\n"
URL: Final = "http://127.0.0.1:5000"
MARK: Final = "--- the block ends here ---"
PATIENCE_SECONDS: Final = 240


async def test_every_block_does_what_the_page_says(database: Database) -> None:
    first, *others = blocks(PAGE)
    assert first.text == START
    assert starts_everything()
    settings = {
        "TS_ENV": "dev",
        "FEED": "none",
        "DATABASE_URL": database.dsn(Role.OWNER),
        "REDIS_URL": database.servers.redis_url,
    }
    async with product(**settings) as made:
        made.start("up")
        async with httpx.AsyncClient() as http:
            await until(lambda: made.is_ready(http), "it is up", PATIENCE_SECONDS)
        commands = [each for each in others if each.language == "sh"]
        said = dict(zip(commands, await shell(made, commands), strict=True))
        assert await made.stop() == 0
    for command, shown in shown_after(others):
        assert not list(differences(shown, last_answer(said[command]))), command.text
    told, explained, replayed = said[commands[-1]].partition("Account ")
    assert "challenge.funded/1" in told
    assert "Verdict: breached daily" in explained + replayed
    assert replayed.splitlines()[-1].endswith("accounts: equal")


def starts_everything() -> bool:
    """The tests stand in for `make run` by what it runs."""
    rule = r"^run: .*\n\t@exec \$\(BIN\)/tradesense up$"
    return re.search(rule, (HERE / "Makefile").read_text(), re.MULTILINE) is not None


async def shell(made: Product, commands: list[Block]) -> list[str]:
    """What each block prints, when one shell runs them all and none of them fails."""
    script = f"\necho '{MARK}'\n".join(each.text for each in commands)
    script = script.replace(ACTIVATE, "").replace(URL, made.url)
    environment = made.environment()
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-eo", "pipefail", "-c", script),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, (out.decode(), complaints.decode())
    return out.decode().split(f"{MARK}\n")


def shown_after(others: list[Block]) -> Iterator[tuple[Block, Any]]:
    for command, answer in pairwise(others):
        if answer.language == "json":
            yield command, json.loads(answer.text)


def last_answer(said: str) -> Any:
    """A block may ask several times; the page shows what came last."""
    decoder, answer = json.JSONDecoder(), None
    while said := said.lstrip():
        answer, end = decoder.raw_decode(said)
        said = said[end:]
    return answer
