"""Loads the rows of a database query (extra ``database``)."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import SourceError
from .base import Document
from .sql import check_query, reading, short

#: Rows per fetch.
BATCH = 1000


class DatabaseLoader:
    """The rows of a query, one document each. Never writes to the database.

    Args:
        url: a SQLAlchemy URL, such as ``sqlite:///shop.db``; its password is neither stored nor shown.
        query: one SELECT.
        key: the column that identifies a row when the source is loaded again; default: a column ``id``, else the row
            number.

    Raises:
        SourceError: the query would write.
    """

    unit = "row"

    def __init__(self, url: str, query: str, *, key: str = "") -> None:
        self._url, self._query, self._key = url, check_query(query), key

    def load(self) -> Iterator[Document]:
        """The rows: a line ``column: value`` for each non-empty column; for a single column only the value.

        Raises:
            SourceError: the database cannot be reached, or refuses the query.
            MissingDependency: SQLAlchemy or a driver is not installed.
        """
        with reading(self._url) as connection:
            from sqlalchemy import text

            result = connection.execute(text(self._query.replace(":", r"\:"))).yield_per(BATCH)
            columns = list(result.keys())
            key = self._key or next((name for name in columns if name.lower() == "id"), "")
            if self._key and self._key not in columns:
                raise SourceError(f"The query has no column {self._key!r}. It has: {', '.join(columns)}.")
            name, found = short(self._url), False
            for number, row in enumerate(result, 1):
                values = [(column, _words(value)) for column, value in zip(columns, row, strict=True)]
                lines = [value if len(columns) == 1 else f"{column}: {value}" for column, value in values if value]
                where = f"{key} {dict(values)[key]}" if key else f"row {number}"
                if lines:
                    found = True
                    yield Document("\n".join(lines), f"{name}, {where}", {"row": number} if not key else {})
            if not found:
                raise SourceError("The query found no rows with text in them.")


def _words(value: object) -> str:
    if value is None or isinstance(value, (bytes, memoryview)):
        return ""
    return str(value).replace("\0", "").strip()
