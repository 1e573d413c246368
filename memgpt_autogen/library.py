"""The library: documents are loaded into sources here, and brought up to date when they are loaded again.

Reading and splitting take as long as they take, and nothing is locked meanwhile: what is new is put down in a temporary
file, and then taken over in one transaction. Whatever happens before that leaves the source as it was.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import IO, Any

import numpy as np

from .embeddings.base import Embedder
from .errors import AgentBusy, NameTaken, SourceError
from .ids import new_id
from .memory.backlog import fill
from .sources import make_loader
from .sources.base import Entry, Loader, entries
from .sources.split import SPLITTER, split
from .storage.base import DocumentRow, Passage, Source, Store

#: Passages written to the store in one go.
BATCH = 500


@dataclass(frozen=True)
class Loaded:
    """What a loading did.

    Attributes:
        source: the source as it is now.
        new, changed, gone, same: documents.
        pages: pages, rows or pieces read of what is new or changed.
        added: passages made of them.
    """

    source: Source
    new: int
    changed: int
    gone: int
    same: int
    pages: int
    added: int

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    @property
    def passages(self) -> int:
        """Passages in the source now."""
        return self.source.passages


#: Is told how far a loading is: a stage (``reading``, ``splitting``, ``storing``, ``embedding``), how much is done, and
#: of how much (0: not known).
Progress = Callable[[str, int, int], None]


def _unseen(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


class Library:
    """The sources of a store.

    Args:
        store: where they are kept.
        embedder: what makes their vectors; None: none are made.
    """

    def __init__(self, store: Store, embedder: Embedder | None = None) -> None:
        self._store, self._embedder = store, embedder

    def load(
        self, name: str, kind: str, *, replace: bool = False, progress: Progress = _unseen, **arguments: Any
    ) -> Loaded:
        """Load documents into a source with a loader by its name.

        Args:
            name: the source's name.
            kind: ``directory``, ...: see :data:`memgpt_autogen.sources.LOADERS`.
            replace, progress: see :meth:`load_from`.
            arguments: the loader's own, such as ``input_dir``.

        Raises:
            ConfigError: an unknown loader or argument.
            NameTaken, SourceError: see :meth:`load_from`.
        """
        return self.load_from(name, make_loader(kind, **arguments), replace=replace, progress=progress)

    def load_from(self, name: str, loader: Loader, *, replace: bool = False, progress: Progress = _unseen) -> Loaded:
        """Load documents into a source: all of them or, if anything fails, none.

        Where there is a source of that name, it is brought up to date: what is new or has changed is read, what is
        gone is dropped, and what is as before stays, with its vectors. Agents stay attached.

        Args:
            name: the source's name.
            loader: reads the documents.
            replace: do so also where nothing that the source holds is among these documents.
            progress: is told how far it is.

        Raises:
            NameTaken: the source of that name holds quite other documents, and is not to be replaced.
            SourceError: nothing could be read, or the source is being loaded elsewhere at this moment.
        """
        name = name.strip()
        if not name or not name.isprintable():
            raise SourceError(f"{name!r} cannot be the name of a source. Choose a word or two.")
        try:
            with self._store.lock(f"source {name}"), tempfile.TemporaryFile() as file:
                return self._load(name, loader, replace, progress, _Stage(file))
        except AgentBusy as error:
            raise SourceError(f"The source {name!r} is being loaded elsewhere. Wait until that is done.") from error

    def _load(self, name: str, loader: Loader, replace: bool, progress: Progress, stage: _Stage) -> Loaded:
        passages = self._store.passages
        source = next((one for one in passages.list_sources() if one.name == name), None)
        before = {one.uri: one for one in passages.documents(source.id)} if source else {}
        found = _Found(before)
        for entry in entries(loader):
            found.count(entry)
            if found.is_new(entry):
                stage.put(entry, progress)
            progress("reading", found.total, 0)
        if not found.total:
            raise SourceError("Nothing was found to load.")
        if before and not found.kept and not replace:
            raise NameTaken(
                f"The source {name!r} holds other documents ({_few([*before])}), and none of these. Take another "
                "name, or ask for them to be replaced (--replace, or replace=True)."
            )
        with self._store.transaction(new_id()):
            source = source or passages.create_source(name)
            passages.remove_loose(source.id)
            passages.remove_documents(source.id, [one.id for one in found.outdated()])
            if not passages.get_source(name).passages:
                passages.clear(source.id)  # another embedder may make the vectors now
            self._take_over(source.id, stage, progress)
        return Loaded(passages.get_source(name), *found.counts, stage.pages, stage.passages)

    def _take_over(self, source_id: str, stage: _Stage, progress: Progress) -> None:
        done = 0
        for uri, digest, staged in stage.take():
            document_id = self._store.passages.add_document(source_id, uri, digest)
            while batch := list(islice(staged, BATCH)):
                self._store.passages.add(source_id, [passage for passage, _ in batch], document_id)
                done += len(batch)
                progress("storing", done, stage.passages)

    def embed(self, name: str, progress: Progress = _unseen) -> int:
        """Make the vectors that a source still lacks; searches by words do not wait for them.

        Returns:
            How many were made; 0 also where there is no embedder.

        Raises:
            SourceError: there is no such source, or the embedder cannot be reached; what is made is kept.
        """
        source = self._store.passages.get_source(name)
        if self._embedder is None:
            return 0
        if source.embedder not in ("", self._embedder.name):
            raise SourceError(
                f"The vectors of source {name!r} were made with {source.embedder}, not with {self._embedder.name}. "
                "Use that embedder, or load the source under another name."
            )
        return fill(self._store, self._embedder, source.id, progress=partial(progress, "embedding"))


class _Found:
    """What is there now, held against what was there before."""

    def __init__(self, before: dict[str, DocumentRow]) -> None:
        self._before = before
        self._now: dict[str, str] = {}

    def count(self, entry: Entry) -> None:
        self._now[entry.key] = _digest(entry)

    def is_new(self, entry: Entry) -> bool:
        """Whether it has to be read."""
        return entry.key not in self._before or self._before[entry.key].digest != self._now[entry.key]

    @property
    def total(self) -> int:
        return len(self._now)

    @property
    def kept(self) -> bool:
        """Whether any document of before is still there, changed or not."""
        return not self._before.keys().isdisjoint(self._now)

    def outdated(self) -> Iterator[DocumentRow]:
        """What was there before and is gone or has changed."""
        return (row for uri, row in self._before.items() if self._now.get(uri) != row.digest)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Documents that are new, changed, gone, as before."""
        both = self._before.keys() & self._now.keys()
        same = sum(self._before[uri].digest == self._now[uri] for uri in both)
        return len(self._now) - len(both), len(both) - same, len(self._before) - len(both), same


def _digest(entry: Entry) -> str:
    """Changes with the document and with the way of splitting."""
    return f"{SPLITTER}:{entry.digest}"


Staged = tuple[Passage, Any]


class _Stage:
    """Passages on their way to the store, in a file, so that memory stays flat however many there are."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.pages = self.passages = 0

    def put(self, entry: Entry, progress: Progress) -> None:
        """Read and split a document."""
        pickle.dump((entry.key, _digest(entry)), self._file)
        for page in entry.read():
            self.pages += 1
            vector = None if page.vector is None else np.asarray(page.vector, dtype=np.float32)
            for passage in split(page):
                self.passages += 1
                pickle.dump((passage, vector), self._file)
            progress("splitting", self.passages, 0)
        pickle.dump(None, self._file)

    def take(self) -> Iterator[tuple[str, str, Iterator[Staged]]]:
        """The documents in order, each with its passages, which are to be taken before the next document."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            uri, digest = pickle.load(self._file)
            yield uri, digest, iter(lambda: pickle.load(self._file), None)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
