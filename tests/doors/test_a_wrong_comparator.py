"""A `<` that became `<=` is found by a story, on the command line and over HTTP."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "infrastructure", "projections", "api", "tests")
WITNESSES = (
    "tests/stories/test_max_loss.py::test_touching_the_floor_is_allowed",
    "tests/doors/test_adjudicate.py::test_touching_the_floor_is_allowed",
    "tests/doors/test_adjudications.py::test_touching_the_floor_is_allowed",
)

IN_A_HURRY = ("--noconftest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")


def test_touching_a_floor_that_may_be_touched_is_found_everywhere(
    tmp_path: Path,
) -> None:
    for package in PACKAGES:
        shutil.copytree(TREE / package, tmp_path / package)
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copytree(TREE / "docs" / "cases", tmp_path / "docs" / "cases")
    judge = tmp_path / "domain" / "rules" / "limit.py"
    wrong, changes = re.subn("observed < floor", "observed <= floor", judge.read_text())
    assert changes == 1
    judge.write_text(wrong)

    pytest = (sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", *IN_A_HURRY)
    ran = subprocess.run(
        (*pytest, *WITNESSES), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    failed = re.findall(r"^FAILED (\S+)", ran.stdout, re.MULTILINE)
    assert sorted(failed) == sorted(WITNESSES), ran.stdout + ran.stderr
