"""How fast archival memory is with many passages: search by vectors, by words and by both, insert, attach, reopen.

    python benchmarks/archival.py [--passages 100000] [--dim 384] [--queries 100]

A file of 20 sources of equal size, vectors given (random directions), texts of 40 to 120 words drawn by Zipf's law from
30,000, with English stop words among the most common ones; a query is 8 words of a passage and a vector near its own.
"5%" is an agent with one source attached, "all" one with all twenty. Everything goes through the store's public
methods. Exact: the first ten by vectors are those of a full sort in float64. Beside it, in the same run: SQLite's FTS5
with its own BM25, asked for the same words; and rereading all vectors, as a search must that keeps none in memory.

Targets at 100,000 x 384: recall 1.0; vectors p95 5 ms (5%) and 15 ms (all); words and vectors 20 and 60 ms; insert
p95 1 ms; reopen 0.5 s; attach 10 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np

from memgpt_autogen.ids import new_id
from memgpt_autogen.storage.base import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.words import STOP_WORDS, fts_query

SOURCES = 20
NAME = "given"


class Texts:
    """Texts as common and as rare in their words as English is."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        letters = np.array(list("aeiouklmnprst"))
        made = dict.fromkeys(
            "".join(self._random.choice(letters, size)) for size in self._random.integers(3, 9, 60_000)
        )
        words = [word for word in made if word not in STOP_WORDS][:30_000]
        common = sorted(STOP_WORDS)
        self._words = np.array(
            [word for pair in zip(common, words, strict=False) for word in pair] + words[len(common) :]
        )
        shares = 1 / np.arange(1, len(self._words) + 1)
        self._bounds = np.cumsum(shares / shares.sum())

    def one(self) -> str:
        drawn = np.searchsorted(self._bounds, self._random.random(int(self._random.integers(40, 121))))
        return " ".join(self._words[np.minimum(drawn, len(self._words) - 1)])

    def query(self, text: str) -> str:
        return " ".join(self._random.choice(text.split(), 8, replace=False))


def timed(action, arguments):
    taken = []
    for argument in arguments:
        started = time.perf_counter()
        action(argument)
        taken.append(1000 * (time.perf_counter() - started))
    return np.percentile(taken, 50), np.percentile(taken, 95)


def show(name, times, base=None):
    ratio = f"   ratio of p95 to {base[0]} {times[1] / base[1]:.2f}" if base else ""
    print(f"{name:34} p50 {times[0]:8.2f} ms   p95 {times[1]:8.2f} ms{ratio}", flush=True)


def memory() -> float:
    """Resident MB now, 0 where the system does not say."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096 / 1e6
    return 0.0


def build(store, texts, count, vectors):
    agents = {name: store.agents.create(name, {}).id for name in ("one", "every")}
    for number in range(SOURCES):
        source = store.passages.create_source(f"source {number}").id
        rows = range(number * count // SOURCES, (number + 1) * count // SOURCES)
        passages = [Passage(texts[row], "file.md", {"row": row}, id=new_id()) for row in rows]
        with store.transaction():
            store.passages.add(source, passages)
            store.passages.put_vectors(NAME, [one.id for one in passages], vectors[rows.start : rows.stop])
        store.passages.attach(agents["every"], source)
        if number == SOURCES // 2:
            store.passages.attach(agents["one"], source)
    return agents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", type=int, default=100)
    options = parser.parse_args()
    count, random, make = options.passages, np.random.default_rng(7), Texts(7)
    vectors = random.standard_normal((count, options.dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [make.one() for _ in range(count)]
    rows = [int(row) for row in random.integers(0, count, options.queries)]
    near = vectors[rows] + 0.05 * random.standard_normal((len(rows), options.dim), dtype=np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    queries = [make.query(texts[row]) for row in rows]
    best = [np.argsort(-(vectors.astype(np.float64) @ one.astype(np.float64)))[:10].tolist() for one in near[:10]]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memgpt.db"
        store = SQLiteStore(path)
        started = time.perf_counter()
        agents = build(store, texts, count, vectors)
        store.close()
        print(f"{count} passages x {options.dim}, {SOURCES} sources, built in {time.perf_counter() - started:.0f} s")
        del vectors, texts

        before, started = memory(), time.perf_counter()
        store = SQLiteStore(path)
        opened = time.perf_counter() - started

        def search(agent, words, vector):
            name = NAME if vector is not None else ""
            return store.passages.search(agents[agent], words, page=0, page_size=10, vector=vector, embedder=name)

        search("every", "", near[0])
        first = time.perf_counter() - started
        print(f"reopen {opened:.3f} s, with the first search by vectors {first:.3f} s, RSS +{memory() - before:.0f} MB")
        found = [[hit.item.metadata["row"] for hit in search("every", "", one).hits] for one in near[:10]]
        same = [len(set(one) & set(other)) / 10 for one, other in zip(found, best, strict=True)]
        print(f"exact recall@10 {np.mean(same):.3f}")

        connection = store._database
        sql = "SELECT rowid FROM passages_fts WHERE passages_fts MATCH ? ORDER BY bm25(passages_fts) LIMIT 10"
        fts = timed(lambda words: connection.all(sql, fts_query(words)), queries[:20])
        reread = timed(lambda _: connection.all("SELECT seq, vector FROM passage_vectors"), range(5))
        show("FTS5 BM25, all", fts)
        show("rereading all vectors", reread)
        for agent, share in (("one", "5%"), ("every", "all")):
            show(
                f"vectors, {share}", timed(lambda q, agent=agent: search(agent, "", q), near), ("rereading", reread[1])
            )
        for agent, share in (("one", "5%"), ("every", "all")):
            pairs = list(zip(queries, near, strict=True))
            show(f"words, {share}", timed(lambda q, agent=agent: search(agent, q, None), queries), ("FTS5", fts[1]))
            show(
                f"words and vectors, {share}", timed(lambda q, agent=agent: search(agent, *q), pairs), ("FTS5", fts[1])
            )

        own = store.passages.own_source(agents["one"])

        def insert(vector):
            passage = Passage(make.one(), id=new_id())
            with store.transaction():
                store.passages.add(own, [passage])
                store.passages.put_vectors(NAME, [passage.id], vector.reshape(1, -1))

        inserts = random.standard_normal((1000, options.dim), dtype=np.float32)
        show("insert with its vector", timed(insert, inserts))

        def insert_and_search(vector):
            insert(vector)
            search("every", "", vector)

        show("insert, then search by vectors", timed(insert_and_search, near[:30]))
        late = store.agents.create("late", {}).id
        sources = [source.id for source in store.passages.list_sources()]
        started = time.perf_counter()
        with store.transaction():
            for source_id in sources:
                store.passages.attach(late, source_id)
        print(f"attach {len(sources)} sources of {count} passages {1000 * (time.perf_counter() - started):.2f} ms")
        store.close()


if __name__ == "__main__":
    main()
