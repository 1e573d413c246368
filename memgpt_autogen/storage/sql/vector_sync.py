"""Passages' vectors outside of the file: what is there, held against what the file says is there.

The file is the truth. For each passage that has a vector outside it has a row in ``passage_vectors`` with an empty
vector; the vector's key is made of the passage's number and a digest of its text, so that one of another text cannot
be taken for it. The two are compared once after opening and whenever something was deleted: a row without a vector
goes, so that the passage is embedded again; a vector without a row is removed. Vectors that are in the file are moved.
Both take a while, and nothing waits for them.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...errors import SourceError
from ..records import Progress, Vectors
from ..search.ranking import Floats
from .database import Database, Row
from .row_cache import NEAREST, Shelf
from .vector_places import forget, leave

logger = logging.getLogger(__name__)

#: Of a source with at most so many vectors all are compared with the query, of a larger one the nearest few.
EVERY = 1000
#: Vectors moved in one go, and seconds that an index which failed is left alone.
BATCH, REST = 250, 30.0


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
    def clean(self) -> None:
        """Leave nothing of what was dropped in files of this machine."""
        ...

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

    @property
    def resting(self) -> bool:
        """Whether the index failed a moment ago."""
        return time.monotonic() < self._rest_until

    def settled(self, shelf: Shelf) -> bool:
        """Whether file and index were held against each other since anything was taken away."""
        return shelf.place == self.index.place and self._checked.get(shelf.owner_id) == shelf.edition

    def settle(self, source_id: str, progress: Progress, stop: Callable[[], bool]) -> None:
        """Bring file and index together; takes as long as it takes, and holds nothing meanwhile.

        Raises:
            SourceError: the index cannot be reached.
        """
        with self._watched():
            self.adopt(source_id)
            if self._place(source_id) != self.index.place and not self._move_out(source_id, progress, stop):
                return
            self._take_out_of_file(source_id)
            edition = self._edition(source_id)
            self._checked[source_id] = edition + self._compare(source_id)

    def adopt(self, source_id: str) -> None:
        """Keep a source's vectors in the index from now on, if it has none; those in another index are made anew.

        Raises:
            SourceError: the index cannot be reached.
        """
        self.drop_left()
        if self._place(source_id) not in ("", self.index.place):
            forget(self._db, source_id)
        with self._db.transaction():
            new = self._db.execute(
                "UPDATE sources SET vectors_in = ?, moving_to = '' WHERE id = ? AND vectors_in = '' "
                "AND NOT EXISTS (SELECT 1 FROM passage_vectors WHERE owner_id = sources.id)",
                self.index.place,
                source_id,
            )
            if new:  # there is nothing to compare
                self._checked[source_id] = self._edition(source_id)

    def _edition(self, source_id: str) -> int:
        return self._db.number("SELECT edition FROM sources WHERE id = ?", source_id)

    def _place(self, source_id: str) -> str:
        row = self._db.one("SELECT vectors_in FROM sources WHERE id = ?", source_id)
        return row["vectors_in"] if row else self.index.place  # deleted meanwhile: nothing to move

    def similar(self, shelf: Shelf, vector: Vectors) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """The cosine of every row of a shelf with a vector, and which rows were compared.

        Of what is not among the nearest it is that of the last of them, which keeps the order of words among those.

        Raises:
            SourceError: the index cannot be reached.
        """
        count = int(np.count_nonzero(shelf.known()))
        asked = EVERY if count <= EVERY else NEAREST  # more than count: some that are there may be stale
        with self._watched():
            keys, cosines = self.index.nearest(shelf.owner_id, vector, asked)
        numbers = np.array([int(key.partition("-")[0]) for key in keys], dtype=np.int64)
        return shelf.with_nearest(numbers, cosines, all_asked=asked >= count)

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

    def drop_left(self) -> None:
        """Remove the vectors of sources that are gone.

        Raises:
            SourceError: the index cannot be reached.
        """
        sql = "SELECT source_id FROM vectors_left WHERE vectors_in = ? AND user_id = ?"
        for row in self._db.all(sql, self.index.place, self._db.user_id):
            with self._watched():
                self.index.drop(row["source_id"])
            self._db.execute(
                "DELETE FROM vectors_left WHERE source_id = ? AND vectors_in = ?", row["source_id"], self.index.place
            )

    def _compare(self, source_id: str) -> int:
        """Take what is only there from the index and what is only here from the file; how much was only here."""
        # Read in this order, so that what others keep meanwhile is taken for neither.
        last = self._db.number("SELECT max(number) FROM passage_vectors WHERE owner_id = ?", source_id)
        there = self.index.keys(source_id)
        coming = list(self._on_the_way.values())
        told = {key: row for key, row in self._rows(source_id)}
        if stale := there.difference(told, *coming):
            self.index.remove(source_id, sorted(stale))
        missing = [row["seq"] for key, row in told.items() if key not in there and row["number"] <= last]
        gone = 0
        with self._db.transaction():
            for seq in missing:
                gone += self._db.execute("DELETE FROM passage_vectors WHERE seq = ?", seq)
        if stale or missing:
            logger.info("%d vectors were missing in %s, %d stale", len(missing), self.index.place, len(stale))
        return gone

    def _rows(self, source_id: str, last: int = 0, *, vectors: bool = False) -> Iterator[tuple[str, Row]]:
        """Keys and rows of the vectors that the file tells of, read in pieces."""
        kept = f"SELECT number, owner_id, seq, {self._db.dialect.vector} AS bytes FROM passage_vectors"
        sql = (
            f"SELECT number, seq, text{', bytes' if vectors else ''} FROM passages JOIN ({kept}) AS kept USING (seq) "
            f"WHERE owner_id = ? AND number > ? ORDER BY number LIMIT {BATCH}"
        )
        while rows := self._db.all(sql, source_id, last):
            yield from ((key_of(row["seq"], row["text"]), row) for row in rows)
            last = rows[-1]["number"]

    def _move_out(self, source_id: str, progress: Progress, stop: Callable[[], bool]) -> bool:
        """Put the vectors that stand in the file into the index; False if it was stopped."""
        here = self.index.place
        with self._db.transaction():
            row = self._db.one("SELECT moving_to FROM sources WHERE id = ?", source_id)
            if row and row["moving_to"] != here:
                leave(self._db, source_id, "moving_to")
            self._db.execute("UPDATE sources SET moving_to = ? WHERE id = ? AND vectors_in = ''", here, source_id)
        total = self._db.number("SELECT count(*) FROM passage_vectors WHERE owner_id = ?", source_id)
        there, done, last = self.index.keys(source_id), 0, 0
        logger.info("%d vectors are being moved to %s", total, here)
        while True:
            rows = self._rows(source_id, last, vectors=True)
            while batch := list(islice(rows, BATCH)):
                self._put_rows(source_id, [(key, row) for key, row in batch if key not in there and row["bytes"]])
                done, last = done + len(batch), batch[-1][1]["number"]
                progress(done, max(total, done))
                if stop():
                    return False
            with self._db.transaction():  # nothing is added meanwhile
                sql = "SELECT count(*) FROM passage_vectors WHERE owner_id = ? AND number > ?"
                if not self._db.number(sql, source_id, last):
                    mine = "UPDATE sources SET vectors_in = moving_to, moving_to = '' WHERE id = ? AND moving_to = ?"
                    self._db.execute(mine, source_id, here)
                    return True

    def _put_rows(self, source_id: str, rows: Sequence[tuple[str, Row]]) -> None:
        if rows:
            vectors = np.frombuffer(b"".join(row["bytes"] for _, row in rows), dtype=self._db.dialect.floats)
            self.index.put(source_id, [key for key, _ in rows], vectors.astype(np.float32).reshape(len(rows), -1))

    def _take_out_of_file(self, source_id: str) -> None:
        """Empty the vectors that were moved: what is left of them after an interruption, too."""
        kept = self._db.dialect
        which = f"SELECT number FROM passage_vectors WHERE owner_id = ? AND {kept.has_vector} LIMIT {BATCH}"
        while self._db.execute(
            f"UPDATE passage_vectors SET vector = {kept.no_vector} WHERE number IN ({which}) "
            "AND EXISTS (SELECT 1 FROM sources WHERE id = owner_id AND vectors_in <> '')",
            source_id,
        ):
            pass

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Leave an index that has failed alone for a while: a turn would wait for it at every search."""
        if self.resting:
            raise SourceError(f"{self.index.place} did not answer a moment ago. It is tried again in a while.")
        try:
            yield
        except SourceError as error:
            if not self.resting:
                self._rest_until = time.monotonic() + REST
                logger.warning("Passages are searched by words alone for %d seconds: %s", REST, error)
            raise
