"""Comparing vectors in pgvector: all of an owner's exactly, and by an HNSW index from a size on."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..records import Vectors

if TYPE_CHECKING:
    from ..sql.database import Numbers
    from .database import PostgresDatabase

logger = logging.getLogger(__name__)

#: Vectors of a source from which it is searched by an index.
HNSW_FROM = 20_000
#: How a search by the index runs: candidates looked at (more find more of the true nearest, and take longer), and no
#: other plan, whatever the planner knows of a source by then.
SETTINGS = {"hnsw.ef_search": "400", "hnsw.iterative_scan": "strict_order", "enable_sort": "off"}
#: Numbers of a vector that pgvector indexes.
_MOST = 2000
_ID = re.compile(r"[\w-]+")


class PgVectorSearch:
    """See :class:`memgpt_autogen.storage.sql.database.VectorSearch`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database
        self._indexed: dict[str, int] = {}

    def cosines(self, table: str, owner_id: str, vector: Vectors, last: int) -> Vectors:
        """The cosines of an owner's vectors with one of length 1, as one value: rows would take longer than they."""
        found = self._db.binary(
            f"SELECT string_agg(float4send(-(vector <#> ?::vector)::float4), ''::bytea ORDER BY number) FROM {table} "
            "WHERE owner_id = ? AND number <= ? AND vector IS NOT NULL",
            *(text_of(vector), owner_id, last),
        )
        return np.frombuffer(found or b"", dtype=">f4").astype(np.float32)

    def nearest(self, table: str, owner_id: str, vector: Vectors, count: int) -> tuple[Numbers, Vectors] | None:
        """The passages that are nearest, by the source's own index."""
        if table != "passage_vectors" or not self._has_index(owner_id):
            return None
        rows = self._db.all_with(
            SETTINGS,
            f"SELECT seq, -(vector::vector({vector.size}) <#> ?::vector) AS cosine FROM passage_vectors "
            f"WHERE owner_id = '{_checked(owner_id)}' ORDER BY vector::vector({vector.size}) <#> ?::vector LIMIT ?",
            *(text_of(vector), text_of(vector), count),
        )
        return np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows], dtype=np.float32)

    def wants_index(self, source_id: str, count: int) -> bool:
        """Whether a source has at least ``HNSW_FROM`` vectors and no index yet."""
        return count >= HNSW_FROM and not self._has_index(source_id)

    def make_index(self, source_id: str) -> None:
        """Make the index of a source; pgvector takes at most 2,000 numbers a vector."""
        dim = self._db.number("SELECT dim FROM sources WHERE id = ? AND vectors_in = ''", source_id)
        if 0 < dim <= _MOST:
            logger.info("An index of the vectors of source %s is being made", source_id)
            self._db.make_index(_name(source_id), source_id, dim)

    def _has_index(self, source_id: str) -> bool:
        """Whether a source has an index. That it has one is remembered."""
        if source_id not in self._indexed and self._db.number(
            "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = ? "
            "AND relnamespace = ?::regnamespace AND indisvalid",
            *(_name(source_id), self._db.schema),
        ):
            self._indexed[source_id] = 1
        return source_id in self._indexed


def text_of(vector: Vectors) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(map(repr, _floats(vector)))}]"


def _floats(vector: Vectors) -> Sequence[float]:
    floats: list[float] = np.asarray(vector, dtype=np.float32).reshape(-1).tolist()
    return floats


def _name(source_id: str) -> str:
    return f"nearest_{_checked(source_id).replace('-', '')}"


def _checked(source_id: str) -> str:
    if not _ID.fullmatch(source_id):
        raise ValueError(f"{source_id!r} is no id")
    return source_id
