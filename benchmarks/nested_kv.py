"""The MemGPT paper's nested key-value task: is the pair found whose value is the next key, and the next?

    python benchmarks/nested_kv.py --data kv-retrieval-140_keys.jsonl.gz --orderings random_orderings.jsonl

Data: https://github.com/cpacker/MemGPT, paper_experiments/nested_kv_task/data (Apache-2.0): the first line's 140 pairs
of UUIDs, and 100 lists of four positions (without --orderings, 100 random ones from fixed seeds).

Protocol: the value at each of a list's positions is replaced by the key at the next one; level N uses the first N + 1
positions, level 4 the first position that is not in the list for its fifth. The pairs are an agent's own notes
("Key-value pair: key = ..., value = ..."), its window has 8,192 tokens, its archival search is the default one (with
the bundled embedder where the extra ``local`` is installed). A scripted model asks archival_memory_search for a key,
reads the first page, asks for the value that stands there, and so on until a value is nobody's key; then it answers.
It never looks at a second page, and reads nothing but what the function answered.

Target: all answers right at all levels, in at most level + 2 searches. Beside it, in the same run: the share of keys
whose pair is among the five that FTS5's own BM25 puts first for the unquoted parts of the key.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import re
import sqlite3
import tempfile
from pathlib import Path

import numpy as np

from memgpt_autogen import MemGPT, Settings
from memgpt_autogen.config import EmbeddingConfig
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.search.words import TOKENIZER, fts_query
from memgpt_autogen.storage.sqlite import SQLiteStore

LEVELS = range(5)
PAIR = re.compile(r"key = ([0-9a-f-]{36}), value = ([0-9a-f-]{36})")


class Remembering:
    """An embedder that embeds no text twice: the same pairs stand in every ordering."""

    def __init__(self, embedder):
        self._embedder, self._known = embedder, {}
        self.name, self.dim = embedder.name, embedder.dim

    def embed(self, texts):
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return np.array([self._known[text] for text in texts])


class Seeker(ScriptedModel):
    """Follows keys through archival memory."""

    searches = 0

    def complete(self, messages, tools, **options):
        last = messages[-1].content
        if "task" in last and not self.searches:
            self.key = re.search(r"[0-9a-f-]{36}", last)[0]
            self.script = [self._search()]
        else:
            pairs = dict(PAIR.findall(last))
            if self.key in pairs:
                self.key = pairs[self.key]
                self.script = [self._search()]
            else:
                self.script = [self.key]
        return super().complete(messages, tools, **options)

    def _search(self):
        self.searches += 1
        return ToolCall("archival_memory_search", {"query": self.key})


def nested(pairs, positions):
    changed = [list(pair) for pair in pairs]
    for here, there in itertools.pairwise(positions):
        changed[here][1] = changed[there][0]
    return changed


def seek(pairs, positions, level, embedder):
    """Whether the answer was right, and after how many searches."""
    order = [*positions, next(place for place in range(len(pairs)) if place not in positions)][: level + 1]
    changed = nested(pairs, order)
    with tempfile.TemporaryDirectory() as home:
        memgpt = MemGPT(Settings(home=Path(home), environ={}), store=SQLiteStore(None), embedder=embedder)
        model = Seeker(context_window=8192)
        agent = memgpt.create_agent({"name": "seeker"}, model=model)
        notes = [Passage(f"Key-value pair: key = {key}, value = {value}") for key, value in changed]
        memgpt.store.passages.add(memgpt.store.sources.own_source(agent.id), notes)
        task = f"Your task is to provide the value for the following key: {changed[order[0]][0]}"
        said = memgpt.ask(agent, task)
        memgpt.close()
    return said == changed[order[-1]][1], model.searches


def plain(pairs):
    with sqlite3.connect(":memory:") as table:
        table.execute(f'CREATE VIRTUAL TABLE pairs USING fts5(text, tokenize="{TOKENIZER}")')
        table.executemany("INSERT INTO pairs VALUES (?)", [(" ".join(pair),) for pair in pairs])
        sql = "SELECT rowid - 1 FROM pairs WHERE pairs MATCH ? ORDER BY bm25(pairs) LIMIT 5"
        found = [(place,) in table.execute(sql, (fts_query(key),)).fetchall() for place, (key, _) in enumerate(pairs)]
    return sum(found) / len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--orderings", type=Path)
    parser.add_argument("--limit", type=int, help="only the first orderings")
    parser.add_argument("--embedder", default="auto", help="auto, bundled, minilm or none")
    options = parser.parse_args()
    if options.data is None:
        print("Skipped: pass --data FILE.jsonl.gz [--orderings FILE.jsonl] (see the top of this file).")
        return
    opened = gzip.open if options.data.suffix == ".gz" else open
    with opened(options.data, "rt", encoding="utf-8") as lines:
        pairs = json.loads(next(iter(lines)))["ordered_kv_records"]
    if options.orderings:
        orderings = [json.loads(line) for line in options.orderings.read_text(encoding="utf-8").splitlines() if line]
    else:
        orderings = [random.Random(seed).sample(range(len(pairs)), len(LEVELS)) for seed in range(100)]
    orderings = orderings[: options.limit]
    bundled = build_embedder(EmbeddingConfig(options.embedder))
    embedder = Remembering(bundled) if bundled else None
    print(f"{len(pairs)} pairs, {len(orderings)} orderings, embedder: {bundled.name if bundled else 'none'}")
    base = plain(pairs)
    print(f"FTS5 BM25: the pair is on the first page for {100 * base:.1f}% of single keys")
    for level in LEVELS:
        ran = [seek(pairs, positions, level, embedder) for positions in orderings]
        right = 100 * sum(good for good, _ in ran) / len(ran)
        most = max(searches for _, searches in ran)
        ratio = right / 100 / base
        print(
            f"level {level}: {right:5.1f}% right, at most {most} searches (level + 2 = {level + 2}), ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
