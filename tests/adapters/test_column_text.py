"""PostgreSQL reads a column of values as what went in, whatever is written in it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrastructure.embedded.servers import Servers
from infrastructure.roles import Role
from projections import column_text

text_of_postgres = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": text_of_postgres | st.sampled_from(["", "null", "NULL", "{}", '"', "\\"]),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "numeric": st.decimals(places=4, allow_nan=False, allow_infinity=False),
    "date": st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    "timestamptz": st.datetimes(
        datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2200, 1, 1),  # noqa: DTZ001 - the same
        timezones=st.just(UTC),
    ),
}
PROPERTY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def connection(servers: Servers) -> Iterator[psycopg.Connection]:
    dsn = servers.database_url(Role.OWNER, "postgres")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield connection


@pytest.mark.parametrize("kind", KINDS)
@PROPERTY
@given(data=st.data())
def test_a_column_is_read_back_as_it_was(
    connection: psycopg.Connection, kind: str, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.none() | KINDS[kind], max_size=20))

    found = read_back(connection, kind, column_text.array(values))

    assert found == values
    assert list(map(str, found)) == list(map(str, values))  # 1.10 is not 1.1


@PROPERTY
@given(
    values=st.lists(
        st.none() | st.dictionaries(text_of_postgres, text_of_postgres, max_size=3)
    )
)
def test_json_is_read_back_as_it_was(
    connection: psycopg.Connection, values: Sequence[dict[str, str] | None]
) -> None:
    encoded = column_text.array(column_text.jsons(values))

    assert read_back(connection, "jsonb", encoded) == values


def test_what_no_text_can_hold_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.DataError):
        read_back(connection, "text", column_text.array(["a\0b"]))


def read_back(connection: psycopg.Connection, kind: str, encoded: bytes) -> list[Any]:
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(
            f"SELECT unnest(convert_from($1, 'UTF8')::{kind}[])".encode(), (encoded,)
        )
        return [value for (value,) in cursor.fetchall()]
