"""Vectors in pgvector: exactly as in memory, and by an index from a size on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.postgres import vectors as pgvector
from memgpt_autogen.storage.postgres.store import PostgresStore
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore

COUNT, DIM = 300, 16


def directions(count: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def filled(store: Store) -> str:
    agent = store.agents.create("vera", {}).id
    source = store.sources.create_source("papers").id
    store.sources.attach(agent, source)
    store.passages.add(source, [Passage(f"page {number}", id=f"p{number}") for number in range(COUNT)])
    store.passages.put_vectors("e", [f"p{number}" for number in range(COUNT)], directions(COUNT, 1))
    return agent


def nearest(store: Store, agent: str, asked: np.ndarray) -> list[tuple[str, float]]:
    page = store.passages.search(agent, "", page=1, page_size=10, vector=asked, embedder="e")
    return [(hit.item.text, round(hit.score, 4)) for hit in page.hits]


def test_the_nearest_are_those_that_sqlite_finds(store: PostgresStore, tmp_path: Path) -> None:
    other = SQLiteStore(tmp_path / "memgpt.db")
    agents = filled(store), filled(other)
    for asked in directions(5, 2):
        assert nearest(store, agents[0], asked) == nearest(other, agents[1], asked)
    other.close()


def test_a_large_source_gets_an_index_of_its_own(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = filled(store)
    asked = directions(3, 3)
    exact = [nearest(store, agent, one) for one in asked]
    assert not store.passages.unsettled(agent)
    monkeypatch.setattr(pgvector, "HNSW_FROM", COUNT)
    assert store.passages.unsettled(agent)
    store.passages.settle()
    assert not store.passages.unsettled(agent)
    search = store._database.vector_search
    source = store.sources.get_source("papers").id
    found = search.nearest("passage_vectors", source, asked[0], 10)
    assert found is not None and len(found[0]) == 10
    for one, known in zip(asked, exact, strict=True):
        assert nearest(store, agent, one) == known  # of so few an index misses none
    plan = store._database.all_with(
        pgvector.SETTINGS,
        f"EXPLAIN SELECT seq FROM passage_vectors WHERE owner_id = '{source}' "
        f"ORDER BY vector::vector({DIM}) <#> ?::vector LIMIT 3",
        pgvector.text_of(asked[0]),
    )
    told = "\n".join(row[0] for row in plan)
    assert "nearest_" in told, told


def test_what_came_after_the_index_is_found_by_it(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = filled(store)
    monkeypatch.setattr(pgvector, "HNSW_FROM", COUNT)
    store.passages.settle()
    source = store.sources.get_source("papers").id
    new = directions(1, 4)
    store.passages.add(source, [Passage("new", id="new")])
    store.passages.put_vectors("e", ["new"], new)
    assert nearest(store, agent, new[0])[0][0] == "new"
    store.sources.clear(source)
    assert nearest(store, agent, new[0]) == []
