"""A copy of the tree, to break something in it, or to add something, and see."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

TREE: Final = Path(__file__).parents[1]
PACKAGES: Final = (
    "domain",
    "application",
    "infrastructure",
    "projections",
    "api",
    "tests",
)
IN_A_HURRY: Final = (
    "--noconftest",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:hypothesispytest",
)


def copied(to: Path) -> Path:
    for package in PACKAGES:
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(TREE / package, to / package, ignore=left_out)
    shutil.copy(TREE / "pyproject.toml", to)
    (to / "docs").mkdir()
    shutil.copytree(TREE / "docs" / "cases", to / "docs" / "cases")
    return to


def exchanged(file: Path, old: str, new: str) -> None:
    """It has to be there, once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{old} is {text.count(old)} times in {file}"
    file.write_text(text.replace(old, new))


def failed(copy: Path, *tests: str) -> list[str]:
    """Which of the tests fail there; every one of them has to be run."""
    pytest = (sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfEp", *IN_A_HURRY)
    ran = subprocess.run(
        (*pytest, *tests), cwd=copy, capture_output=True, text=True, check=False
    )
    told = re.findall(r"^(PASSED|FAILED) (\S+)", ran.stdout, re.MULTILINE)
    assert {name.partition("[")[0] for _, name in told} >= {
        test for test in tests if "::" in test
    }, ran.stdout + ran.stderr
    return sorted(name for outcome, name in told if outcome == "FAILED")
