"""`tradesense adjudicate`: the judge of the live accounts, on cases in a file."""

from pathlib import Path

import click
import msgspec

from application.cases import Case, Judged, adjudicate
from domain.values.refusal import Refused

UNREADABLE = 2


class CasesRefused(click.ClickException):
    exit_code = UNREADABLE


@click.command("adjudicate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line, for a program.")
def adjudicate_file(file: Path, *, as_json: bool) -> None:
    """Judge every case of FILE and compare it with what it expects."""
    differing = 0
    judged: list[Judged] = []
    for case in read(file):
        verdict = judge(case)
        judged.append(verdict)
        if differs(case, verdict):
            differing += 1
            click.echo(f"{case.id}: differs", err=True)
    click.echo(f"{len(judged)} cases, {differing} differ", err=True)
    said = msgspec.json.encode(judged)
    click.echo(said if as_json else msgspec.json.format(said))
    if differing:
        raise SystemExit(1)


def read(file: Path) -> tuple[Case, ...]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=tuple[Case, ...])
    except (OSError, msgspec.MsgspecError, UnicodeError) as reason:
        raise CasesRefused(f"{file}: {reason}") from reason


def judge(case: Case) -> Judged:
    try:
        return adjudicate(case)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, Refused) as reason:
        raise CasesRefused(f"case {case.id}: {reason}") from reason


def differs(case: Case, judged: Judged) -> bool:
    is_other = case.expect is not None and case.expect != judged.verdicts
    return is_other or bool(judged.assertions_failed)
