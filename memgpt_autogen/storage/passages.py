"""Searching sources in SQLite: words by FTS5, vectors exactly with numpy, ranked by ``ranking``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from ..errors import SourceError
from .base import Hit, Page, Passage, Vectors
from .database import Database
from .holders import find, written
from .ranking import Floats, best, rank_passages
from .shelf import Shelf
from .sources import SQLiteSources

_ROWS = "SELECT seq, length(text) FROM passages WHERE source_id = ? AND seq > ? ORDER BY seq"
_PASSAGES = """SELECT passages.*, CASE WHEN sources.agent_id IS NULL THEN sources.name ELSE '' END AS source
               FROM passages JOIN sources ON sources.id = passages.source_id"""


class SQLitePassages(SQLiteSources):
    """See :class:`memgpt_autogen.storage.base.Passages`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._shelves: dict[str, Shelf] = {}

    def search(
        self,
        agent_id: str,
        query: str,
        *,
        page: int,
        page_size: int,
        vector: Vectors | None = None,
        embedder: str = "",
        also: Mapping[str, Vectors | None] | None = None,
        source: str | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> Page[Passage]:
        with self._db.held():
            if vector is not None:
                self._forget_vectors(agent_id, embedder)
            shelves = self._attached_shelves(agent_id, source)
            if not shelves:
                return Page([], 0, page, page_size)
            held = find(self._db, "passages_fts", query, shelves, with_pairs=True)
            sizes = np.concatenate([shelf.fact(0) for shelf in shelves])
            found = np.zeros(len(sizes), dtype=np.bool_)
            for holders in held.words.values():
                found[holders] = True
            similar = None
            if vector is not None:
                asked = {**(also or {}), embedder: vector}
                self._see_that_all_are_asked(shelves, asked, embedder)
                similar = _similar(shelves, asked)
                found |= np.concatenate([_scored(shelf, asked) for shelf in shelves])
            if since or until:
                found &= written(self._db, "passages", "source_id", shelves, (since, until))
            scores = rank_passages([*held.words.values()], held.pairs, sizes, similar)
            among = np.flatnonzero(found)
            starts = np.cumsum([0, *(len(shelf) for shelf in shelves)])
            hits = []
            for place, score in best(scores, among, page, page_size):
                on = int(np.searchsorted(starts, place, side="right")) - 1
                hits.append(Hit(self._passage(int(shelves[on].numbers[place - starts[on]])), score))
            return Page(hits, len(among), page, page_size)

    def _see_that_all_are_asked(
        self, shelves: Sequence[Shelf], asked: Mapping[str, Vectors | None], embedder: str
    ) -> None:
        """Raises: SourceError: a source's embedder is not among those asked."""
        for shelf in shelves:
            if shelf.embedder and shelf.embedder not in asked:
                row = self._db.one("SELECT name FROM sources WHERE id = ?", shelf.owner_id)
                raise SourceError(
                    f"The vectors of source {(row['name'] if row else shelf.owner_id)!r} were made with "
                    f"{shelf.embedder}, and this agent searches with {embedder}. Use that embedder, or load the source "
                    "again."
                )

    def _attached_shelves(self, agent_id: str, source: str | None = None) -> list[Shelf]:
        """What this agent can search (of one source, if it is named), up to date, without what is empty.

        Raises:
            SourceError: the source that is named is not attached.
        """
        rows = self._db.all(
            "SELECT source_id, CASE WHEN sources.agent_id IS NULL THEN sources.name ELSE '' END AS name "
            "FROM attachments JOIN sources ON sources.id = source_id WHERE attachments.agent_id = ? "
            "ORDER BY attachments.rowid",
            agent_id,
        )
        if source:
            attached = [row["name"] for row in rows if row["name"]]
            if source not in attached:
                raise SourceError(
                    f"No source {source!r} is attached to this agent. Attached: {', '.join(attached) or 'none yet'}."
                )
        wanted = [row["source_id"] for row in rows if source is None or row["name"] == source]
        shelves = [self._shelf(source_id) for source_id in wanted]
        return [shelf for shelf in shelves if len(shelf)]

    def _shelf(self, source_id: str) -> Shelf:
        """A source's passages, up to date; shared by all agents."""
        if source_id not in self._shelves:
            self._shelves[source_id] = Shelf(
                self._db, source_id, "sources", _ROWS, "passage_vectors", lambda row: (row[1],), 1
            )
        self._shelves[source_id].refresh()
        return self._shelves[source_id]

    def _forget_vectors(self, agent_id: str, embedder: str) -> None:
        """The agent's own notes go back to the backlog where another embedder made their vectors."""
        row = self._db.one("SELECT id FROM sources WHERE agent_id = ? AND embedder NOT IN ('', ?)", agent_id, embedder)
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
                if not embedder or shelf.embedder in ("", embedder):
                    missing += shelf.numbers[~shelf.known()][: limit - len(missing)].tolist()
            return [self._passage(seq) for seq in missing]

    def backlog(self, embedder: str, limit: int, source_id: str | None = None, *, after: str = "") -> Sequence[Passage]:
        behind = self._db.number("SELECT seq FROM passages WHERE id = ?", after)
        where, values = self._waiting(embedder, source_id)
        rows = self._db.all(
            f"{_PASSAGES} WHERE {where} AND passages.seq > ? ORDER BY passages.seq LIMIT ?", *values, behind, limit
        )
        return [_read(row) for row in rows]

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
        return _read(row)


def _similar(shelves: Sequence[Shelf], asked: Mapping[str, Vectors | None]) -> Floats:
    """The cosine of every passage with the query, by the embedder of its source."""
    each: list[Floats] = []
    for shelf in shelves:
        vector = asked.get(shelf.embedder)
        each.append(np.zeros(len(shelf), dtype=np.float32) if vector is None else shelf.similar(vector))
    names = [shelf.embedder for shelf in shelves]
    used = {name for name in names if asked.get(name) is not None}
    if len(used) > 1:  # what is near for one embedder is far for another: each counts from its own average
        for name in used:
            mine = [place for place, of in enumerate(names) if of == name]
            compared = np.concatenate([each[place][shelves[place].known()] for place in mine])
            average = float(compared.mean()) if len(compared) else 0.0
            for place in mine:
                each[place] = each[place] - np.float32(average)
    return np.concatenate(each)


def _scored(shelf: Shelf, asked: Mapping[str, Vectors | None]) -> npt.NDArray[np.bool_]:
    """Which passages a vector was compared with."""
    return shelf.known() if asked.get(shelf.embedder) is not None else np.zeros(len(shelf), dtype=np.bool_)


def _read(row: sqlite3.Row) -> Passage:
    return Passage(
        text=row["text"],
        uri=row["uri"],
        metadata=json.loads(row["metadata"]),
        id=row["id"],
        source=row["source"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
