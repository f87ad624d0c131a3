"""Where the command line finds a plan: in a file, among the templates, in the log."""

import asyncio
from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from api.cli.refusing import one_line, settings
from api.intake import decode
from api.problems import Problem
from application.plan_documents import TEMPLATES, KeptPlan, as_written, template
from domain.plan.content import Content, content_of
from domain.plan.decider import Plan
from domain.plan.document import PlanDocument
from domain.plan.findings import Fault, Finding, errors
from domain.plan.linter import findings_of
from domain.plan.reading import Reading, read
from infrastructure.embedded.servers import servers_of
from infrastructure.event_store.plan_history import plan_history
from infrastructure.event_store.wire import Lost
from infrastructure.roles import Role

UNREADABLE: Final = 2
AMBIGUOUS: Final = 1


class NotAPlan(click.ClickException):
    """What was named cannot be read as a plan."""

    exit_code = UNREADABLE

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__("\n".join([message, *map(fault_in_line, faults)]))
        self.faults = faults


class Ambiguous(click.ClickException):
    """It can be read, in more than one way."""

    exit_code = AMBIGUOUS

    def __init__(self, source: str, findings: tuple[Finding, ...]) -> None:
        told = "\n".join(finding_in_lines(findings))
        super().__init__(f"{source} can be read in more than one way.\n{told}")


class Linted(Struct, frozen=True):
    reading: Reading
    findings: tuple[Finding, ...]


def linted(source: str) -> Linted:
    """Read what somebody wrote: a file, or a template. Raises `NotAPlan`."""
    document = written(source)
    if document is None:
        raise NotAPlan(f"{source} is no file, and no template is called so")
    reading = read(document)
    if reading.faults:
        raise NotAPlan(f"{source} is no plan:", reading.faults)
    return Linted(reading, findings_of(reading, document.currency))


def content_from(source: str) -> Content:
    """Likewise, or a plan by its id: `ID` as it is on sale, `ID@2` as version 2."""
    if Path(source).is_file() or source in TEMPLATES:
        found = linted(source)
        if refused := errors(found.findings):
            raise Ambiguous(source, refused)
        assert found.reading.content is not None
        return found.reading.content
    return content_in_log(source)


def written(source: str) -> PlanDocument | None:
    if source in TEMPLATES and not Path(source).exists():
        return template(source)
    try:
        text = Path(source).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise NotAPlan(str(reason)) from reason
    try:
        return as_written(decode(text, KeptPlan))
    except Problem as reason:
        faults = tuple(Fault(each.path, each.reason) for each in reason.errors)
        raise NotAPlan(f"{source} is no plan: {reason.detail}", faults) from reason


def content_in_log(source: str) -> Content:
    plan_id, _, version = source.partition("@")
    if version and not version.isdecimal():
        raise NotAPlan(f"{source}: a version is a number, such as {plan_id}@1")
    plan = plan_in_log(plan_id)
    if plan is None:
        raise NotAPlan(f"{source} is no file, no template and no plan's id")
    wanted = int(version) if version else plan.active or len(plan.drafts)
    if not 1 <= wanted <= len(plan.drafts):
        raise NotAPlan(f"{plan_id} has the versions 1 to {len(plan.drafts)}")
    return content_of(plan.drafts[wanted - 1])


def plan_in_log(plan_id: str) -> Plan | None:
    with one_line(), servers_of(settings()) as servers:
        try:
            return asyncio.run(
                plan_history(servers.database_url(Role.AUDITOR), plan_id)
            )
        except Lost as reason:
            raise NotAPlan(str(reason)) from reason


def fault_in_line(fault: Fault) -> str:
    return f"  {fault.path}: {fault.reason}"


def finding_in_lines(findings: tuple[Finding, ...]) -> list[str]:
    lines = []
    for each in findings:
        lines += [
            f"  {each.severity}: {each.field}",
            f"    {each.reason}",
            f"    either  {each.readings[0]}",
            f"    or      {each.readings[1]}",
        ]
    return lines
