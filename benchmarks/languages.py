"""How well notes in six languages are found, by words and with vectors.

    python benchmarks/languages.py [--embedder bundled|minilm]

Data: ``languages.jsonl`` beside this file, written for it: 20 notes in each language, each with a question whose answer
it holds. Many notes of a language share words (two keys, two birthdays, two meeting rooms).

Protocol: the notes of all languages are the archival notes of one agent. recall@5: the share of a language's questions
whose note is among the first five hits of the search that ``archival_memory_search`` asks; recall@1 likewise. Beside
it, in the same run: FTS5's own tokenizers, ``unicode61`` and ``trigram``, on texts and questions as they are. The last
column is the ratio of recall@5 by words to the first of these.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from memgpt_autogen.config import EmbeddingConfig
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.memory.query_embedding import QueryEmbedding
from memgpt_autogen.memory.vector_backfill import backfill_agent
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore

DATA = Path(__file__).with_suffix(".jsonl")
Pair = dict[str, str]


def plain(pairs: list[Pair], tokenizer: str) -> Iterator[list[str]]:
    """The first hits of FTS5 alone: any word of the question, or any three characters of it."""
    with sqlite3.connect(":memory:") as table:
        table.execute(f"CREATE VIRTUAL TABLE notes USING fts5(text, tokenize='{tokenizer}')")
        table.executemany("INSERT INTO notes VALUES (?)", [(pair["note"],) for pair in pairs])
        sql = "SELECT text FROM notes WHERE notes MATCH ? ORDER BY bm25(notes), rowid LIMIT 5"
        for pair in pairs:
            asked = pair["question"]
            words = re.findall(r"\w+" if tokenizer == "unicode61" else r"(?=(\w{3}))", asked)
            yield [row[0] for row in table.execute(sql, (" OR ".join(f'"{word}"' for word in words),))]


def ours(pairs: list[Pair], kind: str) -> Iterator[list[str]]:
    """The first hits of the store's search."""
    store = SQLiteStore(None)
    agent = store.agents.create("sam", {"name": "sam"}).id
    store.passages.add(store.sources.own_source(agent), [Passage(pair["note"]) for pair in pairs])
    embedder = build_embedder(EmbeddingConfig(kind))
    if embedder:
        backfill_agent(store, embedder, agent)
    meaning = QueryEmbedding(store, agent, embedder)
    for pair in pairs:
        vector = meaning.of_passages(pair["question"])
        found = store.passages.search(
            agent, pair["question"], page=1, page_size=5, vector=vector, embedder=meaning.name
        )
        yield [hit.item.text for hit in found.hits]


def recall(pairs: list[Pair], hits: list[list[str]], first: int) -> float:
    return sum(pair["note"] in found[:first] for pair, found in zip(pairs, hits, strict=True)) / len(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="bundled", choices=("bundled", "minilm"))
    options = parser.parse_args()
    pairs: list[Pair] = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    found = {
        "FTS5": list(plain(pairs, "unicode61")),
        "trigram": list(plain(pairs, "trigram")),
        "words": list(ours(pairs, "none")),
        options.embedder: list(ours(pairs, options.embedder)),
    }
    print(f"| language | {' | '.join(f'{name} @1 / @5' for name in found)} | ratio @5 |")
    print("|---|" + "---|" * (len(found) + 1))
    for language in dict.fromkeys(pair["language"] for pair in pairs):
        places = [place for place, pair in enumerate(pairs) if pair["language"] == language]
        mine = [pairs[place] for place in places]
        scores = {
            name: [recall(mine, [hits[place] for place in places], first) for first in (1, 5)]
            for name, hits in found.items()
        }
        cells = " | ".join(f"{one:.0%} / {five:.0%}" for one, five in scores.values())
        base = scores["FTS5"][1]
        ratio = f"{scores['words'][1] / base:.1f}" if base else "-"
        print(f"| {language} | {cells} | {ratio} |")


if __name__ == "__main__":
    main()
