"""No page leads to nowhere, and every page is found from the index."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.docs.fences import HERE

LINK: Final = re.compile(r"\]\((?!\w+:|#)([^)#]+)")
INDEX: Final = HERE / "docs" / "README.md"
PAGES: Final = sorted([*HERE.glob("*.md"), *HERE.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HERE)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_index_names_every_page() -> None:
    named = {
        (INDEX.parent / link).resolve() for link in LINK.findall(INDEX.read_text())
    }
    for page in HERE.glob("docs/*.md"):
        assert page in {INDEX, *named}, page.name
