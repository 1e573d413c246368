"""Vectors of one byte a dimension, and how far their cosines may be from the true ones.

A search compares the query with the codes, which are a quarter of the vectors' size, and only what may be among the
nearest with the vectors themselves. The bound is that of Cauchy and Schwarz, so the nearest are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..search.ranking import Floats, Places

#: So many of the nearest are exact, and in their exact order.
EXACT = 32
#: Before the codes of a vector stand three numbers: what a code of 1 is worth, the length of what the codes leave out,
#: and the length of what they hold.
_MARKS = 3
_MARKS_BYTES = 4 * _MARKS
#: Room for the rounding of float32 sums, beside the bound.
_ROUNDING = 1e-5

Codes = npt.NDArray[np.int8]


def encode(vectors: Floats) -> tuple[Codes, Floats]:
    """Codes of vectors, shape (n, dim), and their marks, shape (n, 3)."""
    peak = np.abs(vectors).max(axis=1, initial=0)
    scale = np.where(peak > 0, peak / 127, 1).astype(np.float32)
    codes = np.rint(vectors / scale[:, None]).astype(np.int8)
    held = codes * scale[:, None]
    lengths = [np.sqrt(np.einsum("ij,ij->i", part, part)) for part in (vectors - held, held)]
    return codes, np.stack([scale, *lengths], axis=1).astype(np.float32)


def packed(vector: Floats) -> bytes:
    """A vector's code as it is stored; empty for an empty vector."""
    if not vector.size:
        return b""
    codes, marks = encode(vector.reshape(1, -1).astype(np.float32))
    return marks.astype("<f4").tobytes() + codes.tobytes()


def unpacked(stored: Sequence[bytes]) -> tuple[Codes, Floats]:
    """Codes and marks of some vectors of one size, as :func:`encode` gives them."""
    rows = np.frombuffer(b"".join(stored), dtype=np.uint8).reshape(len(stored), -1)
    marks = np.ascontiguousarray(rows[:, :_MARKS_BYTES]).view("<f4").astype(np.float32)
    return rows[:, _MARKS_BYTES:].view(np.int8), marks


class Query:
    """A query's vector, of length 1, and its code."""

    def __init__(self, vector: Floats) -> None:
        self.vector = vector.reshape(-1).astype(np.float32)
        self._codes, ((self._worth, self._left_out, _),) = encode(self.vector.reshape(1, -1))
        self._length = np.float32(np.linalg.norm(self.vector))

    def estimated(self, codes: Codes, marks: Floats) -> tuple[Floats, Floats]:
        """The cosines of coded vectors with it, and by how much each may be wrong."""
        import simsimd  # loaded by the first search by meaning

        dots = np.asarray(simsimd.cdist(self._codes, codes, metric="dot"), dtype=np.float32).reshape(-1)
        slack = marks[:, 1] * self._length + (marks[:, 2] * self._left_out + np.float32(_ROUNDING))
        return dots * marks[:, 0] * self._worth, slack


def doubtful(cosines: Floats, slack: Floats) -> Places:
    """The rows to be compared exactly so that the nearest :data:`EXACT` are the true ones, in their order.

    Args:
        cosines: of all rows, as they are estimated.
        slack: by how much each may be wrong; 0 where it is exact.
    """
    unsure = slack > 0
    if len(cosines) > EXACT:
        sure = cosines - slack
        unsure &= cosines + slack >= np.partition(sure, len(sure) - EXACT)[len(sure) - EXACT]
    return np.flatnonzero(unsure)
