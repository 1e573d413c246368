"""Sources, their documents, what is in them, and which agent may search which, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from ...errors import NameTaken, SourceError, not_known
from ...events import clean
from ...ids import new_id
from ..records import DocumentRow, Passage, Source, now
from ..search.names import heading_of
from . import staging
from .database import Database
from .failures import Duplicate, reading_rows
from .staging import VISIBLE
from .vector_sync import forget


class SQLiteSources:
    """The rows of :class:`memgpt_autogen.storage.base.Passages`; searching is in ``passages``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_source(self, name: str) -> Source:
        try:
            self._db.insert("sources", [{"id": new_id(), "name": name, "created_at": now()}])
        except Duplicate as error:
            raise NameTaken(
                f"There is a source named {name!r} already. Replace it (replace=True), delete it, or take another name."
            ) from error
        return self.get_source(name)

    def get_source(self, name: str) -> Source:
        row = self._db.one(
            f"SELECT * FROM sources WHERE user_id = ? AND name = ? AND agent_id IS NULL AND {VISIBLE}",
            self._db.user_id,
            name,
        )
        if row is None:
            known = [source.name for source in self.list_sources()]
            raise SourceError(not_known(f"There is no source named {name!r}.", name, "Sources", known))
        return _source(row)

    def list_sources(self) -> Sequence[Source]:
        rows = self._db.all(
            f"SELECT * FROM sources WHERE user_id = ? AND agent_id IS NULL AND {VISIBLE} ORDER BY id",
            self._db.user_id,
        )
        return [_source(row) for row in rows]

    def delete_source(self, source_id: str) -> None:
        self._db.execute("DELETE FROM sources WHERE id = ?", source_id)

    def clear(self, source_id: str) -> None:
        staging.clear(self._db, source_id)

    def stage(self, name: str) -> str:
        return staging.stage(self._db, name)

    def publish(self, name: str, place: str, outdated: Iterable[str]) -> Source:
        with self._db.transaction():
            known = [source for source in self.list_sources() if source.name == name]
            source = known[0] if known else self.create_source(name)
            staging.publish(self._db, name, source.id, place, outdated)
            return self.get_source(name)

    def left_over(self, name: str) -> Sequence[str]:
        return staging.left_over(self._db, name)

    def discard_staged(self, name: str) -> None:
        staging.discard(self._db, name)

    def documents(self, source_id: str) -> Sequence[DocumentRow]:
        rows = self._db.all("SELECT id, uri, digest FROM documents WHERE source_id = ? ORDER BY id", source_id)
        return [DocumentRow(*row) for row in rows]

    def add_document(self, source_id: str, uri: str, digest: str) -> str:
        document_id = new_id()
        row = {"id": document_id, "source_id": source_id, "uri": uri, "digest": digest, "created_at": now()}
        self._db.insert("documents", [row])
        return document_id

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
                    "heading": heading_of(passage.text, passage.uri),
                    "uri": passage.uri,
                    "metadata": json.dumps(clean(passage.metadata)),
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
        rows = self._db.all(
            "SELECT sources.* FROM sources JOIN attachments ON attachments.source_id = sources.id "
            "WHERE attachments.agent_id = ? AND sources.agent_id IS NULL",
            agent_id,
        )
        return [_source(row) for row in rows]

    def count(self, agent_id: str) -> int:
        return self._db.number(
            "SELECT sum(passages) FROM sources JOIN attachments ON attachments.source_id = sources.id "
            "WHERE attachments.agent_id = ?",
            agent_id,
        )

    def waiting(self, embedder: str, source_id: str | None = None) -> int:
        if self._db.read_only:
            return 0
        where, values = self._waiting(embedder, source_id)
        return self._db.number(
            f"SELECT count(*) FROM passages JOIN sources ON sources.id = source_id WHERE {where}", *values
        )

    def _waiting(self, embedder: str, source_id: str | None) -> tuple[str, list[str]]:
        which = f"sources.agent_id IS NULL AND {VISIBLE}" if source_id is None else "sources.id = ?"
        where = (
            f"sources.user_id = ? AND sources.embedder IN ('', ?) AND {which} "
            "AND NOT EXISTS (SELECT 1 FROM passage_vectors WHERE passage_vectors.seq = passages.seq)"
        )
        return where, [self._db.user_id, embedder, *([] if source_id is None else [source_id])]

    def _agree(self, agent_id: str, embedder: str) -> bool:
        """Have the vectors of the agent's own notes made anew where another embedder made them. False: they stay."""
        row = self._db.one("SELECT id FROM sources WHERE agent_id = ? AND embedder NOT IN ('', ?)", agent_id, embedder)
        if row is not None:
            if self._db.read_only:
                return False
            forget(self._db, row["id"])
        return True


@reading_rows
def _source(row: sqlite3.Row) -> Source:
    created = datetime.fromisoformat(row["created_at"])
    return Source(row["id"], row["name"], row["embedder"], row["dim"], row["passages"], created)
