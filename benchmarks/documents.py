"""How well archival memory finds the passages that a question needs: HotpotQA, MuSiQue, or any set of their form.

    python benchmarks/documents.py --questions hotpotqa.json --corpus hotpotqa_corpus.json

Data: https://github.com/OSU-NLP-Group/HippoRAG, data/ (HotpotQA: CC BY-SA 4.0). Questions: a list of objects with
"question" and either "supporting_facts" (a list of [title, sentence]) or "paragraphs" (of which some "is_supporting").
Corpus: an object of titles and sentences, or a list of objects with "title" and "text".

Protocol: every passage of the corpus in one source, "title: text" as documents are split here, attached to one agent.
recall@k: the mean share of a question's supporting passages among the first k hits of the store's search that
``archival_memory_search`` asks, by words alone and with the bundled embedder (extra ``local``). Beside it, in the same
run: FTS5's own BM25. Targets on HotpotQA's sample of 100: recall@5 at least 82, recall@10 at least 91.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from pathlib import Path

import numpy as np

from memgpt_autogen.config import EmbeddingConfig
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.memory.query_embedding import QueryEmbedding
from memgpt_autogen.memory.vector_backfill import backfill_agent
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.search.words import TOKENIZER, fts_query
from memgpt_autogen.storage.sqlite import SQLiteStore

Key = tuple[str, str]  # title and text: titles may come twice


def read_corpus(path: Path) -> list[Key]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(data, dict):
        return [(title, "".join(sentences)) for title, sentences in data.items()]
    return [(one["title"], one["text"]) for one in data]


def read_questions(path: Path, corpus: list[Key]) -> list[tuple[str, set[Key]]]:
    titles: dict[str, Key] = {key[0]: key for key in corpus}
    known = set(corpus)
    questions = []
    for one in json.loads(path.read_text(encoding="utf-8")):
        if "supporting_facts" in one:
            needed = {titles[title] for title, _ in one["supporting_facts"] if title in titles}
        else:
            supporting = (part for part in one["paragraphs"] if part.get("is_supporting"))
            needed = {
                (part["title"], part.get("paragraph_text") or part.get("text", "")) for part in supporting
            } & known
        if needed:
            questions.append((one["question"], needed))
    return questions


def plain(corpus, questions):
    with sqlite3.connect(":memory:") as table:
        table.execute(f'CREATE VIRTUAL TABLE passages USING fts5(text, tokenize="{TOKENIZER}")')
        table.executemany("INSERT INTO passages VALUES (?)", [(f"{title}: {text}",) for title, text in corpus])
        sql = "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY bm25(passages), rowid LIMIT 10"
        for question, _ in questions:
            yield [corpus[row[0] - 1] for row in table.execute(sql, (fts_query(question),))]


def ours(store, agent, corpus, questions, embedder):
    meaning = QueryEmbedding(store, agent, embedder)
    if embedder:
        backfill_agent(store, embedder, agent)
    for question, _ in questions:
        vector = meaning.of_passages(question)
        page = store.passages.search(agent, question, page=1, page_size=10, vector=vector, embedder=meaning.name)
        yield [corpus[hit.item.metadata["number"]] for hit in page.hits]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--embedder", default="auto", help="auto, bundled, minilm or none")
    options = parser.parse_args()
    if options.questions is None or options.corpus is None:
        print("Skipped: pass --questions FILE --corpus FILE (see the top of this file).")
        return
    corpus = read_corpus(options.corpus)
    questions = read_questions(options.questions, corpus)
    store = SQLiteStore(None)
    agent = store.agents.create("reader", {}).id
    source = store.sources.create_source("corpus").id
    passages = [Passage(f"{title}: {text}", title, {"number": number}) for number, (title, text) in enumerate(corpus)]
    store.passages.add(source, passages)
    store.sources.attach(agent, source)
    print(f"{len(questions)} questions, {len(corpus)} passages")
    embedder = build_embedder(EmbeddingConfig(options.embedder))
    if embedder is None:
        print("No embedder: install memgpt-autogen[local] for the figures with vectors.", file=sys.stderr)
    runs = {"FTS5 BM25": plain(corpus, questions), "by words": ours(store, agent, corpus, questions, None)}
    if embedder:
        runs[embedder.name] = ours(store, agent, corpus, questions, embedder)
    base = None
    for name, answers in runs.items():
        found = list(zip(questions, answers, strict=True))
        five, ten = (np.mean([len(need & set(got[:k])) / len(need) for (_, need), got in found]) * 100 for k in (5, 10))
        base = base or five
        print(f"{name:16} recall@5 {five:5.1f}   recall@10 {ten:5.1f}   ratio of recall@5 to BM25 {five / base:.3f}")


if __name__ == "__main__":
    main()
