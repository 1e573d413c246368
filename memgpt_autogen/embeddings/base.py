"""The protocol of an embedder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Embedder(Protocol):
    """Turns texts into vectors.

    Attributes:
        name: the model's name, stored with each source.
        dim: the length of a vector.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of shape (len(texts), dim), each of length 1.

        Raises:
            SourceError: the embedder's server cannot be reached or refused.
        """
        ...


def embeds_words(embedder: Embedder) -> bool:
    """Whether an embedder has a vector for each word (``of_words``), so that words of like meaning can be looked up."""
    return bool(getattr(embedder, "of_words", False))
