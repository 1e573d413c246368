"""How fast archival memory is with many passages: search by vectors, by words and by both, insert, attach, reopen.

    python benchmarks/archival.py [--sizes 1000,10000,100000] [--dim 384] [--queries 100] [--without-chroma]

For each size: a file of 20 sources of equal size, vectors given (random directions), texts of 40 to 120 words drawn by
Zipf's law from 30,000, with English stop words among the most common ones; a query is 8 words of a passage and a vector
near its own. "5%" is an agent with one source attached, "all" one with all twenty. Everything goes through the store's
public methods. Exact: for vectors in random directions, the first ten are those of a full sort in float64.

Beside it, in the same run: one exact pass of numpy over all vectors, which stand in memory for it; SQLite's FTS5 with
its own BM25, asked for the same words; rereading all vectors, as a search must that keeps none in memory; Chroma (extra
``chroma``), its own interface asked for the ten nearest in one collection, "5%" by a filter on the source; and the same
store again with its vectors in Chroma.

Targets at 100,000 x 384 and 1,000,000 x 384: recall 1.0; vectors over all at most half of numpy's pass. At 100,000: the
first search after opening 0.3 s; vectors p95 5 ms (5%) and 15 ms (all); words and vectors 20 and 60 ms; insert
p95 1 ms; reopen 0.5 s; attach 10 ms; editing core memory 3 ms. The last lines say from which size on a search was
faster with Chroma.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from memgpt_autogen.ids import new_id
from memgpt_autogen.memory.core import CoreMemory
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.search.words import STOP_WORDS, fts_query
from memgpt_autogen.storage.sqlite import SQLiteStore

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
        source = store.sources.create_source(f"source {number}").id
        rows = range(number * count // SOURCES, (number + 1) * count // SOURCES)
        passages = [Passage(texts[row], "file.md", {"row": row}, id=new_id()) for row in rows]
        with store.transaction():
            store.passages.add(source, passages)
            store.passages.put_vectors(NAME, [one.id for one in passages], vectors[rows.start : rows.stop])
        store.sources.attach(agents["every"], source)
        if number == SOURCES // 2:
            store.sources.attach(agents["one"], source)
    return agents


class Asked:
    """The same questions for everybody: vectors near those of some passages, words of their texts."""

    def __init__(self, texts, vectors, queries, random, make):
        self.rows = [int(row) for row in random.integers(0, len(texts), queries)]
        near = vectors[self.rows] + 0.05 * random.standard_normal((queries, vectors.shape[1]), dtype=np.float32)
        self.near = near / np.linalg.norm(near, axis=1, keepdims=True)
        self.words = [make.query(texts[row]) for row in self.rows]
        far = random.standard_normal((10, vectors.shape[1]), dtype=np.float32)
        self.far = far / np.linalg.norm(far, axis=1, keepdims=True)
        exact = (vectors @ one.astype(np.float64) for one in self.far)
        self.best = [np.argsort(-one)[:10].tolist() for one in exact]

    def recall(self, answer):
        same = [len(set(answer(one)) & set(best)) / 10 for one, best in zip(self.far, self.best, strict=True)]
        return float(np.mean(same))


def searcher(store, agents):
    def search(agent, words, vector):
        name = NAME if vector is not None else ""
        return store.passages.search(agents[agent], words, page=1, page_size=10, vector=vector, embedder=name)

    return search


def ours(path, agents, asked, make, random, vectors):
    """Every figure of the store by itself; p50 of words and vectors over all passages."""
    before, started = memory(), time.perf_counter()
    store = SQLiteStore(path)
    opened = time.perf_counter() - started
    search = searcher(store, agents)
    search("every", "", asked.near[0])
    first = time.perf_counter() - started
    print(f"reopen {opened:.3f} s, with the first search by vectors {first:.3f} s, RSS +{memory() - before:.0f} MB")
    recall = asked.recall(lambda one: [hit.item.metadata["row"] for hit in search("every", "", one).hits])
    print(f"exact recall@10 {recall:.3f}")
    database = store._database
    sql = "SELECT rowid FROM passages_fts WHERE passages_fts MATCH ? ORDER BY bm25(passages_fts) LIMIT 10"
    fts = timed(lambda words: database.all(sql, fts_query(words)), asked.words[:20])
    reread = timed(lambda _: database.all("SELECT seq, vector FROM passage_vectors"), range(5))
    show("FTS5 BM25, all", fts)
    show("rereading all vectors", reread)
    numpy_pass = timed(lambda one: vectors @ one, asked.near)
    show("numpy, one exact pass over all", numpy_pass)
    result = searches(search, asked, ("numpy", numpy_pass[1]), ("FTS5", fts[1]))
    inserts(store, agents, asked, make, random)
    attach(store)
    core(store, agents["every"])
    store.close()
    return result


def searches(search, asked, vectors_base=None, words_base=None):
    pairs = list(zip(asked.words, asked.near, strict=True))
    for agent, share in (("one", "5%"), ("every", "all")):
        by_vectors = timed(lambda one, agent=agent: search(agent, "", one), asked.near)
        show(f"vectors, {share}", by_vectors, vectors_base)
    for agent, share in (("one", "5%"), ("every", "all")):
        by_words = timed(lambda one, agent=agent: search(agent, one, None), asked.words)
        show(f"words, {share}", by_words, words_base)
        both = timed(lambda one, agent=agent: search(agent, *one), pairs)
        show(f"words and vectors, {share}", both, words_base)
    return both[0]


def inserts(store, agents, asked, make, random):
    own = store.sources.own_source(agents["one"])

    def insert(vector):
        passage = Passage(make.one(), id=new_id())
        with store.transaction():
            store.passages.add(own, [passage])
            store.passages.put_vectors(NAME, [passage.id], vector.reshape(1, -1))

    def insert_and_search(vector):
        insert(vector)
        searcher(store, agents)("every", "", vector)

    show("insert with its vector", timed(insert, random.standard_normal((1000, asked.near.shape[1]), dtype=np.float32)))
    show("insert, then search by vectors", timed(insert_and_search, asked.near[:30]))


def attach(store):
    late = store.agents.create("late", {}).id
    sources = store.sources.list_sources()
    started = time.perf_counter()
    with store.transaction():
        for source in sources:
            store.sources.attach(late, source.id)
    taken = 1000 * (time.perf_counter() - started)
    print(f"attach {len(sources)} sources, {store.passages.count(late)} passages in all: {taken:.2f} ms")


def core(store, agent):
    """Editing core memory, as the agent's functions do."""
    memory = CoreMemory(store, agent)
    store.agents.add_block(agent, "human", "Ann plants 0 rows.", 2000)

    def edit(number):
        with store.transaction():
            memory.replace("human", f" {number} rows", f" {number + 1} rows")
        memory.render()

    show("edit core memory", timed(edit, range(1000)))


def chroma_alone(folder, vectors, asked):
    """Chroma's own interface."""
    import chromadb
    from chromadb.config import Settings

    before, started = memory(), time.perf_counter()
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    space = {"hnsw": {"space": "cosine"}}
    collection = client.create_collection("passages", embedding_function=None, configuration=space)
    part = len(vectors) // SOURCES
    for start in range(0, len(vectors), 5000):
        rows = range(start, min(start + 5000, len(vectors)))
        told = [{"source": row // part} for row in rows]
        collection.add(ids=[str(row) for row in rows], embeddings=vectors[rows.start : rows.stop], metadatas=told)
    print(f"Chroma {chromadb.__version__}: built in {time.perf_counter() - started:.0f} s")

    def nearest(one, where=None):
        found = collection.query(query_embeddings=[one], n_results=10, where=where, include=["distances"])
        return [int(key) for key in found["ids"][0]]

    print(f"Chroma: recall@10 {asked.recall(nearest):.3f}, RSS +{memory() - before:.0f} MB with what it took to build")
    show("Chroma, vectors, 5%", timed(lambda one: nearest(one, {"source": SOURCES // 2}), asked.near))
    show("Chroma, vectors, all", timed(nearest, asked.near))
    fresh = iter(range(10**9, 2 * 10**9))
    show(
        "Chroma, insert",
        timed(lambda one: collection.add(ids=[str(next(fresh))], embeddings=[one]), asked.near),
    )
    client.close()


def ours_on_chroma(path, folder, agents, asked):
    """The same store with its vectors in Chroma; p50 of words and vectors over all passages."""
    store = SQLiteStore(path, vectors=folder.as_uri().replace("file:", "chroma:", 1))
    search, started = searcher(store, agents), time.perf_counter()
    search("every", "", asked.near[0])
    print(f"store on Chroma: first search, by the vectors in the file, {time.perf_counter() - started:.2f} s")
    store.passages.settle()
    print(f"store on Chroma: vectors moved there in {time.perf_counter() - started:.0f} s")
    store.close()
    before, started = memory(), time.perf_counter()
    store = SQLiteStore(path, vectors=folder.as_uri().replace("file:", "chroma:", 1))
    search = searcher(store, agents)
    search("every", "", asked.near[0])
    first = time.perf_counter() - started
    store.passages.settle()
    taken = time.perf_counter() - started - first
    print(f"reopen with the first search {first:.1f} s, all keys seen {taken:.1f} s, RSS +{memory() - before:.0f} MB")
    recall = asked.recall(lambda one: [hit.item.metadata["row"] for hit in search("every", "", one).hits])
    print(f"store on Chroma: recall@10 {recall:.3f}")
    result = searches(search, asked)
    store.close()
    return result


def measure(count, options):
    random, make = np.random.default_rng(7), Texts(7)
    vectors = random.standard_normal((count, options.dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [make.one() for _ in range(count)]
    asked = Asked(texts, vectors, options.queries, random, make)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path, started = Path(folder) / "memgpt.db", time.perf_counter()
        store = SQLiteStore(path)
        agents = build(store, texts, count, vectors)
        store.close()
        taken = time.perf_counter() - started
        print(f"\n== {count} passages x {options.dim}, {SOURCES} sources, built in {taken:.0f} s", flush=True)
        del texts
        alone = ours(path, agents, asked, make, random, vectors)
        if options.without_chroma or find_spec("chromadb") is None:
            return alone, None
        chroma_alone(Path(folder) / "chroma", vectors, asked)
        del vectors
        return alone, ours_on_chroma(path, Path(folder) / "vectors", agents, asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000", help="passages, separated by commas")
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--without-chroma", action="store_true")
    options = parser.parse_args()
    found = {size: measure(size, options) for size in map(int, options.sizes.split(","))}
    print("\nwords and vectors over all passages, p50, vectors in the file and in Chroma:")
    for size, (here, there) in found.items():
        print(f"  {size:8} {here:8.2f} ms " + ("" if there is None else f"{there:8.2f} ms"))
    faster = [size for size, (here, there) in found.items() if there is not None and there < here]
    print(f"Chroma was faster from {faster[0]} passages on." if faster else "Chroma was faster at none of these sizes.")


if __name__ == "__main__":
    main()
