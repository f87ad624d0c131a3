"""The published cases: what the firms' own pages say, judged by our adjudicator."""

from pathlib import Path

import msgspec
import pytest

from application.cases import Case, adjudicate

FOLDER = Path(__file__).parents[2] / "docs" / "cases"
CASES = [
    case
    for file in ("rule_cases.json", "further_cases.json")
    for case in msgspec.json.decode((FOLDER / file).read_bytes(), type=tuple[Case, ...])
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_published_case_is_judged_as_it_says(case: Case) -> None:
    judged = adjudicate(case)
    assert judged.verdicts == case.expect
    assert judged.assertions_failed == ()
