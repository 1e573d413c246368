"""The default offline embedder: wordllama's static word vectors, which are part of its package.

Source: https://github.com/dleemiller/WordLlama (MIT).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingDependency


class BundledEmbedder:
    """wordllama, 256 dimensions.

    Raises:
        MissingDependency: the ``local`` extra is not installed.
    """

    name = "wordllama-256"
    dim = 256
    of_words = True

    def __init__(self) -> None:
        if find_spec("wordllama") is None:
            raise MissingDependency("Searching by meaning needs wordllama.", "memgpt-autogen[local]")

    @cached_property
    def _model(self) -> Any:
        with _logging_untouched():
            import wordllama  # takes 0.5 s, so only at the first search

            folder = Path(wordllama.__file__).parent
            return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of shape (len(texts), 256), each of length 1 (an empty text's is 0)."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        vectors = np.asarray(self._model.embed(list(texts), norm=False), dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


@contextmanager
def _logging_untouched() -> Iterator[None]:
    """Neutralise wordllama's ``logging.basicConfig(level=INFO)`` on import.

    Otherwise every library of the program would log to standard error.
    """
    root, idle = logging.getLogger(), logging.NullHandler()
    root.addHandler(idle)
    try:
        yield
    finally:
        root.removeHandler(idle)
