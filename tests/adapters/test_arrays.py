"""PostgreSQL reads back from our binary arrays exactly what went in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import pq

from infrastructure.embedded.servers import Servers
from infrastructure.event_store import arrays
from infrastructure.roles import Role

text_of_postgres = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
KINDS: dict[str, tuple[Callable[[Any], bytes], st.SearchStrategy[Any]]] = {
    "bigint": (arrays.bigints, st.integers(-(2**63), 2**63 - 1)),
    "smallint": (arrays.smallints, st.integers(-(2**15), 2**15 - 1)),
    "text": (arrays.texts, text_of_postgres),
    "bytea": (arrays.byteas, st.binary()),
    "uuid": (arrays.uuids, st.uuids()),
    "timestamptz": (
        arrays.instants,
        st.datetimes(
            datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
            datetime(2200, 1, 1),  # noqa: DTZ001 - the same
            timezones=st.just(UTC),
        ),
    ),
}


@pytest.fixture(scope="module")
def connection(servers: Servers) -> Iterator[psycopg.Connection]:
    dsn = servers.database_url(Role.OWNER, "postgres")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield connection


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_an_array_is_read_back_as_it_was(
    connection: psycopg.Connection, kind: str, data: st.DataObject
) -> None:
    encode, values_of_kind = KINDS[kind]
    values = data.draw(st.lists(values_of_kind, max_size=20))

    assert read_back(connection, kind, encode(values)) == values


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=st.lists(st.sampled_from([b"{}", b'{"a": [1, "\xc3\xa9"]}', b"null"])))
def test_json_keeps_its_very_text(
    connection: psycopg.Connection, values: list[bytes]
) -> None:
    texts = read_back(connection, "json", arrays.jsons(values), "::text[]")

    assert [text.encode() for text in texts] == values


def read_back(
    connection: psycopg.Connection, kind: str, encoded: bytes, cast: str = ""
) -> list[Any]:
    result = connection.pgconn.exec_params(
        f"SELECT $1::{kind}[]{cast}".encode(), [encoded], None, [pq.Format.BINARY]
    )
    assert result.status == pq.ExecStatus.TUPLES_OK, result.get_error_message()
    transformer = psycopg.adapt.Transformer(connection)
    transformer.set_pgresult(result)
    (row,) = transformer.load_rows(0, 1, tuple)
    values: list[Any] = row[0]
    return values
