"""A table is a Struct: its fields are the columns, and each says what it means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import count
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

from msgspec import Meta, Struct, json
from msgspec.structs import astuple
from psycopg.sql import SQL, Composed, Identifier

from application.catalogue import Fact
from infrastructure.event_store.arrays import texts
from infrastructure.event_store.wire import Call, Row
from projections import column_text
from projections.told import Told

TEXT: Final = "text"
JSON: Final = "jsonb"
SORTS_ALIKE: Final = 'COLLATE "C"'  # everywhere, so that a digest can be compared
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
    sql_type: LiteralString
    is_nullable: bool
    comment: str

    def text(self, values: Sequence[object]) -> bytes:
        """Give values of this column as the text of an array."""
        is_json = self.sql_type == JSON
        return column_text.array(column_text.jsons(values) if is_json else values)


class Rows(Generic[R]):
    """Rows of a table as a page of facts finds them and leaves them."""

    def __init__(self, found: Mapping[str, R | None]) -> None:
        self._rows = {key: row for key, row in found.items() if row is not None}
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
    def changed(self) -> Iterable[str]:
        return self._changed

    @property
    def written(self) -> tuple[R, ...]:
        rows = self._rows
        return tuple(rows[key] for key in sorted(self._changed) if key in rows)

    @property
    def removed(self) -> list[str]:
        return sorted(key for key in self._changed if key not in self._rows)


class Wanted(Struct, frozen=True):
    """Which rows a page of facts will look at: by key, or by the table's `also`."""

    keys: frozenset[str]
    also: frozenset[str] = frozenset()


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
        also: LiteralString | None = None,
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self._comment = comment
        self._indexes = indexes
        self._fillfactor = fillfactor
        self._also = also  # whichever rows of $2, besides those whose key is in $1
        self._find = f"find {name}".encode()
        self._write = f"write {name}".encode()
        self._remove = f"remove {name}".encode()
        self._rows = json.Decoder(list[row])  # type: ignore[valid-type]  # a parameter
        self.columns = tuple(columns_of(row))

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

    def statements(self, schema: str) -> dict[bytes, str]:
        """Give what is prepared to find rows, to write rows and to remove some."""
        texts = {
            self._find: self._sql(
                "SELECT json_agg(found) FROM {table} AS found"
                " WHERE {key} = ANY($1::text[]){also}",
                schema,
                also=SQL("" if self._also is None else f" OR ({self._also})"),
            ),
            self._write: self._sql(
                "INSERT INTO {table} SELECT {columns}"
                " ON CONFLICT ({key}) DO UPDATE SET {changes}",
                schema,
                columns=SQL(", ").join(map(_sent, count(1), self.columns)),
                changes=SQL(", ").join(map(_replaced, self.columns)),
            ),
            self._remove: self._sql(
                "DELETE FROM {table} WHERE {key} = ANY($1::text[])", schema
            ),
        }
        return {name: text.as_string() for name, text in texts.items()}

    def finding(self, wanted: Wanted) -> tuple[Call, ...]:
        """Ask for the rows that exist of those that are wanted."""
        if not wanted.keys and not wanted.also:
            return ()
        keys, also = texts(sorted(wanted.keys)), texts(sorted(wanted.also))
        return (Call(self._find, (keys,) if self._also is None else (keys, also)),)

    def found(self, answers: Iterable[Row]) -> dict[str, R]:
        return {
            getattr(row, self.key): row
            for (rows,) in answers
            if rows is not None
            for row in self._rows.decode(rows)
        }

    def writing(self, rows: Sequence[R]) -> tuple[Call, ...]:
        """Store rows, whether or not there are any with their keys."""
        if not rows:
            return ()
        values = zip(*map(astuple, rows), strict=True)
        columns = zip(self.columns, values, strict=True)
        return (Call(self._write, tuple(each.text(held) for each, held in columns)),)

    def removing(self, keys: Sequence[str]) -> tuple[Call, ...]:
        return (Call(self._remove, (texts(keys),)),) if keys else ()

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

    def heard(self, facts: Iterable[Told]) -> list[Told]:
        return [told for told in facts if type(told.fact) in self.hears]

    def changes(self, rows: Rows[R], heard: Sequence[Told]) -> tuple[Call, ...]:
        """Tell the rows of what was heard; give what stores the change."""
        for told in heard:
            self.fold(rows, told)
        return *self.table.writing(rows.written), *self.table.removing(rows.removed)


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
    return COLUMN_TYPES.get(kind, JSON)


def _declared(column: Column) -> Composed:
    return SQL("{} {}{}{}").format(
        Identifier(column.name),
        SQL(column.sql_type),
        SQL(f" {SORTS_ALIKE}" if column.sql_type == TEXT else ""),
        SQL("" if column.is_nullable else " NOT NULL"),
    )


def _sent(number: int, column: Column) -> Composed:
    """Read a column of values from the text of an array."""
    return SQL("unnest({}::text::{}[])").format(SQL(f"${number}"), SQL(column.sql_type))


def _replaced(column: Column) -> Composed:
    return SQL("{0} = EXCLUDED.{0}").format(Identifier(column.name))
