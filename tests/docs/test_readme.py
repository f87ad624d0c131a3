"""The README is short, and what it shows is what happens."""

import re
from typing import Final

from infrastructure.roles import Role
from tests.databases import Database
from tests.docs.fences import HERE, blocks
from tests.proofs.product import product, until

PAGE: Final = "README.md"
URL: Final = "http://127.0.0.1:5000"
MOST_WORDS: Final = 400
UP_SECONDS: Final = 120
TICKER_SECONDS: Final = 240
BY_CHANCE: Final = ("breached", "passed")  # tests/doors/test_demo.py sees to these
START, TEST, *LOOKS = (each.text for each in blocks(PAGE) if each.language == "console")
SHAPES: Final = {
    r"^\d\d:\d\d:\d\d": "TIME",
    r"[A-Z][a-z]+ +\([a-z]+\) +": "SOMEBODY ",
    r"best [A-Z][a-z]+": "best SOMEBODY",
    r"\b[A-Z]{6}\b": "SYMBOL",
    r"(bought|sold) N": "traded N",
    r"[+-]?\d[\d,]*(\.\d+)?": "N",
}


def test_it_is_short() -> None:
    assert len((HERE / PAGE).read_text().split()) <= MOST_WORDS


async def test_the_transcript_is_what_happens(database: Database) -> None:
    command, *shown = START.splitlines()
    assert (command, TEST) == ("$ make run", "$ make test\n")
    end_of_welcome = next(n for n, line in enumerate(shown, 1) if "Ctrl-C" in line)
    welcome, told = shown[:end_of_welcome], shown[end_of_welcome + 1 :]
    wanted = {
        shape(line) for line in told if not any(map(line.__contains__, BY_CHANCE))
    }
    settings = {
        "TS_ENV": "dev",
        "DATABASE_URL": database.dsn(Role.OWNER),
        "REDIS_URL": database.servers.redis_url,
    }
    async with product(**settings) as made:
        made.start("up")
        await until(lambda: welcome[-1] in made.said(), "a welcome", UP_SECONDS)
        assert "\n".join(welcome).replace(URL, made.url) in made.said()
        seen: set[str] = set()

        def is_all_told() -> bool:
            seen.update(map(shape, made.said().splitlines()))
            return wanted <= seen

        await until(is_all_told, "what the ticker tells", TICKER_SECONDS)
        for words, answer in commands(LOOKS):
            ran = await made.run(*words)
            assert ran.code == 0, (words, ran)
            assert ran.out
            if answer:
                assert shape(ran.out) == shape(answer)


def commands(transcripts: list[str]) -> list[tuple[list[str], str]]:
    """What is typed, without the program's name and comments, and what it answers."""
    found: list[tuple[list[str], str]] = []
    for line in "".join(transcripts).splitlines(keepends=True):
        if line.startswith("$ "):
            program, *words = line.removeprefix("$ ").partition("#")[0].split()
            assert program == "tradesense"
            found.append((words, ""))
        else:
            words, answer = found[-1]
            found[-1] = (words, answer + line)
    return found


def shape(line: str) -> str:
    """What stays the same from run to run."""
    for varying, name in SHAPES.items():
        line = re.sub(varying, name, line)
    return line
