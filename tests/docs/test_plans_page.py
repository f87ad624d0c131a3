"""What the page of plans shows is what the command line says."""

from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from api.cli.main import main
from tests.docs.fences import REST, Block, blocks

PAGE: Final = "docs/plans.md"
SHOWN: Final = tuple(blocks(PAGE))
TRANSCRIPTS: Final = [each for each in SHOWN if each.language == "console"]


@pytest.mark.parametrize(
    "shown", TRANSCRIPTS, ids=lambda each: each.text.split("\n")[0]
)
def test_a_transcript_is_what_happens(
    shown: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for each in SHOWN:
        if each.language == "json":
            Path(each.about).write_text(each.text)
    command, _, wanted = shown.text.partition("\n")
    _, _, *words = command.split()
    said = CliRunner().invoke(main, words).output
    for part in wanted.split(f"{REST}\n"):
        assert part in said
    if REST not in wanted:
        assert said == wanted
