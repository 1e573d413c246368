"""The passages of sources as shelves: what searches need of them, kept in memory and shared by all agents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from ...errors import SourceError
from ..records import Passage
from .database import Database, Row
from .row_cache import Shelf
from .rows import reading_rows

_OWNER = "SELECT edition, embedder, vectors_in AS place FROM sources WHERE id = ?"
_ROWS = "SELECT seq, length(text) FROM passages WHERE source_id = ? AND seq > ? ORDER BY seq"
PASSAGES = """SELECT passages.*, CASE WHEN sources.agent_id IS NULL THEN sources.name ELSE '' END AS source
               FROM passages JOIN sources ON sources.id = passages.source_id"""


class PassageShelves:
    """The shelf of each source that was searched."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._shelves: dict[str, Shelf] = {}

    def attached(self, agent_id: str, source: str | None = None) -> list[Shelf]:
        """What this agent can search (of one source, if it is named), up to date, without what is empty.

        Raises:
            SourceError: the source that is named is not attached.
        """
        rows = self._db.all(
            "SELECT source_id, CASE WHEN sources.agent_id IS NULL THEN sources.name ELSE '' END AS name "
            "FROM attachments JOIN sources ON sources.id = source_id WHERE attachments.agent_id = ? "
            "ORDER BY attachments.created_at, source_id",
            agent_id,
        )
        if source:
            attached = [row["name"] for row in rows if row["name"]]
            if source not in attached:
                raise SourceError(
                    f"No source {source!r} is attached to this agent. Attached: {', '.join(attached) or 'none yet'}."
                )
        wanted = [row["source_id"] for row in rows if source is None or row["name"] == source]
        version = self._db.version()
        shelves = [self.shelf(source_id, version) for source_id in wanted]
        return [shelf for shelf in shelves if len(shelf)]

    def shelf(self, source_id: str, version: tuple[int, int, int] | None = None) -> Shelf:
        """A source's passages, up to date; shared by all agents. ``version`` as for :meth:`Shelf.refresh`."""
        if source_id not in self._shelves:
            self._shelves[source_id] = Shelf(
                self._db,
                source_id,
                _OWNER,
                _ROWS,
                "passage_vectors",
                lambda rows: np.array([row[1] for row in rows]).reshape(-1, 1),
                1,
            )
        self._shelves[source_id].refresh(version)
        return self._shelves[source_id]

    def drop(self, source_id: str) -> None:
        """Forget a source that is deleted."""
        self._shelves.pop(source_id, None)

    def passages_at(self, shelves: Sequence[Shelf], places: Sequence[int]) -> list[Passage]:
        """The passages at some places of shelves that stand side by side."""
        starts = np.cumsum([0, *(len(shelf) for shelf in shelves)])
        on = [int(np.searchsorted(starts, place, side="right")) - 1 for place in places]
        pairs = zip(on, places, strict=True)
        return [self.passage(int(shelves[shelf].numbers[place - starts[shelf]])) for shelf, place in pairs]

    def passage(self, seq: int) -> Passage:
        """The passage of a row number.

        Raises:
            SourceError: it is gone.
        """
        row = self._db.one(f"{PASSAGES} WHERE passages.seq = ?", seq)
        if row is None:
            raise SourceError("A passage was deleted while it was being searched. Search again.")
        return passage_of(row)


@reading_rows
def passage_of(row: Row) -> Passage:
    """A row of :data:`PASSAGES`."""
    return Passage(
        text=row["text"],
        uri=row["uri"],
        metadata=json.loads(row["metadata"]),
        id=row["id"],
        source=row["source"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
