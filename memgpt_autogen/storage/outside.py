"""Passages' vectors outside of the file: what is there, held against what the file says is there.

The file is the truth. For each passage that has a vector outside it has a row in ``passage_vectors`` with an empty
vector; the vector's key is made of the passage's number and a digest of its text, so that one of another text cannot
be taken for it. The two are compared when a source is first used and whenever something was deleted: a row without a
vector goes, so that the passage is embedded again; a vector without a row is removed.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from ..errors import SourceError
from .database import Database
from .ranking import Floats
from .shapes import Vectors
from .shelf import Shelf

logger = logging.getLogger(__name__)

#: Of a source with at most so many vectors all are compared with the query, of a larger one the nearest so many.
EVERY, NEAREST = 1000, 250
#: Vectors moved in one go, and seconds that an index which failed is left alone.
BATCH, REST = 1000, 30.0


def key_of(seq: int, text: str) -> str:
    """The key of a passage's vector."""
    return f"{seq}-{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=6).hexdigest()}"


class VectorIndex(Protocol):
    """Keeps the vectors of passages outside of the store, which remains the truth. Every method may raise SourceError.

    Attributes:
        place: its address, without secrets.
    """

    @property
    def place(self) -> str: ...
    def put(self, source_id: str, keys: Sequence[str], vectors: Vectors) -> None: ...
    def nearest(self, source_id: str, vector: Vectors, count: int) -> tuple[Sequence[str], Vectors]: ...
    def keys(self, source_id: str) -> set[str]: ...
    def remove(self, source_id: str, keys: Sequence[str]) -> None: ...
    def drop(self, source_id: str) -> None: ...
    def close(self) -> None: ...


class Outside:
    """The vectors of a database that are kept in an index.

    Args:
        database: the truth.
        index: where the vectors are.
    """

    def __init__(self, database: Database, index: VectorIndex) -> None:
        self._db, self.index = database, index
        self._checked: dict[str, int] = {}
        self._rest_until = 0.0
        self._on_the_way: dict[int, Sequence[str]] = {}

    def check(self, shelf: Shelf) -> None:
        """Bring file and index together, if they may have come apart.

        Raises:
            SourceError: the index cannot be reached.
        """
        if self._checked.get(shelf.owner_id) == shelf.edition:
            return
        with self._watched():
            self.settle()
            row = self._db.one("SELECT vectors_in FROM sources WHERE id = ?", shelf.owner_id)
            place = row["vectors_in"] if row else ""
            if place == self.index.place:
                self._compare(shelf.owner_id)
            elif place:
                forget(self._db, shelf.owner_id)
            else:
                self._move_out(shelf.owner_id)
        shelf.refresh()
        self._checked[shelf.owner_id] = shelf.edition

    def similar(self, shelf: Shelf, vector: Vectors, wanted: int) -> Floats:
        """The cosine of every row of a shelf with a vector; of what is not among the nearest, at most that of the last.

        Raises:
            SourceError: the index cannot be reached.
        """
        known = shelf.known()
        count = int(np.count_nonzero(known))
        asked = count if count <= EVERY else min(count, max(NEAREST, 4 * wanted))
        with self._watched():
            keys, cosines = self.index.nearest(shelf.owner_id, vector, asked)
        found = np.zeros(len(shelf), dtype=np.float32)
        if len(keys):
            found[known] = cosines.min() if asked < count else 0
            numbers = np.array([int(key.partition("-")[0]) for key in keys], dtype=np.int64)
            at = np.minimum(np.searchsorted(shelf.numbers, numbers), len(shelf) - 1)
            here = shelf.numbers[at] == numbers
            found[at[here]] = cosines[here]
        return found

    @contextmanager
    def putting(self, source_id: str, keys: Sequence[str], vectors: Vectors) -> Iterator[None]:
        """Keep vectors; their rows are written inside.

        Raises:
            SourceError: the index cannot be reached.
        """
        self._on_the_way[threading.get_ident()] = keys  # not to be taken for stale meanwhile
        try:
            with self._watched():
                self.index.put(source_id, keys, vectors)
            yield
        finally:
            del self._on_the_way[threading.get_ident()]

    def settle(self) -> None:
        """Remove the vectors of sources that are gone.

        Raises:
            SourceError: the index cannot be reached.
        """
        sql = "SELECT source_id FROM vectors_left WHERE vectors_in = ?"
        for row in self._db.all(sql, self.index.place):
            with self._watched():
                self.index.drop(row["source_id"])
            self._db.execute(
                "DELETE FROM vectors_left WHERE source_id = ? AND vectors_in = ?", row["source_id"], self.index.place
            )

    def _compare(self, source_id: str) -> None:
        sql = "SELECT seq, text FROM passages JOIN passage_vectors USING (seq) WHERE owner_id = ?"
        there = self.index.keys(source_id)
        told = {key_of(row["seq"], row["text"]): row["seq"] for row in self._db.all(sql, source_id)}
        if stale := there.difference(told, *list(self._on_the_way.values())):
            self.index.remove(source_id, sorted(stale))
        if missing := [seq for key, seq in told.items() if key not in there]:
            with self._db.transaction():
                for seq in missing:
                    self._db.execute("DELETE FROM passage_vectors WHERE seq = ?", seq)
        if stale or missing:
            logger.info("%d vectors were missing in %s, %d stale", len(missing), self.index.place, len(stale))

    def _move_out(self, source_id: str) -> None:
        """Put the vectors that stand in the file into the index, and then take them out of the file."""
        last = 0
        sql = (
            "SELECT number, passages.seq AS seq, text, passage_vectors.vector AS vector FROM passage_vectors "
            f"JOIN passages USING (seq) WHERE owner_id = ? AND number > ? ORDER BY number LIMIT {BATCH}"
        )
        while rows := self._db.all(sql, source_id, last):
            vectors = np.frombuffer(b"".join(row["vector"] for row in rows), dtype=np.float32).reshape(len(rows), -1)
            self.index.put(source_id, [key_of(row["seq"], row["text"]) for row in rows], vectors)
            last = rows[-1]["number"]
        with self._db.transaction():
            self._db.execute(
                "UPDATE passage_vectors SET vector = x'' WHERE owner_id = ? AND number <= ?", source_id, last
            )
            self._db.execute("UPDATE sources SET vectors_in = ? WHERE id = ?", self.index.place, source_id)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Leave an index that has failed alone for a while: a turn would wait for it at every search."""
        if time.monotonic() < self._rest_until:
            raise SourceError(f"{self.index.place} did not answer a moment ago. It is tried again in a while.")
        try:
            yield
        except SourceError as error:
            if time.monotonic() >= self._rest_until:
                self._rest_until = time.monotonic() + REST
                logger.warning("Passages are searched by words alone for %d seconds: %s", REST, error)
            raise


def forget(database: Database, source_id: str) -> None:
    """Have the vectors of a source made anew, wherever they were."""
    with database.transaction():
        database.execute("DELETE FROM passage_vectors WHERE owner_id = ?", source_id)
        database.execute(
            "INSERT OR IGNORE INTO vectors_left (source_id, user_id, vectors_in) "
            "SELECT id, user_id, vectors_in FROM sources WHERE id = ? AND vectors_in <> ''",
            source_id,
        )
        database.execute("UPDATE sources SET vectors_in = '', embedder = '', dim = 0 WHERE id = ?", source_id)
