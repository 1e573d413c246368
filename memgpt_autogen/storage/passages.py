"""Sources and passages, in SQLite: words by FTS5, vectors exactly with numpy, ranked by ``ranking``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from ..errors import NameTaken, SourceError
from ..ids import new_id
from ..names import not_known
from .base import DocumentRow, Hit, Page, Passage, Source, Vectors
from .database import Database, now
from .holders import find
from .ranking import best, rank_passages
from .shelf import Shelf

_SCOPE = "source_id IN (SELECT source_id FROM attachments WHERE agent_id = ?)"
_SOURCES = """SELECT sources.*, (SELECT count(*) FROM passages WHERE source_id = sources.id) AS passages
              FROM sources"""


_OTHERS = """FROM sources JOIN attachments ON attachments.source_id = sources.id
             WHERE attachments.agent_id = ? AND embedder NOT IN ('', ?)"""
_ROWS = "SELECT seq, length(text) FROM passages WHERE source_id = ? AND seq > ? ORDER BY seq"


class SQLitePassages:
    """See :class:`memgpt_autogen.storage.base.Passages`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._shelves: dict[str, Shelf] = {}

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
            known = [source.name for source in self.list_sources()]
            raise SourceError(not_known(f"There is no source named {name!r}.", name, "Sources", known))
        return _source(row)

    def list_sources(self) -> Sequence[Source]:
        rows = self._db.all(f"{_SOURCES} WHERE user_id = ? AND agent_id IS NULL ORDER BY id", self._db.user_id)
        return [_source(row) for row in rows]

    def delete_source(self, source_id: str) -> None:
        self._db.execute("DELETE FROM sources WHERE id = ?", source_id)

    def clear(self, source_id: str) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM passages WHERE source_id = ?", source_id)
            self._db.execute("DELETE FROM documents WHERE source_id = ?", source_id)
            self._db.execute("UPDATE sources SET embedder = '', dim = 0 WHERE id = ?", source_id)

    def documents(self, source_id: str) -> Sequence[DocumentRow]:
        rows = self._db.all("SELECT id, uri, digest FROM documents WHERE source_id = ? ORDER BY id", source_id)
        return [DocumentRow(*row) for row in rows]

    def add_document(self, source_id: str, uri: str, digest: str) -> str:
        document_id = new_id()
        row = {"id": document_id, "source_id": source_id, "uri": uri, "digest": digest, "created_at": now()}
        self._db.insert("documents", [row])
        return document_id

    def remove_documents(self, source_id: str, ids: Iterable[str]) -> None:
        with self._db.transaction():
            for document_id in ids:
                self._db.execute("DELETE FROM documents WHERE source_id = ? AND id = ?", source_id, document_id)

    def remove_loose(self, source_id: str) -> None:
        self._db.execute("DELETE FROM passages WHERE source_id = ? AND document_id IS NULL", source_id)

    def add(self, source_id: str, passages: Sequence[Passage], document_id: str | None = None) -> None:
        moment = now()
        self._db.insert(
            "passages",
            (
                {
                    "id": passage.id or new_id(),
                    "source_id": source_id,
                    "document_id": document_id,
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
        with self._db.held():
            if vector is not None:
                self._agree(agent_id, embedder)
            shelves = self._attached_shelves(agent_id)
            if not shelves:
                return Page([], 0, page, page_size)
            held = find(self._db, "passages_fts", query, shelves, with_pairs=True)
            sizes = np.concatenate([shelf.fact(0) for shelf in shelves])
            found = np.zeros(len(sizes), dtype=np.bool_)
            for holders in held.words.values():
                found[holders] = True
            similar = None
            if vector is not None:
                similar = np.concatenate([shelf.similar(vector) for shelf in shelves])
                found |= np.concatenate([shelf.known() for shelf in shelves])
            scores = rank_passages([*held.words.values()], held.pairs, sizes, similar)
            among = np.flatnonzero(found)
            starts = np.cumsum([0, *(len(shelf) for shelf in shelves)])
            hits = []
            for place, score in best(scores, among, page, page_size):
                on = int(np.searchsorted(starts, place, side="right")) - 1
                hits.append(Hit(self._passage(int(shelves[on].numbers[place - starts[on]])), score))
            return Page(hits, len(among), page, page_size)

    def _attached_shelves(self, agent_id: str) -> list[Shelf]:
        """What this agent can search, up to date, without what is empty."""
        rows = self._db.all("SELECT source_id FROM attachments WHERE agent_id = ? ORDER BY rowid", agent_id)
        shelves = []
        for row in rows:
            source_id = row["source_id"]
            if source_id not in self._shelves:
                self._shelves[source_id] = Shelf(
                    self._db, source_id, "sources", _ROWS, "passage_vectors", lambda row: (row[1],), 1
                )
            shelf = self._shelves[source_id]
            shelf.refresh()
            if len(shelf):
                shelves.append(shelf)
        return shelves

    def _agree(self, agent_id: str, embedder: str) -> None:
        """See that all vectors are this embedder's.

        Raises:
            SourceError: an attached source is another's.
        """
        row = self._db.one(f"SELECT name, embedder {_OTHERS} AND sources.agent_id IS NULL", agent_id, embedder)
        if row is not None:
            raise SourceError(
                f"The vectors of source {row['name']!r} were made with {row['embedder']}, and this agent searches "
                f"with {embedder}. Use that embedder, or load the source again."
            )
        self._forget_vectors(agent_id, embedder)

    def _forget_vectors(self, agent_id: str, embedder: str) -> None:
        """The agent's own notes go back to the backlog where another embedder made their vectors."""
        row = self._db.one(f"SELECT id {_OTHERS} AND sources.agent_id IS NOT NULL", agent_id, embedder)
        if row is not None:
            with self._db.transaction():
                self._db.execute("DELETE FROM passage_vectors WHERE owner_id = ?", row["id"])
                self._db.execute("UPDATE sources SET embedder = '', dim = 0 WHERE id = ?", row["id"])

    def without_vectors(self, agent_id: str, limit: int, embedder: str = "") -> Sequence[Passage]:
        with self._db.held():
            if embedder:
                self._forget_vectors(agent_id, embedder)
            missing: list[int] = []
            for shelf in self._attached_shelves(agent_id):
                missing += shelf.numbers[~shelf.known()][: limit - len(missing)].tolist()
            return [self._passage(seq) for seq in missing]

    def backlog(self, embedder: str, limit: int, source_id: str | None = None, *, after: str = "") -> Sequence[Passage]:
        behind = self._db.number("SELECT seq FROM passages WHERE id = ?", after)
        where, values = self._waiting(embedder, source_id)
        rows = self._db.all(
            f"{_PASSAGES} WHERE {where} AND passages.seq > ? ORDER BY passages.seq LIMIT ?", *values, behind, limit
        )
        return [_passage(row) for row in rows]

    def waiting(self, embedder: str, source_id: str | None = None) -> int:
        where, values = self._waiting(embedder, source_id)
        return self._db.number(
            f"SELECT count(*) FROM passages JOIN sources ON sources.id = source_id WHERE {where}", *values
        )

    def _waiting(self, embedder: str, source_id: str | None) -> tuple[str, list[str]]:
        which = "sources.agent_id IS NULL" if source_id is None else "sources.id = ?"
        where = (
            f"sources.user_id = ? AND sources.embedder IN ('', ?) AND {which} "
            "AND NOT EXISTS (SELECT 1 FROM passage_vectors WHERE passage_vectors.seq = passages.seq)"
        )
        return where, [self._db.user_id, embedder, *([] if source_id is None else [source_id])]

    def put_vectors(self, embedder: str, ids: Sequence[str], vectors: Vectors) -> None:
        mine = "UPDATE sources SET embedder = ?, dim = ? WHERE embedder = '' AND id = ?"
        with self._db.transaction():
            named: set[str] = set()
            for passage_id, vector in zip(ids, vectors, strict=True):
                row = self._db.one(
                    "SELECT seq, source_id, embedder FROM passages JOIN sources ON sources.id = source_id "
                    "WHERE passages.id = ?",
                    passage_id,
                )
                if row is None or row["embedder"] not in ("", embedder):
                    continue  # gone meanwhile, or its source is another embedder's: never two in one source
                if row["source_id"] not in named:
                    named.add(row["source_id"])
                    self._db.execute(mine, embedder, int(vectors.shape[1]), row["source_id"])
                self._db.put_vector("passage_vectors", row["source_id"], row["seq"], vector)

    def _passage(self, seq: int) -> Passage:
        row = self._db.one(f"{_PASSAGES} WHERE passages.seq = ?", seq)
        if row is None:
            raise SourceError("A passage was deleted while it was being searched. Search again.")
        return _passage(row)


_PASSAGES = """SELECT passages.*, CASE WHEN sources.agent_id IS NULL THEN sources.name ELSE '' END AS source
               FROM passages JOIN sources ON sources.id = passages.source_id"""


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
