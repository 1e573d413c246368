"""Whether a store in PostgreSQL is whole: counts that must agree."""

from __future__ import annotations

from contextlib import closing

import psycopg

from ...errors import StoreError
from ..records import Health
from .address import Address
from .failures import store_error
from .migrate import connect, version_of

#: What is counted for the user.
_TABLES = ("agents", "messages", "sources", "passages")
#: Queries that count what is wrong, and what it means.
_AGREE = {
    "SELECT count(*) FROM messages WHERE NOT EXISTS (SELECT 1 FROM messages_terms AS t WHERE t.seq = messages.seq)": (
        "messages are not in the index"
    ),
    "SELECT count(*) FROM passages WHERE NOT EXISTS (SELECT 1 FROM passages_terms AS t WHERE t.seq = passages.seq)": (
        "passages are not in the index"
    ),
    "SELECT count(*) FROM sources WHERE passages <> (SELECT count(*) FROM passages WHERE source_id = sources.id)": (
        "sources hold another number of passages than they say"
    ),
    "SELECT count(*) FROM passages JOIN passages_terms USING (seq) "
    "WHERE NOT terms @@ ('''@' || source_id || '''')::tsquery": "passages are in the index under another source",
    "SELECT count(*) FROM blocks WHERE NOT EXISTS (SELECT 1 FROM block_versions AS v WHERE v.block_id = blocks.id "
    "AND v.version = blocks.version)": "blocks of core memory have lost versions",
    "SELECT count(*) FROM passages JOIN sources ON sources.id = source_id WHERE passages.user_id <> sources.user_id": (
        "passages belong to another user than their source"
    ),
    "SELECT count(*) FROM messages JOIN agents ON agents.id = agent_id WHERE messages.user_id <> agents.user_id": (
        "messages belong to another user than their agent"
    ),
}


def check(address: str) -> Health:
    """Check a store, for all users. Nothing in it is changed.

    Raises:
        StoreError: the server cannot be reached, or there is no store.
    """
    where = Address.parse(address)
    with closing(connect(where)) as connection:
        try:
            version = version_of(connection, where.schema)
            if not version:
                raise StoreError(f"There is no store in {where.place} (schema {where.schema}).")

            def number(sql: str) -> int:
                row = connection.execute(sql).fetchone()
                return int(row[0]) if row else 0

            wrong = [(number(sql), told) for sql, told in _AGREE.items()]
            counts = {table: number(f"SELECT count(*) FROM {table}") for table in _TABLES}
            hidden = number("SELECT count(*) FROM sources WHERE loading_for IS NOT NULL")
        except psycopg.Error as error:
            raise store_error(error, where.place) from error
    left = (f"{hidden} loadings that are at work or were killed",) if hidden else ()
    return Health(tuple(f"{count} {told}" for count, told in wrong if count), counts, version, left, (), True)
