"""What each store costs: turns, insertion and search, of SQLite, PostgreSQL with pgvector, and Chroma, in one table.

    python benchmarks/store.py [--sizes 10000,100000] [--storage postgres] [--turns 200] [--queries 40]
        [--without-chroma]

Turns: an agent whose model answers at once, by itself and with seven others in threads of one process; each turn is two
transactions under a lock. For each size: one source of so many passages of 40 to 120 words with random vectors of 384
numbers, inserted in batches of 500 through the store; then searches for the ten best, by a vector, by words, and by
both, each after the first, which reads what is kept in memory (told apart as "first"). recall@10: how many of the
vector's true ten nearest a search by the vector finds. PostgreSQL is measured exactly and with its HNSW index, which
the store makes by itself from ``HNSW_FROM`` on; Chroma keeps the vectors of a store in SQLite. ``--storage`` names a
PostgreSQL that is empty; "postgres" starts one from a wheel with its usual settings. 1,000,000 passages: --sizes
1000000, which takes an hour and 10 GB.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _postgres import store_address
from archival import Texts

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.engines import engine_of
from memgpt_autogen.storage.postgres import vectors as pgvector
from memgpt_autogen.storage.records import Passage

DIM, BATCH, NAME, THREADS = 384, 500, "given", 8
HEADS = ("insert", "first", "vector p50", "p95", "words p50", "p95", "both p50", "p95")


def directions(random, count):
    made = random.standard_normal((count, DIM), dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def turns(address, folder, count):
    """Turns a second of one agent, and of eight in threads."""
    client = MemGPT(Settings(home=folder, environ={}), store=address, embedder=None)

    def agent(name):
        model = ScriptedModel(["hello"] * (count + 5), context_window=32_000)
        return client.create_agent({"name": name, "preset": "memgpt_chat"}, model=model)

    def talk(one, times):
        for number in range(times):
            one.run([events.user_message(f"message {number}")])

    first, others = agent("one"), [agent(f"of {THREADS}: {number}") for number in range(THREADS)]
    talk(first, 5)
    started = time.perf_counter()
    talk(first, count)
    alone = count / (time.perf_counter() - started)
    threads = [threading.Thread(target=talk, args=(one, count // THREADS)) for one in others]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = count // THREADS * THREADS / (time.perf_counter() - started)
    client.close()
    return alone, together


def fill(store, size, texts, vectors):
    """Milliseconds of 1,000 passages with their vectors; the agent that searches them, and some of their texts."""
    agent = store.agents.create(f"reads {size}", {}).id
    source = store.sources.create_source(f"papers {size}").id
    store.sources.attach(agent, source)
    kept, taken = [], 0.0
    for start in range(0, size, BATCH):
        passages = [Passage(texts.one(), id=f"{size}-{number}") for number in range(start, min(start + BATCH, size))]
        kept += [passage.text for passage in passages[:: max(1, BATCH // 4)]]
        started = time.perf_counter()
        store.passages.add(source, passages)
        store.passages.put_vectors(NAME, [one.id for one in passages], vectors[start : start + len(passages)])
        taken += time.perf_counter() - started
    return agent, kept, 1e6 * taken / size


def searches(store, agent, words, asked, truth):
    """The first search, p50 and p95 by vectors, words and both, in milliseconds; and recall@10."""

    def search(query, vector):
        named = {} if vector is None else {"vector": vector, "embedder": NAME}
        started = time.perf_counter()
        page = store.passages.search(agent, query, page=1, page_size=10, **named)
        return 1000 * (time.perf_counter() - started), {int(hit.item.id.split("-")[1]) for hit in page.hits}

    first = search(words[0], asked[0])[0]
    by_vector = [search("", vector) for vector in asked]
    found = [time for time, _ in by_vector], [search(one, None)[0] for one in words]
    both = [search(one, vector)[0] for one, vector in zip(words, asked, strict=True)]
    recall = np.mean([len(hits & best) / 10 for (_, hits), best in zip(by_vector, truth, strict=True)])
    return [first, *(float(np.percentile(times, at)) for times in (*found, both) for at in (50, 95))], recall


@contextmanager
def measured_stores(options):
    """Each store that is measured, by its name: its address, where its vectors are, and from which size HNSW."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(store_address(options.storage))
        sign = "&" if "?" in server else "?"
        stores = {
            "SQLite": (str(folder / "memgpt.db"), None, None),
            "pgvector exact": (f"{server}{sign}schema=exact", None, 10**9),
            "pgvector HNSW": (f"{server}{sign}schema=hnsw", None, 1),
        }
        if not options.without_chroma and find_spec("chromadb"):
            stores["SQLite + Chroma"] = (str(folder / "chroma.db"), f"chroma://{folder / 'chroma'}", None)
        yield folder, stores


def line(name, values, base=None):
    told = "".join(f"{value:11.2f}" for value in values)
    print(f"{name:20}{told}", flush=True)
    if base is not None:
        print(f"{'':20}" + "".join(f"{f'x {value / one:.2f}':>11}" for value, one in zip(values, base, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--storage", default="postgres")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--without-chroma", action="store_true")
    options = parser.parse_args()
    with measured_stores(options) as (folder, stores):
        base = None
        print(f"{'turns a second':20}{'one agent':>11}{f'{THREADS} threads':>11}")
        for name in ("SQLite", "pgvector exact"):
            values = turns(stores[name][0], folder, options.turns)
            line(name.replace("pgvector exact", "PostgreSQL"), values, base)
            base = base or values
        for size in map(int, options.sizes.split(",")):
            random = np.random.default_rng(size)
            vectors, asked = directions(random, size), directions(random, options.queries)
            truth = [{*np.argpartition(-(vectors @ one), 10)[:10].tolist()} for one in asked]
            print(f"\n{f'{size:,} passages, ms':20}" + "".join(f"{head:>11}" for head in HEADS))
            base = None
            for name, (address, place, hnsw_from) in stores.items():
                if hnsw_from is not None:
                    pgvector.HNSW_FROM = hnsw_from
                texts = Texts(size)
                with closing(engine_of(address).open(address, vectors=place)) as store:
                    agent, kept, insert = fill(store, size, texts, vectors)
                    words = [texts.query(kept[number % len(kept)]) for number in range(options.queries)]
                    started = time.perf_counter()
                    store.passages.settle()
                    settled = time.perf_counter() - started
                    store_again = engine_of(address).open(address, vectors=place)  # nothing in memory
                with closing(store_again) as store:
                    times, recall = searches(store, agent, words, asked, truth)
                values = [insert, *times]
                line(name, values, base)
                base = base or values
                print(
                    f"{'':20} recall@10 {recall:.3f}" + (f", index made in {settled:.1f} s" if hnsw_from == 1 else "")
                )


if __name__ == "__main__":
    main()
