"""The tables in PostgreSQL: the same as SQLite's, made once however many begin, and each user's own."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import ConfigError, StoreError
from memgpt_autogen.storage.copying import TABLES
from memgpt_autogen.storage.postgres.address import Address
from memgpt_autogen.storage.postgres.migrate import connect, mine
from memgpt_autogen.storage.postgres.schema import MIGRATIONS
from memgpt_autogen.storage.postgres.store import PostgresStore
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore

from ...postgres import address_of, server
from ..other_process import ROOT
from .conftest import Open

#: Columns of SQLite that are not read any more.
_OLD = {("agents", "paused_until"), ("passages", "vector")}
#: Columns that SQLite itself makes of others; PostgreSQL compares the vectors themselves.
_DERIVED = {("message_vectors", "code"), ("passage_vectors", "code")}


def columns(address: str) -> set[tuple[str, str]]:
    where = Address.parse(address)
    with closing(connect(where)) as raw:
        rows = raw.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s", (where.schema,)
        ).fetchall()
    return {(row[0], row[1]) for row in rows}


def test_both_engines_have_the_same_tables_and_a_copy_takes_all_of_them(
    store: PostgresStore, address: str, tmp_path: Path
) -> None:
    SQLiteStore(tmp_path / "memgpt.db").close()
    with closing(sqlite3.connect(tmp_path / "memgpt.db")) as raw:
        named = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in named if "_fts" not in name and not name.startswith("sqlite_")]
        here = {(name, row[1]) for name in kept for row in raw.execute(f"PRAGMA table_info({name})")} - _OLD - _DERIVED
    own = {"leases", "format", "messages_terms", "passages_terms"}
    there = {pair for pair in columns(address) if pair[0] not in own}
    assert here == there
    assert {(table, column) for table, parts in TABLES.items() for column in " ".join(parts).split()} == here


def test_ten_processes_that_start_at_once_make_the_tables_once(address: str) -> None:
    code = "import sys; from memgpt_autogen.storage.postgres.store import PostgresStore as S; S(sys.argv[1]).close()"
    command = [sys.executable, "-c", code, address]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(10)]
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 10, "".join(errors)
    with closing(connect(Address.parse(address))) as raw:
        assert raw.execute("SELECT version FROM format").fetchall() == [(len(MIGRATIONS),)]


def test_a_store_of_a_newer_version_is_left_alone(store: PostgresStore, address: str) -> None:
    with closing(connect(Address.parse(address))) as raw:
        raw.execute("UPDATE format SET version = 999")
    with pytest.raises(StoreError, match="written by a newer version"):
        PostgresStore(address)


def test_every_statement_sees_the_rows_of_its_user_alone(opened: Open) -> None:
    """Whatever a statement asks for: the names it uses are those of views of one user's rows."""
    stores = {user: opened(user_id=user) for user in ("ann", "bob")}
    for user, store in stores.items():
        agent = store.agents.create("sam", {}).id
        store.log.append(agent, [events.user_message(f"{user} was here")])
        store.passages.add(store.sources.own_source(agent), [Passage(f"{user}'s note")])
    for user, store in stores.items():
        database = store._database
        for table in ("agents", "messages", "passages", "messages_terms", "sources"):
            assert {row[0] for row in database.all(f"SELECT user_id FROM {table}")} == {user}, table
        assert database.execute("UPDATE messages SET content = 'gone' WHERE user_id <> ?", user) == 0
        assert database.execute("DELETE FROM passages WHERE user_id <> ?", user) == 0
        with pytest.raises(StoreError, match="check option"):
            database.execute("UPDATE agents SET user_id = 'carl'")


def test_row_level_security_holds_for_the_tables_themselves(opened: Open, address: str) -> None:
    where = Address.parse(address)
    opened().close()
    with closing(psycopg.connect(server().get_uri(), autocommit=True)) as raw:
        raw.execute(f"DROP ROLE IF EXISTS {where.schema}_role")
        raw.execute(f"CREATE ROLE {where.schema}_role LOGIN")
        for schema in (where.schema, mine(where.schema)):
            raw.execute(f"GRANT USAGE ON SCHEMA {schema} TO {where.schema}_role")
            raw.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {where.schema}_role")
        raw.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {where.schema} TO {where.schema}_role")
    opened(f"{address}&row_security=on").close()  # switched on by the owner, once
    served = re.sub(r"//postgres:?@", f"//{where.schema}_role@", address)
    assert served != address
    ann, bob = (opened(served, user_id=user) for user in ("ann", "bob"))
    sam = ann.agents.create("sam", {}).id
    ann.log.append(sam, [events.user_message("a secret")])
    bob.agents.create("sam", {})
    assert [row.name for row in ann.agents.list()] == ["sam"] and ann.log.count(sam) == 1
    raw_of_bob = bob._database
    whole = f"SELECT user_id FROM {where.schema}.agents"  # around the views
    assert {row[0] for row in raw_of_bob.all(whole)} == {"bob"}
    assert raw_of_bob.all(f"SELECT 1 FROM {where.schema}.messages") == []
    with pytest.raises(StoreError, match="row-level security"):
        raw_of_bob.execute(
            f"INSERT INTO {where.schema}.agents (id, user_id, name, config, created_at) "
            "VALUES ('x', 'ann', 'x', '', '')"
        )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"schema": "public"}, "a schema of the store's own"),
        ({"schema": 'x"; DROP'}, "a schema of the store's own"),
        ({"pool_size": 0}, "not a number from 1 on"),
        ({"statement_timeout": "soon"}, "not a number"),
        ({"row_security": "perhaps"}, "neither on nor off"),
    ],
)
def test_an_address_that_cannot_be_says_why(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Address.parse("postgresql://host/db?" + "&".join(f"{name}={value}" for name, value in options.items()))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://sam:swordfish-9@127.0.0.1:1/db?pool_wait=0.1",
        "postgresql://127.0.0.1:1/db?user=sam&password=swordfish-9&pool_wait=0.1",
        "postgres://sam:sword%66ish-9@127.0.0.1:1/db?pool_wait=0.1",
    ],
)
def test_the_password_shows_in_no_error(address: str) -> None:
    with pytest.raises(StoreError) as raised:
        PostgresStore(address)
    chain: BaseException | None = raised.value
    assert "127.0.0.1" in str(chain) and "Try again when the server is back" in str(chain)
    while chain is not None:
        assert "swordfish-9" not in str(chain) and "sword%66ish" not in str(chain)
        chain = chain.__cause__
    assert "swordfish" not in Address.parse(address).place


def test_the_server_is_asked_by_one_schema_for_each_store() -> None:
    one, other = (Address.parse(address_of(server(), schema=name)) for name in ("one", "other"))
    assert one != other and one.uri == other.uri
