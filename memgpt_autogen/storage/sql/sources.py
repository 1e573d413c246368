"""Sources, their documents, what is in them, and which agent may search which."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from ...errors import NameTaken, SourceError, not_known
from ...ids import new_id
from ..records import DocumentRow, Source, now
from . import staging
from .database import Database, Row
from .passage_shelves import PassageShelves
from .rows import Duplicate, reading_rows
from .staging import VISIBLE
from .tenancy import scoped
from .vector_sync import Outside


@scoped
class SQLSources:
    """See :class:`memgpt_autogen.storage.base.Sources`."""

    def __init__(self, database: Database, shelves: PassageShelves, outside: Outside | None = None) -> None:
        self._db, self._shelves, self._outside = database, shelves, outside

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
        self._shelves.drop(source_id)
        if self._outside and not self._db.in_transaction:
            with contextlib.suppress(SourceError):  # else it is done when the index is next looked at
                self._outside.drop_left()

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


@reading_rows
def _source(row: Row) -> Source:
    created = datetime.fromisoformat(row["created_at"])
    return Source(row["id"], row["name"], row["embedder"], row["dim"], row["passages"], created)
