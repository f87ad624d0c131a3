"""The page of commands, written from what each of them says of itself.

Run as a program it writes `docs/command-line.md`: `make docs`.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from api.cli.main import main

PAGE: Final = Path(__file__).parents[2] / "docs" / "command-line.md"
OPENING: Final = """\
# Commands

`. .venv/bin/activate`, then `tradesense COMMAND`. `make docs` writes this page from
what the commands say of themselves (`--help`), and a test fails while it says
something else.

What stops a command is one line on stderr, and exit code 1; it is 2 where the call
makes no sense. With `--json` stdout is for a program, and progress is on stderr.
`PORT`, `TS_DATA`, `DATABASE_URL` and the rest are in [`.env.example`](../.env.example).

Who knows the database commands of the first TradeSense finds them here as
`tradesense init`, `db up`, `db down`, `db status`, `seed` and `reset`.
"""


def page() -> str:
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield OPENING
    with click.Context(main, info_name="tradesense") as context:
        yield from group(main, context)


def group(it: click.Group, context: click.Context) -> Iterator[str]:
    for name in it.list_commands(context):
        command = it.get_command(context, name)
        assert command is not None
        with click.Context(command, parent=context, info_name=name) as below:
            if isinstance(command, click.Group):
                yield from group(command, below)
            else:
                yield from one(command, below)


def one(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"\n## {context.command_path} {usage}\n"
    yield inspect.cleandoc(command.help or "")
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield ""
    for option in options:
        record = option.get_help_record(context)
        assert record is not None
        name, says = record
        yield f"- `{name}`: {says}" if says else f"- `{name}`"


if __name__ == "__main__":
    PAGE.write_text(page())
