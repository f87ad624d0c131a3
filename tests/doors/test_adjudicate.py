"""`tradesense adjudicate` judges a file of cases; its exit code says how it went."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from api.cli.adjudicate import adjudicate_file

PUBLISHED = sorted((Path(__file__).parents[2] / "docs" / "cases").glob("*.json"))


def told(*arguments: str) -> Result:
    return CliRunner().invoke(adjudicate_file, arguments)


def one_case(**other: object) -> dict[str, Any]:
    rule = {"id": "max", "kind": "max", "mode": "static", "amount": ["abs", "10"]}
    case = {
        "id": "one",
        "plan": {"initial": "100", "reset": ["UTC", "00:00"], "rules": [rule]},
        "events": [{"at": "2026-01-05T10:00:00Z", "balance": "89.99"}],
        "expect": [["e1", "max", "hard", "90.00", "89.99"]],
    }
    return case | other


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cases.json"


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda path: path.name)
def test_the_published_cases_are_all_met(published: Path) -> None:
    result = told(str(published), "--json")
    objects = msgspec.json.decode(result.stdout)
    assert result.exit_code == 0
    assert len(objects) == len(msgspec.json.decode(published.read_bytes()))
    assert "0 differ" in result.stderr


def test_touching_the_floor_is_allowed(file: Path) -> None:
    touching = {"at": "2026-01-05T10:00:00Z", "balance": "90.00"}
    file.write_bytes(msgspec.json.encode([one_case(events=[touching], expect=[])]))
    assert told(str(file)).exit_code == 0


def test_an_object_a_case_is_printed(file: Path) -> None:
    file.write_bytes(msgspec.json.encode([one_case()]))
    verdict = ["e1", "max", "hard", "90.00", "89.99"]
    wanted = [{"id": "one", "verdicts": [verdict], "assertions_failed": []}]
    for arguments in (["--json"], []):
        result = told(str(file), *arguments)
        assert (result.exit_code, msgspec.json.decode(result.stdout)) == (0, wanted)


def test_what_differs_is_named_and_makes_it_fail(file: Path) -> None:
    asserting = {"at": "2026-01-05T10:00:00Z", "floors": {"max": "91"}, "days": 1}
    wrong = one_case(expect=[]), one_case(id="two", events=[asserting], expect=[])
    file.write_bytes(msgspec.json.encode(wrong))
    result = told(str(file), "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "one: differs",
        "two: differs",
        "2 cases, 2 differ",
    ]
    failed = msgspec.json.decode(result.stdout)[1]["assertions_failed"]
    assert failed == [
        "e1: floor max is 90.00, not 91",
        "e1: 0 trading days, not 1",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        msgspec.json.encode([one_case(events=[{"at": "2026-01-05T10:00:00"}])]),
        msgspec.json.encode([one_case(plan={"initial": "x", "reset": ["UTC", "0"]})]),
        msgspec.json.encode(
            [one_case(events=[{"at": "2026-01-05T10:00:00Z", "balance": "1e9"}])]
        ),
        msgspec.json.encode(
            [one_case(events=[{"at": "2026-01-05T10:00:00Z", "equtiy": "1"}])]
        ),
    ],
)
def test_what_cannot_be_read_is_neither_right_nor_wrong(
    file: Path, content: bytes
) -> None:
    file.write_bytes(content)
    result = told(str(file))
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_missing_file_cannot_be_read(file: Path) -> None:
    assert told(str(file)).exit_code == 2
