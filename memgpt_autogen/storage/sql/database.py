"""What the store in SQL asks of an engine: transactions, statements, full text, locks.

Statements are written in the SQL that SQLite and PostgreSQL share, with ``?`` for values. What differs is in
:class:`Dialect` and :class:`FullText`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..records import Vectors

#: Row numbers (``seq``), rising.
Numbers: TypeAlias = "npt.NDArray[np.int64]"
#: Tables whose column ``text`` has a full text index.
Indexed = Literal["messages", "passages"]


class Row(Protocol):
    """A row of a query: a sequence of its values, which are also found by column name."""

    def __getitem__(self, key: int | str, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def keys(self) -> Sequence[str]:
        """The column names."""
        ...


@dataclass(frozen=True)
class Dialect:
    """SQL that engines write differently.

    Attributes:
        these: the condition that a column is among the values of one parameter, which :meth:`Database.listed` makes.
        vector: the bytes of the column ``vector``.
        floats: numpy's name for the numbers in those bytes.
        has_vector: the condition that the column ``vector`` holds one.
        no_vector: the value of that column where the vector is kept elsewhere.
        code: the column that keeps :func:`memgpt_autogen.storage.vectors.coded.packed` vectors; empty: there is none.
    """

    these: str
    vector: str
    floats: str
    has_vector: str
    no_vector: str
    code: str = ""


class FullText(Protocol):
    """The full text index of one table. Terms are stems, as :func:`..search.words.stem` makes them.

    ``owners`` are agents or sources. An engine may return rows of others too; callers keep those that they know.
    """

    def holding(
        self, phrases: Sequence[str], owners: Sequence[str], *, first: int, last: int, limit: int | None
    ) -> Numbers:
        """Rows from ``first`` to ``last`` that hold one of some phrases (words parted by spaces); at most ``limit``."""
        ...

    def counts(self, term: str, owners: Sequence[str], limit: int) -> tuple[Numbers, Numbers]:
        """Rows that hold a term, and how often each does; at most about ``limit`` occurrences."""
        ...

    def holding_any(self, terms: Sequence[str], owners: Sequence[str], limit: int) -> Numbers:
        """Rows that hold one of some terms; at most ``limit`` occurrences are looked at."""
        ...

    def frequent(self, limit: int) -> Sequence[str]:
        """The terms that most rows hold, the most frequent first."""
        ...

    def headed(self, headings: Sequence[str], source_ids: Sequence[str], limit: int) -> Sequence[Sequence[int]]:
        """Passages by their heading: for each that stands anywhere, at most ``limit`` row numbers."""
        ...


class VectorSearch(Protocol):
    """Compares vectors inside of the database. Where an engine has none, they are read into memory."""

    def cosines(self, table: str, owner_id: str, vector: Vectors, last: int) -> Vectors:
        """The cosines of an owner's vectors with one of length 1, in the order of ``number``, up to ``last``."""
        ...

    def nearest(self, table: str, owner_id: str, vector: Vectors, count: int) -> tuple[Numbers, Vectors] | None:
        """The rows that are nearest, by an index, and their cosines; None: there is no index for this owner."""
        ...

    def wants_index(self, source_id: str, count: int) -> bool:
        """Whether a source of so many vectors is to have the index that :meth:`nearest` asks, and has none."""
        ...

    def make_index(self, source_id: str) -> None:
        """Make it. That takes minutes, and blocks nobody."""
        ...


class Database(Protocol):
    """A database that several threads may use at once.

    Attributes:
        path: its address without secrets, or the path of its file: what messages and locks call it.
        dialect: the SQL it speaks.
        user_id: whose rows are read and written.
        owned: rows known to be of this user, by table and id.
        folder: where files that belong to it stand on this machine; None: nowhere.
        read_only: whether every write is refused.
        vector_search: compares vectors; None: they are read into memory and compared there.
    """

    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> Dialect: ...
    @property
    def user_id(self) -> str: ...
    @property
    def owned(self) -> set[tuple[str, str]]: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def vector_search(self) -> VectorSearch | None: ...
    @property
    def step_id(self) -> str | None:
        """The step of the open transaction."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def transaction(self, step_id: str | None = None) -> AbstractContextManager[None]:
        """All or nothing; an inner one joins the outer. Rows written inside carry ``step_id``."""
        ...

    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement that writes; the number of rows it touched."""
        ...

    def insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows; ``user_id`` and ``step_id`` are added.

        Raises:
            Duplicate: a row breaks a constraint.
        """
        ...

    def put_vectors(self, table: str, rows: Sequence[tuple[str, int, Vectors]]) -> None:
        """Give rows their vectors, where they have none yet.

        Args:
            table: of the vectors.
            rows: of each its owner, its number and the vector; an empty one says that it is kept elsewhere.
        """
        ...

    def all(self, sql: str, *values: Any) -> Sequence[Row]:
        """Every row of a query."""
        ...

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query, if there is one."""
        ...

    def number(self, sql: str, *values: Any) -> int:
        """The first column of the first row, 0 where there is none."""
        ...

    def numbers(self, sql: str, *values: Any) -> Numbers:
        """The column ``number`` of a query, in one piece."""
        ...

    def listed(self, values: Iterable[str | int]) -> Any:
        """The parameter of :attr:`Dialect.these`."""
        ...

    def full_text(self, table: Indexed) -> FullText:
        """The full text index of a table."""
        ...

    def stored_vector(self, vector: Vectors) -> Any:
        """A vector as a value of a column ``vector``; an empty one: it is kept elsewhere."""
        ...

    def numbered(self) -> None:
        """Rows with numbers of their own have come in: go on behind them."""
        ...

    def held(self) -> AbstractContextManager[object]:
        """Keep other threads of this process from what is cached meanwhile."""
        ...

    def version(self) -> tuple[int, int, int] | None:
        """Changes whenever anything may have; first how often something was taken back. None: not known, so ask."""
        ...

    @property
    def undone(self) -> int:
        """How often this process took something back: what was cached inside of that is void."""
        ...

    def lock(self, key: str, wait: float = 0.0, *, patient: bool = True) -> AbstractContextManager[None]:
        """Hold an agent, or the loading of a source, for oneself.

        Args:
            key: the agent's id, or ``source NAME``.
            wait: seconds to wait for another process.
            patient: wait for another thread of this process; else it counts as busy.

        Raises:
            AgentBusy: another process still holds it, or this thread does already.
        """
        ...

    def mark_unclean(self) -> None:
        """Note, in the transaction that deletes, that traces of what it deletes are still to be removed."""
        ...

    def clean_if_needed(self) -> str:
        """Remove those traces. What hinders it; empty: nothing is left."""
        ...

    def close(self) -> None: ...
