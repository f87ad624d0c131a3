"""A table is a Struct: its fields are the columns, and each says what it means."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    LiteralString,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
import psycopg
from msgspec import Meta, Struct
from psycopg.sql import SQL, Composed, Identifier

from application.catalogue import Fact
from projections.told import Told

TEXT: Final = 'text COLLATE "C"'  # sorts alike everywhere, so a digest can be compared
COLUMN_TYPES: Final[Mapping[object, str]] = {
    str: TEXT,
    int: "bigint",
    bool: "boolean",
    Decimal: "numeric",
    datetime: "timestamptz",
    date: "date",
}

R = TypeVar("R", bound=Struct)


def says(text: str) -> Meta:
    """Attach to a field what it means: an analyst reads it as the column's comment."""
    return Meta(description=text)


class Column(Struct, frozen=True):
    name: str
    sql_type: str
    is_nullable: bool
    comment: str


class Rows(Generic[R]):
    """Rows of a table as a page of facts finds them and leaves them."""

    def __init__(self, found: Mapping[str, R]) -> None:
        self._rows = dict(found)
        self._changed: dict[str, None] = {}

    def get(self, key: str) -> R | None:
        return self._rows.get(key)

    def put(self, key: str, row: R) -> None:
        self._rows[key] = row
        self._changed[key] = None

    def remove(self, key: str) -> None:
        if self._rows.pop(key, None) is not None:
            self._changed[key] = None

    def find(self, wanted: Callable[[R], bool]) -> tuple[tuple[str, R], ...]:
        return tuple(each for each in self._rows.items() if wanted(each[1]))

    @property
    def written(self) -> tuple[R, ...]:
        rows = self._rows
        return tuple(rows[key] for key in sorted(self._changed) if key in rows)

    @property
    def removed(self) -> list[str]:
        return sorted(key for key in self._changed if key not in self._rows)


class Wanted(Struct, frozen=True):
    """Which rows a page of facts will look at: by key, and perhaps by a condition."""

    keys: frozenset[str]
    condition: LiteralString | None = None
    parameters: tuple[object, ...] = ()


class Table(Generic[R]):
    """One table of the read schema, keyed by one column of text."""

    def __init__(
        self,
        name: str,
        row: type[R],
        *,
        key: str,
        comment: str,
        indexes: Sequence[LiteralString] = (),
        fillfactor: int = 100,
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self._comment = comment
        self._indexes = indexes
        self._fillfactor = fillfactor
        self.columns = tuple(columns_of(row))
        self._upserts: dict[str, bytes] = {}  # by schema

    def definition(self, schema: str) -> tuple[Composed, ...]:
        """Give the statements that make the table."""
        return (
            self._sql(
                "CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}))"
                " WITH (fillfactor = {fillfactor},"
                " autovacuum_analyze_scale_factor = 0.02)",
                schema,
                columns=SQL(", ").join(map(_declared, self.columns)),
                fillfactor=SQL(str(self._fillfactor)),
            ),
            self._sql("COMMENT ON TABLE {table} IS {text}", schema, text=self._comment),
            *(
                self._sql(
                    "COMMENT ON COLUMN {table}.{column} IS {text}",
                    schema,
                    column=Identifier(column.name),
                    text=column.comment,
                )
                for column in self.columns
            ),
            *(
                self._sql(
                    "CREATE INDEX {index} ON {table} {on}",
                    schema,
                    index=Identifier(f"{self.name}_{number}"),
                    on=SQL(index),
                )
                for number, index in enumerate(self._indexes, start=1)
            ),
        )

    async def find(
        self, connection: psycopg.AsyncConnection[Any], schema: str, wanted: Wanted
    ) -> Rows[R]:
        """Load, for changing, the rows that exist of those that are wanted."""
        if not wanted.keys and wanted.condition is None:
            return Rows({})
        where = SQL("{} = ANY(%s)").format(Identifier(self.key))
        if wanted.condition is not None:
            where = SQL("{} OR ({})").format(where, SQL(wanted.condition))
        cursor = connection.cursor(binary=True)
        await cursor.execute(
            self._sql("SELECT * FROM {table} WHERE {where}", schema, where=where),
            (sorted(wanted.keys), *wanted.parameters),
        )
        rows = [self.row(*values) for values in await cursor.fetchall()]
        return Rows({getattr(row, self.key): row for row in rows})

    async def write(
        self, connection: psycopg.AsyncConnection[Any], schema: str, rows: Rows[R]
    ) -> None:
        """Store what has changed: all rows in one statement."""
        if written := rows.written:
            await connection.execute(
                self.upsert(schema), (msgspec.json.encode(written).decode(),)
            )
        if removed := rows.removed:
            await connection.execute(
                self._sql("DELETE FROM {table} WHERE {key} = ANY(%s)", schema),
                (removed,),
            )

    def upsert(self, schema: str) -> bytes:
        if schema not in self._upserts:
            names = [Identifier(column.name) for column in self.columns]
            self._upserts[schema] = self._sql(
                "INSERT INTO {table} SELECT *"
                " FROM json_populate_recordset(NULL::{table}, %s::json)"
                " ON CONFLICT ({key}) DO UPDATE SET {changes}",
                schema,
                changes=SQL(", ").join(
                    SQL("{0} = EXCLUDED.{0}").format(name) for name in names
                ),
            ).as_bytes()
        return self._upserts[schema]

    def _sql(self, query: LiteralString, schema: str, **parts: object) -> Composed:
        return SQL(query).format(
            table=Identifier(schema, self.name), key=Identifier(self.key), **parts
        )


class Projection(Struct, Generic[R], frozen=True):
    """Facts in, rows out. `fold` is pure: no clock, no serial, only the facts."""

    table: Table[R]
    hears: tuple[type[Fact], ...]
    wanted: Callable[[Sequence[Told]], Wanted]
    fold: Callable[[Rows[R], Told], None]

    async def apply(
        self,
        connection: psycopg.AsyncConnection[Any],
        schema: str,
        page: Sequence[Told],
    ) -> None:
        heard = [told for told in page if type(told.fact) in self.hears]
        if not heard:
            return
        rows = await self.table.find(connection, schema, self.wanted(heard))
        await asyncio.sleep(0)  # the server gets its next statement, and then we fold
        for told in heard:
            self.fold(rows, told)
        await self.table.write(connection, schema, rows)


def columns_of(row: type[Struct]) -> Iterable[Column]:
    hints = get_type_hints(row, include_extras=True)
    for name in row.__struct_fields__:
        hint, comment = hints[name], ""
        if get_origin(hint) is Annotated:
            hint, meta = get_args(hint)
            comment = meta.description
        assert comment, f"{row.__name__}.{name} says nothing"
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        kinds = [option for option in options if option is not NoneType]
        yield Column(name, _sql_type(kinds[0]), len(kinds) < len(options), comment)


def _sql_type(kind: Any) -> str:  # noqa: ANN401 - any type that a field may have
    if get_origin(kind) is Literal or (
        isinstance(kind, type) and issubclass(kind, Enum)
    ):
        return TEXT
    return COLUMN_TYPES.get(kind, "jsonb")


def _declared(column: Column) -> Composed:
    return SQL("{} {}{}").format(
        Identifier(column.name),
        SQL(column.sql_type),
        SQL("" if column.is_nullable else " NOT NULL"),
    )
