"""Rows as the store in SQL reads them, and statements as psycopg takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

#: A text in quotes, or a sign that psycopg reads otherwise.
_TOKENS = re.compile(r"'[^']*'|\?|%")


class PostgresRow:
    """The values of a row, by place and by column name. See :class:`memgpt_autogen.storage.sql.database.Row`."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: Sequence[Any]) -> None:
        self._places, self._values = places, values

    def __getitem__(self, key: int | str, /) -> Any:
        return self._values[self._places[key] if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> Sequence[str]:
        """The column names."""
        return [*self._places]


def rows_of(cursor: Any) -> Callable[[Sequence[Any]], PostgresRow]:
    """The row factory of a connection."""
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: PostgresRow(places, values)


@lru_cache(1000)
def placed(sql: str) -> str:
    """A statement with ``?`` for values, as psycopg takes it."""

    def sign(found: re.Match[str]) -> str:
        return "%s" if found[0] == "?" else found[0].replace("%", "%%")

    return _TOKENS.sub(sign, sql)
