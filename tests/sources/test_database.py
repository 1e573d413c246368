"""Rows of a database as documents; nothing is ever written to it, and its password is not kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memgpt_autogen.errors import MissingDependency, SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.sources.sql import check_query, shown
from memgpt_autogen.storage.records import Passage

pytest.importorskip("sqlalchemy")

Passages = Callable[[str], list[Passage]]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as shop:
        shop.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
        rows = [(1, "Lamp", "The lamp is red."), (2, "Chair", "The chair is oak."), (3, None, None)]
        shop.executemany("INSERT INTO articles VALUES (?, ?, ?)", rows)
        yield shop


@pytest.fixture
def url(tmp_path: Path, shop: sqlite3.Connection) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_row_becomes_a_document_and_is_known_again(
    library: Library, shop: sqlite3.Connection, url: str, passages: Passages
) -> None:
    query = "SELECT id, title, body FROM articles WHERE title <> ':none' ORDER BY id;"
    loaded = library.load("s", "database", url=url, query=query)
    assert str(loaded) == "Loaded 2 rows into 2 passages."
    assert [(one.uri, one.text) for one in passages("s")] == [
        ("shop.db, id 1", "id: 1\ntitle: Lamp\nbody: The lamp is red."),
        ("shop.db, id 2", "id: 2\ntitle: Chair\nbody: The chair is oak."),
    ]
    shop.execute("DELETE FROM articles WHERE id = 1")
    shop.execute("UPDATE articles SET body = 'The chair is elm.' WHERE id = 2")
    shop.execute("INSERT INTO articles VALUES (4, 'Table', 'The table is round.')")
    again = library.load("s", "database", url=url, query=query)
    assert (again.new, again.changed, again.gone, again.same) == (1, 1, 1, 0)


def test_a_single_column_is_its_text_alone(library: Library, url: str, passages: Passages) -> None:
    library.load("s", "database", url=url, query="SELECT body FROM articles")
    assert next((one.uri, one.text) for one in passages("s")) == ("shop.db, row 1", "The lamp is red.")
    with pytest.raises(SourceError, match="no column 'number'. It has: body"):
        library.load("s", "database", url=url, query="SELECT body FROM articles", key="number")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM articles", r"would do more than read \(DELETE\). Only a SELECT"),
        ("/* SELECT */ drop table articles", r"more than read \(DROP\)"),
        ("WITH gone AS (DELETE FROM articles RETURNING *) SELECT * FROM gone", r"\(DELETE\)"),
        ("SELECT * INTO copy FROM articles", r"\(INTO\)"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("  -- nothing", "There is no query"),
        ("SELECT word FROM nowhere", "The database sqlite:///.* says: no such table: nowhere."),
        ("SELECT title FROM articles WHERE id = 3", "no rows with text"),
    ],
)
def test_a_query_that_fails_or_would_write_is_refused(
    library: Library, shop: sqlite3.Connection, url: str, passages: Passages, query: str, told: str
) -> None:
    library.load("s", "database", url=url, query="SELECT id, title FROM articles")
    with pytest.raises(SourceError, match=told) as caught:
        library.load("s", "database", url=url, query=query)
    assert "\n" not in str(caught.value)
    assert len(passages("s")) == 3
    assert shop.execute("SELECT count(*) FROM articles").fetchone() == (3,)


def test_words_of_a_string_are_no_statements() -> None:
    query = "SELECT * FROM articles WHERE body = 'delete; insert into' -- update"
    assert check_query(query) == query


def test_databases_that_are_not_there_say_so(library: Library, tmp_path: Path) -> None:
    query = "SELECT 1"
    with pytest.raises(SourceError, match="no database file .*gone.db"):
        library.load("s", "database", url=f"sqlite:///{tmp_path / 'gone.db'}", query=query)
    assert not (tmp_path / "gone.db").exists()
    with pytest.raises(SourceError, match="not the URL of a database"):
        library.load("s", "database", url="shop.db", query=query)
    with pytest.raises((SourceError, MissingDependency)) as caught:
        library.load("s", "database", url="postgresql://ann:secret@127.0.0.1:1/wiki", query=query)
    assert "secret" not in str(caught.value) and "ann" in str(caught.value)


def test_a_password_is_never_shown() -> None:
    assert shown("postgresql://ann:secret@db/wiki?password=secret") == "postgresql://ann:***@db/wiki"
