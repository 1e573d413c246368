"""Shared by the database loaders: read-only connections, and URLs without passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependency, SourceError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Statements that make a connection read-only, besides the rollback at the end.
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
}
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.S)
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|INTO)\b", re.I)


def check_query(query: str) -> str:
    """The query, if it is read-only.

    Raises:
        SourceError: it is not one SELECT (or WITH ... SELECT, VALUES, TABLE), or it would write.
    """
    bare = _NOISE.sub(" ", query).strip().rstrip(";").strip()
    if not bare:
        raise SourceError("There is no query. Say which rows to load, such as: SELECT title, body FROM articles.")
    first = re.split(r"[\s(]", bare.lstrip("("), maxsplit=1)[0].upper()
    written = _WRITES.search(bare)
    if first not in ("SELECT", "WITH", "VALUES", "TABLE") or written:
        word = written[0].upper() if written else first
        raise SourceError(f"The query would do more than read ({word}). Only a SELECT is run here.")
    if ";" in bare:
        raise SourceError("There is more than one statement in the query. Only one SELECT is run at a time.")
    return query.strip().rstrip(";")


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """A connection in a read-only transaction, which is rolled back at the end.

    Raises:
        MissingDependency: SQLAlchemy or the database's driver is not installed.
        SourceError: the URL is wrong, the database cannot be reached, or a statement in the body failed.
    """
    try:
        import sqlalchemy
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
    except ImportError as error:
        raise MissingDependency("Databases are read by SQLAlchemy.", "memgpt-autogen[database]") from error
    try:
        parsed = sqlalchemy.make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise SourceError(
            "That is not the URL of a database. It looks like sqlite:///file.db or postgresql://user@host/name."
        ) from error
    except ImportError as error:
        raise MissingDependency(f"A driver for {url.partition(':')[0]} is missing.", f"{error.name}") from error
    name = shown(url)
    if engine.dialect.name == "sqlite" and parsed.database and not Path(parsed.database).is_file():
        raise SourceError(f"There is no database file {parsed.database}. Check the path.")
    try:
        with engine.connect() as connection:
            try:
                if statement := _READ_ONLY.get(engine.dialect.name):
                    connection.execute(sqlalchemy.text(statement))
                yield connection.execution_options(stream_results=True)
            finally:
                connection.rollback()
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        raise SourceError(f"The database {name} says: {_reason(error, parsed.password)}.") from error
    finally:
        engine.dispose()


def _reason(error: Exception, password: Any) -> str:
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    line = text.splitlines()[0].rstrip(".")
    return line.replace(str(password), "***") if password else line


def shown(url: str) -> str:
    """A database's URL for display: without its password and query string."""
    import sqlalchemy

    parsed = sqlalchemy.make_url(url)
    return parsed.set(query={}).render_as_string(hide_password=True)


def short(url: str) -> str:
    """A short name of a database: its file name, or its name and host."""
    import sqlalchemy

    parsed = sqlalchemy.make_url(url)
    name = Path(parsed.database or parsed.drivername).name
    return f"{name} on {parsed.host}" if parsed.host else name
