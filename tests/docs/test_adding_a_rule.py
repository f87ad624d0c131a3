"""What the page on rules shows is what the files say."""

import re
from typing import Final

from tests.docs.fences import HERE

PAGE: Final = HERE / "docs" / "adding-a-rule.md"
FILE_OR_CODE: Final = re.compile(
    r"^`([\w/]+\.py)`$|^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMED: Final = re.compile(r"`((?:domain|tests|api|application)/[\w/.]+)`")


def test_the_code_is_that_of_the_files() -> None:
    source, shown = "", 0
    for file, code in FILE_OR_CODE.findall(PAGE.read_text()):
        if file:
            source = (HERE / file).read_text()
        else:
            assert code in source, code
            shown += 1
    assert shown > 3


def test_the_files_are_there() -> None:
    for named in NAMED.findall(PAGE.read_text()):
        assert (HERE / named).exists(), named
