"""Making the tables and bringing them up to date, however many processes begin at once."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors

from ...errors import StoreError
from .address import Address
from .failures import store_error
from .schema import MIGRATIONS

if TYPE_CHECKING:
    from psycopg import Connection

#: Key of the lock under which a database is changed.
_LOCK = 0x6D656D67707401
#: The oldest server that does what views of one user need.
_OLDEST = 150000
_USER = "(SELECT current_setting('memgpt.user_id', true))"
#: Texts are ordered as bytes, as in SQLite, whatever the locale of the database.
_TEXT = re.compile(r"\bTEXT\b")


def connect(address: Address, *, schema_first: bool = True) -> Connection[Any]:
    """A connection of its own, outside of any pool, for all users' rows.

    Args:
        address: where.
        schema_first: find the store's tables by their bare names.

    Raises:
        StoreError: the server cannot be reached.
    """
    try:
        connection = psycopg.connect(address.uri, autocommit=True, connect_timeout=max(2, int(address.pool_wait)))
    except psycopg.Error as error:
        raise store_error(error, address.place) from error
    if schema_first:
        connection.execute("SELECT set_config('search_path', %s, false)", (search_path(address.schema, mine=False),))
    return connection


def mine(schema: str) -> str:
    """The schema of the views of one user's rows."""
    return f"{schema}_mine"


def search_path(schema: str, *, mine: bool = True) -> str:
    """Where names are looked up: views of one user's rows first, unless all users' rows are meant."""
    return ", ".join([*([f"{schema}_mine"] if mine else []), schema, "public"])


def version_of(connection: Connection[Any], schema: str) -> int:
    """The version of the tables; 0: there are none."""
    there = connection.execute("SELECT to_regclass(%s)", (f"{schema}.format",)).fetchone()
    if there is None or there[0] is None:
        return 0
    row = connection.execute(f"SELECT version FROM {schema}.format").fetchone()
    return int(row[0]) if row else 0


def prepare(address: Address, *, read_only: bool = False) -> None:
    """See that the tables are there and up to date.

    Raises:
        StoreError: the server cannot be reached, its user may not change it, or a newer version has changed it.
    """
    with closing(connect(address, schema_first=False)) as connection:
        try:
            version = version_of(connection, address.schema)
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"The database {address.place} was written by a newer version of memgpt-autogen (format {version}, "
                    f"this one knows {len(MIGRATIONS)}). Upgrade the package."
                )
            if version < len(MIGRATIONS):
                if read_only and not version:
                    raise StoreError(f"There is no store in {address.place} (schema {address.schema}).")
                _migrate(connection, address)
            if address.row_security and not read_only:
                secure(connection, address.schema)
        except psycopg.Error as error:
            raise store_error(error, address.place) from error


def _migrate(connection: Connection[Any], address: Address) -> None:
    if connection.info.server_version < _OLDEST:
        raise StoreError(f"{address.place} is PostgreSQL {connection.info.server_version // 10000}. Use 15 or later.")
    schema = address.schema
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        _have_pgvector(connection, address)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(
            "SELECT set_config('search_path', concat_ws(', ', %s::text, (SELECT extnamespace::regnamespace::text "
            "FROM pg_extension WHERE extname = 'vector')), true)",
            (search_path(schema, mine=False),),
        )
        version = version_of(connection, schema)  # once more: another process may have been first
        for script in MIGRATIONS[version:]:
            connection.execute(_TEXT.sub('text COLLATE "C"', script))
        connection.execute("CREATE TABLE IF NOT EXISTS format (version int NOT NULL)")
        connection.execute("DELETE FROM format")
        connection.execute("INSERT INTO format VALUES (%s)", (len(MIGRATIONS),))
        if version < len(MIGRATIONS):
            _make_views(connection, schema)


def _have_pgvector(connection: Connection[Any], address: Address) -> None:
    there = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone()
    if there is None:
        try:
            connection.execute("CREATE EXTENSION vector")
        except (errors.InsufficientPrivilege, errors.UndefinedFile, errors.FeatureNotSupported) as error:
            raise StoreError(
                f"{address.place} has no pgvector, which keeps vectors. Install it on the server, and have an "
                "administrator run in this database: CREATE EXTENSION vector"
            ) from error


def tables(connection: Connection[Any], schema: str) -> list[str]:
    """The tables whose rows belong to a user."""
    rows = connection.execute(
        "SELECT t.table_name FROM information_schema.tables AS t JOIN information_schema.columns AS c "
        "USING (table_schema, table_name) WHERE table_schema = %s AND table_type = 'BASE TABLE' "
        "AND column_name = 'user_id' ORDER BY 1",
        (schema,),
    )
    return [row[0] for row in rows]


def _make_views(connection: Connection[Any], schema: str) -> None:
    """A view of each table with the rows of the connection's user: every statement goes through one."""
    connection.execute(f"DROP SCHEMA IF EXISTS {mine(schema)} CASCADE")
    connection.execute(f"CREATE SCHEMA {mine(schema)}")
    for table in tables(connection, schema):
        connection.execute(
            f"CREATE VIEW {mine(schema)}.{table} WITH (security_invoker = true) AS "
            f"SELECT * FROM {schema}.{table} WHERE user_id = {_USER} WITH LOCAL CHECK OPTION"
        )


def secure(connection: Connection[Any], schema: str) -> None:
    """Have the server refuse rows of other users than the connection's, whatever a statement says."""
    for table in tables(connection, schema):
        with connection.transaction():
            name = f"{schema}.{table}"
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            there = connection.execute(
                "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", (name,)
            ).fetchone()
            if there is not None and not there[0]:
                connection.execute(f"CREATE POLICY mine ON {name} USING (user_id = {_USER})")
                connection.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
                connection.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
