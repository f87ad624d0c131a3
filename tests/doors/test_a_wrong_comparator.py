"""A `<` that became `<=` is found by a story, on the command line and over HTTP."""

from pathlib import Path

from tests.copies import copied, exchanged, failed

WITNESSES = (
    "tests/stories/test_max_loss.py::test_touching_the_floor_is_allowed",
    "tests/doors/test_adjudicate.py::test_touching_the_floor_is_allowed",
    "tests/doors/test_adjudications.py::test_touching_the_floor_is_allowed",
)


def test_touching_a_floor_that_may_be_touched_is_found_everywhere(
    tmp_path: Path,
) -> None:
    copy = copied(tmp_path)
    limit = copy / "domain" / "rules" / "limit.py"
    exchanged(limit, "observed < floor.amount", "observed <= floor.amount")
    assert failed(copy, *WITNESSES) == sorted(WITNESSES)
