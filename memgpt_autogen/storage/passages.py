"""Sources and passages, in SQLite: words by FTS5, vectors exactly with numpy, both fused by weighted scores."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from ..errors import NameTaken, SourceError
from ..ids import new_id
from .base import Hit, Page, Passage, Source, Vectors
from .database import Database, now
from .words import fts_query

#: What the words weigh against the meaning when both are known. Both are scaled to their best.
WORDS_WEIGHT = 0.6
#: How many of the best word matches take part in the fusion; more where a later page asks for them.
CANDIDATES = 1000

_SCOPE = "source_id IN (SELECT source_id FROM attachments WHERE agent_id = ?)"
_MATCHES = f"""FROM passages_fts JOIN passages ON passages.seq = passages_fts.rowid
               WHERE passages_fts MATCH ? AND {_SCOPE}"""
_SOURCES = """SELECT sources.*, (SELECT count(*) FROM passages WHERE source_id = sources.id) AS passages
              FROM sources"""


class SQLitePassages:
    """See :class:`memgpt_autogen.storage.base.Passages`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_source(self, name: str) -> Source:
        try:
            self._db.insert("sources", [{"id": new_id(), "name": name, "created_at": now()}])
        except sqlite3.IntegrityError as error:
            raise NameTaken(
                f"There is a source named {name!r} already. Replace it (replace=True), delete it, or take another name."
            ) from error
        return self.get_source(name)

    def get_source(self, name: str) -> Source:
        row = self._db.one(f"{_SOURCES} WHERE user_id = ? AND name = ? AND agent_id IS NULL", self._db.user_id, name)
        if row is None:
            known = ", ".join(source.name for source in self.list_sources()) or "none yet"
            raise SourceError(f"There is no source named {name!r}. Sources: {known}.")
        return _source(row)

    def list_sources(self) -> Sequence[Source]:
        rows = self._db.all(f"{_SOURCES} WHERE user_id = ? AND agent_id IS NULL ORDER BY id", self._db.user_id)
        return [_source(row) for row in rows]

    def delete_source(self, source_id: str) -> None:
        self._db.execute("DELETE FROM sources WHERE id = ?", source_id)

    def clear(self, source_id: str) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM passages WHERE source_id = ?", source_id)
            self._db.execute("UPDATE sources SET embedder = '', dim = 0 WHERE id = ?", source_id)

    def add(self, source_id: str, passages: Sequence[Passage]) -> None:
        moment = now()
        self._db.insert(
            "passages",
            (
                {
                    "id": passage.id or new_id(),
                    "source_id": source_id,
                    "text": passage.text,
                    "uri": passage.uri,
                    "metadata": json.dumps(dict(passage.metadata)),
                    "created_at": moment,
                }
                for passage in passages
            ),
        )

    def own_source(self, agent_id: str) -> str:
        row = self._db.one("SELECT id FROM sources WHERE agent_id = ?", agent_id)
        if row is not None:
            return str(row["id"])
        source_id = new_id()
        own = {"id": source_id, "name": f"notes of {agent_id}", "agent_id": agent_id, "created_at": now()}
        with self._db.transaction():
            self._db.insert("sources", [own])
            self.attach(agent_id, source_id)
        return source_id

    def attach(self, agent_id: str, source_id: str) -> None:
        known = self._db.one("SELECT 1 FROM attachments WHERE agent_id = ? AND source_id = ?", agent_id, source_id)
        if known is None:
            row = {"agent_id": agent_id, "source_id": source_id, "created_at": now()}
            self._db.insert("attachments", [row])

    def detach(self, agent_id: str, source_id: str) -> None:
        self._db.execute("DELETE FROM attachments WHERE agent_id = ? AND source_id = ?", agent_id, source_id)

    def attached(self, agent_id: str) -> Sequence[Source]:
        query = f"{_SOURCES} JOIN attachments ON attachments.source_id = sources.id WHERE attachments.agent_id = ?"
        return [_source(row) for row in self._db.all(f"{query} AND sources.agent_id IS NULL", agent_id)]

    def count(self, agent_id: str) -> int:
        return self._db.number(f"SELECT count(*) FROM passages WHERE {_SCOPE}", agent_id)

    def search(
        self, agent_id: str, query: str, *, page: int, page_size: int, vector: Vectors | None = None, embedder: str = ""
    ) -> Page[Passage]:
        scores = self._word_scores(agent_id, query, max(CANDIDATES, (page + 1) * page_size))
        if vector is None:
            words = fts_query(query)
            total = self._db.number(f"SELECT count(*) {_MATCHES}", words, agent_id) if words else 0
        else:
            scores = _fuse(scores, self._vector_scores(agent_id, vector, embedder))
            total = len(scores)
        best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[page * page_size : (page + 1) * page_size]
        return Page([Hit(self._passage(seq), score) for seq, score in best], total, page, page_size)

    def _word_scores(self, agent_id: str, query: str, limit: int) -> dict[int, float]:
        words = fts_query(query)
        if not words:
            return {}
        sql = f"SELECT passages.seq, -bm25(passages_fts) AS score {_MATCHES} ORDER BY score DESC LIMIT {limit}"
        return {row["seq"]: row["score"] for row in self._db.all(sql, words, agent_id)}

    def _vector_scores(self, agent_id: str, vector: Vectors, embedder: str) -> dict[int, float]:
        for source in self.attached(agent_id):
            if source.embedder and source.embedder != embedder:
                raise SourceError(
                    f"The vectors of source {source.name!r} were made with {source.embedder}, and this agent searches "
                    f"with {embedder}. Use that embedder, or load the source again."
                )
        self._forget_vectors(agent_id, embedder)
        sql = f"SELECT seq, vector FROM passages WHERE vector IS NOT NULL AND {_SCOPE}"
        rows = self._db.all(sql, agent_id)
        if not rows:
            return {}
        matrix = np.frombuffer(b"".join(row["vector"] for row in rows), dtype=np.float32).reshape(len(rows), -1)
        similar = matrix @ vector.reshape(-1)
        return {row["seq"]: float(score) for row, score in zip(rows, similar, strict=True)}

    def _forget_vectors(self, agent_id: str, embedder: str) -> None:
        """The agent's own notes go back to the backlog where another embedder made their vectors."""
        others = "SELECT id FROM sources WHERE agent_id = ? AND embedder NOT IN ('', ?)"
        if self._db.one(others, agent_id, embedder):
            with self._db.transaction():
                self._db.execute(f"UPDATE passages SET vector = NULL WHERE source_id IN ({others})", agent_id, embedder)
                self._db.execute(
                    "UPDATE sources SET embedder = '', dim = 0 WHERE agent_id = ? AND embedder <> ?", agent_id, embedder
                )

    def without_vectors(self, agent_id: str, limit: int) -> Sequence[Passage]:
        sql = f"{_PASSAGES} WHERE vector IS NULL AND passages.{_SCOPE} ORDER BY passages.seq LIMIT ?"
        return [_passage(row) for row in self._db.all(sql, agent_id, limit)]

    def put_vectors(self, embedder: str, ids: Sequence[str], vectors: Vectors) -> None:
        with self._db.transaction():
            for passage_id, vector in zip(ids, vectors, strict=True):
                data = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
                self._db.execute(
                    "UPDATE passages SET vector = ? WHERE id = ? AND source_id IN "
                    "(SELECT id FROM sources WHERE embedder IN ('', ?))",  # never two embedders in one source
                    data,
                    passage_id,
                    embedder,
                )
                self._db.execute(
                    "UPDATE sources SET embedder = ?, dim = ? WHERE embedder = '' AND id = "
                    "(SELECT source_id FROM passages WHERE id = ?)",
                    embedder,
                    int(vectors.shape[1]),
                    passage_id,
                )

    def _passage(self, seq: int) -> Passage:
        row = self._db.one(f"{_PASSAGES} WHERE passages.seq = ?", seq)
        if row is None:
            raise SourceError("A passage was deleted while it was being searched. Search again.")
        return _passage(row)


_PASSAGES = """SELECT passages.*, CASE WHEN sources.agent_id IS NULL THEN sources.name ELSE '' END AS source
               FROM passages JOIN sources ON sources.id = passages.source_id"""


def _fuse(words: dict[int, float], meaning: dict[int, float]) -> dict[int, float]:
    """Weighted sum of both scores, each scaled so that its best is 1."""
    top_words = max(words.values(), default=0.0) or 1.0
    top_meaning = max(meaning.values(), default=0.0) or 1.0
    return {
        seq: WORDS_WEIGHT * words.get(seq, 0.0) / top_words
        + (1 - WORDS_WEIGHT) * max(meaning.get(seq, 0.0), 0.0) / top_meaning
        for seq in words.keys() | meaning.keys()
    }


def _source(row: sqlite3.Row) -> Source:
    created = datetime.fromisoformat(row["created_at"])
    return Source(row["id"], row["name"], row["embedder"], row["dim"], row["passages"], created)


def _passage(row: sqlite3.Row) -> Passage:
    return Passage(
        text=row["text"],
        uri=row["uri"],
        metadata=json.loads(row["metadata"]),
        id=row["id"],
        source=row["source"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
