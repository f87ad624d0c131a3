"""The page of commands says what the commands say."""

from tests.docs.commands_page import PAGE, page


def test_the_page_of_commands_is_not_stale() -> None:
    assert PAGE.read_text() == page(), "`make docs` writes it anew"
