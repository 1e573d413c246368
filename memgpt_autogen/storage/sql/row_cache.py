"""What searches need of every row, kept in memory: its number, some facts as numbers, its vector's code.

A shelf holds the passages of one source or the messages of one agent. It is read once and then brought up to date by
what was added, by whatever process; only where rows were taken away is it read again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StoreError
from ..records import Vectors
from ..search.ranking import Floats, Places
from ..vectors.coded import Codes as CodedVectors
from ..vectors.coded import Query, doubtful, encode, unpacked
from .database import Database, Numbers, Row

Known = npt.NDArray[np.bool_]

#: Vectors read in one go.
BATCH = 2048
#: Rows that an index is asked for.
NEAREST = 250


class Growing:
    """An array that rows are added to without copying it each time."""

    def __init__(self, dtype: Any, width: tuple[int, ...] = ()) -> None:
        self._room = np.empty((0, *width), dtype=dtype)
        self._count = 0

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all."""
        if rows > len(self._room):
            room = np.empty((rows, *self._room.shape[1:]), dtype=self._room.dtype)
            room[: self._count] = self._room[: self._count]
            self._room = room

    def add(self, rows: npt.ArrayLike) -> None:
        """Add rows at the end."""
        added = np.asarray(rows, dtype=self._room.dtype)
        needed = self._count + len(added)
        if needed > len(self._room):
            self.reserve(max(needed, len(self._room) * 3 // 2))
        self._room[self._count : needed] = added
        self._count = needed

    def __len__(self) -> int:
        return self._count

    @property
    def all(self) -> npt.NDArray[Any]:
        """The rows there are: a view."""
        return self._room[: self._count]


class Codes:
    """Numbers for values, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def __call__(self, value: str) -> int:
        return self.values.setdefault(value, len(self.values))


class Shelf:
    """The rows of one owner.

    Args:
        database: where they are.
        owner_id: the source or the agent.
        owner: SQL of its edition, embedder and ``place``: where the vectors are; empty: in the file.
        rows: SQL of what is on the shelf, ``seq`` first, for an owner and all ``seq`` above one.
        vectors: the table of their vectors.
        facts: turns rows into their facts, as numbers, shape (rows, width).
        width: how many facts.

    Attributes:
        place: where the vectors are, if they are not in their table: it only says which rows have one.
        changes: counts how often rows were added or taken off.
    """

    def __init__(
        self,
        database: Database,
        owner_id: str,
        owner: str,
        rows: str,
        vectors: str,
        facts: Callable[[Sequence[Row]], npt.ArrayLike],
        width: int,
    ) -> None:
        self._db, self.owner_id, self._rows, self._vectors_in = database, owner_id, rows, vectors
        self._owner = owner
        self._make_facts, self._width = facts, width
        self.place = ""
        self._version: tuple[int, int, int] | None = None
        self.edition, self._undone = -1, 0
        self.changes = 0
        self._clear()

    def _clear(self) -> None:
        self.embedder = ""
        self.changes += 1
        self._numbers, self._facts = Growing(np.int64), Growing(np.float32, (self._width,))
        self._codes: Growing | None = None
        self._marks = Growing(np.float32, (3,))
        self._vector_at = Growing(np.intp)  # the place on the shelf that each vector belongs to
        self._last_vector = 0

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """``seq`` of every row, rising."""
        return self._numbers.all

    def fact(self, index: int) -> Floats:
        """One fact of every row."""
        return self._facts.all[:, index]

    def __len__(self) -> int:
        return len(self._numbers)

    def refresh(self, version: tuple[int, int, int] | None = None) -> None:
        """Bring it up to date; ``version``: that of the database, where it was just asked for."""
        version = version or self._db.version()
        if version is not None and version == self._version:
            return
        owner = self._db.one(self._owner, self.owner_id)
        edition, embedder, place = owner or (-1, "", "")
        undone = self._db.undone
        if (edition, place) != (self.edition, self.place) or undone != self._undone:
            self._clear()
        self.edition, self.embedder, self.place, self._undone = edition, embedder, place, undone
        # Vectors first: whatever another process adds meanwhile, the rows that they belong to are there by then.
        vectors = self._read_vectors()
        last = int(self.numbers[-1]) if len(self) else 0
        rows = self._db.all(self._rows, self.owner_id, last)
        if rows:
            self._numbers.add([row["seq"] for row in rows])
            self._facts.add(self._make_facts(rows))
            self.changes += 1
        self._vector_at.add(self.places(vectors))
        self._version = version

    def _read_vectors(self) -> npt.NDArray[np.int64]:
        """Read which rows have got a vector since, and the vectors where they are compared here."""
        here, dialect = not self.place and self._db.vector_search is None, self._db.dialect
        sql = f"FROM {self._vectors_in} WHERE owner_id = ? AND number > ?"
        if not self.place:
            sql += f" AND {dialect.has_vector}"  # another process may have moved them out a moment ago
        if here and not self._last_vector:
            count = self._db.number(f"SELECT count(*) {sql}", self.owner_id, 0)
        numbers: list[int] = []
        columns = f"number, seq, {dialect.code or dialect.vector}" if here else "number, seq"
        while rows := self._db.all(
            f"SELECT {columns} {sql} ORDER BY number LIMIT {BATCH}",
            self.owner_id,
            self._last_vector,
        ):
            if here:
                codes, marks = self._read_codes([row[2] for row in rows])
                if self._codes is None:
                    self._codes = Growing(np.int8, (codes.shape[1],))
                    self._codes.reserve(count)
                self._codes.add(codes)
                self._marks.add(marks)
            numbers += [row["seq"] for row in rows]
            self._last_vector = rows[-1]["number"]
            if len(rows) < BATCH:
                break
        return np.array(numbers, dtype=np.int64)

    def _read_codes(self, stored: Sequence[bytes]) -> tuple[CodedVectors, Floats]:
        dialect = self._db.dialect
        if dialect.code:
            return unpacked(stored)
        vectors = np.frombuffer(b"".join(stored), dtype=dialect.floats).reshape(len(stored), -1)
        return encode(vectors.astype(np.float32))

    def places(self, numbers: npt.NDArray[np.int64]) -> Places:
        """Where these rows stand; those that are not here are left out."""
        mine = self.numbers
        if not len(mine) or not len(numbers):
            return np.zeros(0, dtype=np.intp)
        at = np.minimum(np.searchsorted(mine, numbers), len(mine) - 1)
        return np.asarray(at[mine[at] == numbers], dtype=np.intp)

    def compared(self, vector: Vectors) -> tuple[Floats, Known]:
        """The cosine of every row with a vector of length 1, 0 where a row has no vector; and which were compared.

        Where they are compared in memory, only those that are among the nearest are exact.
        """
        query = Query(vector)
        found, known, slack = self.estimated(query)
        compare_nearest([(self, found, slack)], query)
        return found, known

    def estimated(self, query: Query) -> tuple[Floats, Known, Floats]:
        """As :meth:`compared`, with by how much each cosine may be wrong."""
        found, known = np.zeros(len(self), dtype=np.float32), self.known()
        exact = np.zeros(len(self), dtype=np.float32)
        if not known.any():
            return found, known, exact
        search = self._db.vector_search
        if search is None:
            assert self._codes is not None  # some are known, and they are read together
            slack, at = exact, self._vector_at.all
            found[at], slack[at] = query.estimated(self._codes.all, self._marks.all)
            return found, known, slack
        nearest = search.nearest(self._vectors_in, self.owner_id, query.vector, NEAREST)
        if nearest is not None:
            return *self.with_nearest(*nearest), exact
        cosines = search.cosines(self._vectors_in, self.owner_id, query.vector, self._last_vector)
        if len(cosines) != len(self._vector_at.all):
            raise StoreError("Some of what was searched was deleted meanwhile. Search again.")
        found[self._vector_at.all] = cosines
        return found, known, exact

    def exact_cosines(self, numbers: Numbers, query: Query) -> tuple[Numbers, Floats]:
        """Rows of this table, rising, on whatever shelf, and their exact cosines; those that are gone are left out."""
        dialect = self._db.dialect
        rows = [
            (seq, vector)
            for seq, vector in self._db.all(
                f"SELECT seq, {dialect.vector} FROM {self._vectors_in} WHERE seq {dialect.these} ORDER BY seq",
                self._db.listed(numbers.tolist()),
            )
            if vector
        ]
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), dtype=dialect.floats)
        cosines = np.einsum("ij,j->i", vectors.astype(np.float32).reshape(len(rows), query.vector.size), query.vector)
        return np.array([seq for seq, _ in rows], dtype=np.int64), cosines

    def with_nearest(self, numbers: Numbers, cosines: Floats, *, all_asked: bool = False) -> tuple[Floats, Known]:
        """As :meth:`compared`, of what an index found nearest.

        Of the others the cosine is taken to be that of the last of these, which keeps the order of words among them.

        Args:
            numbers: ``seq`` of the nearest rows.
            cosines: theirs.
            all_asked: the index was asked for all that there are.
        """
        found, compared = np.zeros(len(self), dtype=np.float32), np.zeros(len(self), dtype=np.bool_)
        if len(numbers):
            found[self.known()] = 0 if all_asked else cosines.min()
            at = np.minimum(np.searchsorted(self.numbers, numbers), len(self) - 1)
            here = self.numbers[at] == numbers
            found[at[here]] = cosines[here]
            compared[at[here]] = True
        return found, compared

    def known(self) -> npt.NDArray[np.bool_]:
        """Which rows have a vector."""
        found = np.zeros(len(self), dtype=np.bool_)
        found[self._vector_at.all] = True
        return found


#: A shelf, the cosines of its rows as they are estimated, and by how much each may be wrong.
Estimate = tuple[Shelf, Floats, Floats]


def compare_nearest(estimates: Sequence[Estimate], query: Query) -> None:
    """Make the cosines exact of all rows that may be among the nearest, on some shelves of one table together."""
    numbers, cosines, slack = (
        np.concatenate(each) for each in zip(*((shelf.numbers, *of) for shelf, *of in estimates), strict=True)
    )
    unsure = doubtful(cosines, slack)
    if not len(unsure):
        return
    rows, exact = estimates[0][0].exact_cosines(numbers[unsure], query)
    if len(rows):
        at = np.minimum(np.searchsorted(rows, numbers[unsure]), len(rows) - 1)
        there = rows[at] == numbers[unsure]
        cosines[unsure[there]] = exact[at[there]]
    end = 0
    for shelf, found, _ in estimates:
        start, end = end, end + len(shelf)
        found[:] = cosines[start:end]
