"""The catalogue of events says what the code says."""

from tests.docs.events_page import PAGE, page


def test_the_catalogue_of_events_is_not_stale() -> None:
    assert PAGE.read_text() == page(), "`make docs` writes it anew"
