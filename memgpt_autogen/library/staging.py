"""Documents on their way into a source: compared with those that it holds, and staged in a file until all are read."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import IO

import numpy as np
import numpy.typing as npt

from ..errors import MissingDependency, SourceError
from ..ids import new_id
from ..sources.base import Entry
from ..sources.split import SPLITTER, split
from ..storage.records import DocumentRow, Passage

#: Is told how far a loading is: a stage (``reading``, ``splitting``, ``storing``, ``vectors``, ``embedding``), how much
#: is done, and of how much (0: not known).
LoadProgress = Callable[[str, int, int], None]


class SourceDiff:
    """The documents of a load compared with those that the source holds."""

    def __init__(self, before: dict[str, DocumentRow]) -> None:
        self._before = before
        self._now: dict[str, str] = {}
        self.unread: list[SourceError | MissingDependency] = []

    def is_new(self, entry: Entry) -> bool:
        """Whether it must be read: it is new, or it has changed."""
        known = self._before.get(entry.key)
        if known is None or known.digest != _digest(entry):
            return True
        self._now[entry.key] = known.digest
        return False

    def read(self, entry: Entry, stage: StagingFile, progress: LoadProgress) -> None:
        """Read a document into the staging file. One that cannot be read stays in the source as it is."""
        try:
            stage.put(entry, progress)
            self._now[entry.key] = _digest(entry)
        except (SourceError, MissingDependency) as error:
            if entry.required:
                raise
            self.unread.append(error)
            if entry.key in self._before:
                self._now[entry.key] = self._before[entry.key].digest

    def check(self) -> None:
        """Check that there is something to load.

        Raises:
            SourceError: nothing was found, or nothing could be read.
        """
        if not self._now and self.unread:
            raise self.unread[0]
        if not self._now:
            raise SourceError("Nothing was found to load.")

    @property
    def kept(self) -> bool:
        """Whether any document of the source is among those found, changed or not."""
        return not self._before.keys().isdisjoint(self._now)

    def outdated(self) -> Iterator[DocumentRow]:
        """Documents of the source that are gone or have changed."""
        return (row for uri, row in self._before.items() if self._now.get(uri) != row.digest)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Numbers of documents: new, changed, gone, unchanged."""
        both = self._before.keys() & self._now.keys()
        same = sum(self._before[uri].digest == self._now[uri] for uri in both)
        return len(self._now) - len(both), len(both) - same, len(self._before) - len(both), same


def _digest(entry: Entry) -> str:
    """A hash that changes with the document and with the way of splitting."""
    return f"{SPLITTER}:{entry.digest}"


Staged = tuple[Passage, "npt.NDArray[np.float32] | None"]


class StagingFile:
    """Passages on their way to the store, in a temporary file, so that the use of memory does not grow with their
    number.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pages = self._documents = self.passages = 0

    def put(self, entry: Entry, progress: LoadProgress) -> None:
        """Read and split a document; if that fails, none of it is kept."""
        begin, pages, passages = self._file.tell(), 0, 0
        try:
            pickle.dump((entry.key, _digest(entry)), self._file)
            for part in entry.read():
                pages += part.vector is None and "page" in part.metadata
                vector = None if part.vector is None else unit_vector(part.vector)
                for passage in split(part):
                    passages += 1
                    pickle.dump((replace(passage, id=new_id()), vector), self._file)
                progress("splitting", self.passages + passages, 0)
            pickle.dump(None, self._file)
        except BaseException:
            self._file.seek(begin)
            self._file.truncate()
            raise
        self._pages += pages
        self._documents += not pages
        self.passages += passages

    def units(self, unit: str) -> dict[str, int]:
        """Numbers of what was read: pages, and documents without pages."""
        read = {"page": self._pages, unit: self._documents}
        return {name: number for name, number in read.items() if number}

    def take(self) -> Iterator[tuple[str, str, Iterator[Staged]]]:
        """The documents in order, each with its passages, which must be consumed before the next document."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            uri, digest = pickle.load(self._file)
            yield uri, digest, iter(lambda: pickle.load(self._file), None)


def unit_vector(values: Sequence[float]) -> npt.NDArray[np.float32]:
    """The vector scaled to length 1."""
    vector = np.asarray(values, dtype=np.float32)
    return np.asarray(vector / (np.linalg.norm(vector) or 1), dtype=np.float32)
