"""Vectors of one byte a dimension: the nearest are those of the vectors themselves, in their order."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.vectors.coded import EXACT, Query, doubtful, encode, packed, unpacked


def directions(seed: int, count: int, dim: int, *, around: float = 0.0) -> np.ndarray:
    """Vectors of length 1: in any direction, or near to one another."""
    random = np.random.default_rng(seed)
    made = random.standard_normal((count, dim), dtype=np.float32) + np.float32(around)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("dim", [1, 2, 7, 64, 384])
@pytest.mark.parametrize("around", [0.0, 5.0])
def test_the_error_is_never_more_than_is_said(dim: int, around: float) -> None:
    vectors = directions(dim, 500, dim, around=around)
    query = Query(directions(3, 1, dim)[0])
    cosines, slack = query.estimated(*encode(vectors))
    true = vectors.astype(np.float64) @ query.vector.astype(np.float64)
    assert (np.abs(cosines - true) <= slack).all()
    looked = doubtful(cosines, slack)
    nearest = np.argsort(-true, kind="stable")[:EXACT]
    assert {*nearest.tolist()} <= {*looked.tolist()}
    assert not len(doubtful(cosines, np.zeros_like(slack)))


@pytest.mark.parametrize("vector", [[0.0, 0.0], [1.0, 0.0], [3e-5, -7.0], [1e-30, 2e-30]])
def test_a_code_is_stored_and_read(vector: list[float]) -> None:
    given = np.array(vector, dtype=np.float32)
    codes, marks = unpacked([packed(given), packed(given)])
    assert codes.shape == (2, 2)
    assert codes[1] * marks[1, 0] == pytest.approx(given, abs=float(marks[1, 1]) + 1e-6)
    assert packed(given[:0]) == b""


@pytest.mark.parametrize("sources", [1, 4])
def test_a_search_by_vectors_finds_the_true_nearest(sources: int) -> None:
    store, vectors = SQLiteStore(None), directions(1, 1200, 48)
    agent = store.agents.create("sam", {"name": "sam"}).id
    for number in range(sources):
        source, part = store.sources.create_source(f"source {number}").id, range(number, 1200, sources)
        passages = [Passage("text", "", {"row": row}, id=f"p{row}") for row in part]
        with store.transaction():
            store.passages.add(source, passages)
            store.passages.put_vectors("e", [one.id for one in passages], vectors[part])
        store.sources.attach(agent, source)
    for asked in directions(2, 5, 48):
        page = store.passages.search(agent, "", page=1, page_size=30, vector=asked, embedder="e")
        true = vectors.astype(np.float64) @ asked
        rows = [hit.item.metadata["row"] for hit in page.hits]
        assert rows == np.argsort(-true, kind="stable")[: len(rows)].tolist()
        assert len(rows) == 30 <= EXACT


def test_a_database_without_codes_gets_them(tmp_path: Path) -> None:
    path, vectors = tmp_path / "memgpt.db", directions(5, 3, 8)
    store = SQLiteStore(path)
    agent = store.agents.create("sam", {"name": "sam"}).id
    passages = [Passage(f"text {number}", id=f"p{number}") for number in range(3)]
    store.passages.add(store.sources.own_source(agent), passages)
    store.passages.put_vectors("e", [one.id for one in passages], vectors)
    store.close()
    with sqlite3.connect(path) as raw:
        version = raw.execute("PRAGMA user_version").fetchone()[0]
        raw.executescript(
            "DROP TRIGGER passage_vectors_moved; DROP TRIGGER passage_vectors_coded;"
            "DROP TRIGGER message_vectors_coded;"
            "DROP INDEX passage_vectors_codes; DROP INDEX message_vectors_codes;"
            "ALTER TABLE passage_vectors DROP COLUMN code; ALTER TABLE message_vectors DROP COLUMN code;"
            "CREATE INDEX message_vectors_owner ON message_vectors (owner_id, number);"
            "CREATE INDEX passage_vectors_owner ON passage_vectors (owner_id, number);"
            f"PRAGMA user_version = {version - 1};"
        )
    raw.close()
    store = SQLiteStore(path)
    page = store.passages.search(agent, "", page=1, page_size=5, vector=vectors[1], embedder="e")
    assert page.hits[0].item.id == "p1"
    store.close()
