"""Loads documents into sources, and updates sources when they are loaded again.

Reading and splitting lock nothing: new passages go to a temporary file. From there they are written to the store as a
hidden source, in small transactions between which others can write, and the hidden source is merged in one transaction.
Whatever happens before that leaves the source as it was.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from ..embeddings.base import Embedder
from ..errors import AgentBusy, NameTaken, SourceError
from ..ids import new_id
from ..memory.vector_backfill import backfill
from ..printable import one_line
from ..sources import make_loader
from ..sources.base import Loader, entries
from ..storage.base import Store
from ..storage.records import Source
from .staging import LoadProgress, SourceDiff, StagingFile

#: Passages written to the store, or deleted from it, in one go, and seconds in between in which others may write.
BATCH, BREATH = 100, 0.002


@dataclass(frozen=True)
class Loaded:
    """The result of a load.

    Attributes:
        source: the source as it is now.
        new, changed, gone, same: numbers of documents.
        read: how many pages, files or rows of new and changed documents were read, by unit.
        added: passages made of them.
        unit: what a document is called, such as ``file``.
        notes: what was left out and why, one sentence each.
    """

    source: Source
    new: int
    changed: int
    gone: int
    same: int
    read: Mapping[str, int]
    added: int
    unit: str
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    @property
    def passages(self) -> int:
        """Passages in the source now."""
        return self.source.passages

    def __str__(self) -> str:
        """For example: Loaded 15 pages into 65 passages: 2 files new, 1 changed, 12 as before. 71 passages in all."""
        done = "Nothing has changed"
        if self.read:
            what = " and ".join(_many(number, unit) for unit, number in self.read.items())
            into = "with their vectors" if "passage" in self.read else f"into {_many(self.added, 'passage')}"
            done = f"Loaded {what} {into}"
        if not (self.changed or self.gone or self.same):
            return f"{done}."
        counts = {"new": self.new, "changed": self.changed, "gone": self.gone, "as before": self.same}
        told = [f"{number:,} {word}" for word, number in counts.items() if number]
        first, _, state = told[0].partition(" ")
        told[0] = f"{_many(int(first.replace(',', '')), self.unit)} {state}"
        return f"{done}: {', '.join(told)}. {_many(self.passages, 'passage')} in all."


def _many(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'s' * (number != 1)}"


def _unseen(stage: str, done: int, total: int) -> None:
    """The progress callback where nobody watches."""


class Library:
    """The sources of a store.

    Args:
        store: where they are kept.
        embedder: makes their vectors; None: none are made.
    """

    def __init__(self, store: Store, embedder: Embedder | None = None) -> None:
        self._store, self._embedder = store, embedder

    def load(
        self, name: str, kind: str, *, replace: bool = False, progress: LoadProgress = _unseen, **arguments: Any
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

    def load_from(
        self, name: str, loader: Loader, *, replace: bool = False, progress: LoadProgress = _unseen
    ) -> Loaded:
        """Load documents into a source: all of them or, if anything fails, none.

        An existing source is updated: new and changed documents are read, missing ones are dropped, and unchanged ones
        stay with their vectors. Agents stay attached.

        Args:
            name: the source's name.
            loader: reads the documents.
            replace: update the source even if it holds none of these documents.
            progress: is told how far the load is.

        Raises:
            NameTaken: the source holds other documents, and ``replace`` is False.
            SourceError: nothing could be read, or the source is being loaded elsewhere.
        """
        name = name.strip()
        if not name or one_line(name) != name:
            raise SourceError(f"{name!r} cannot be the name of a source. Choose a word or two.")
        try:
            with self._store.lock(f"source {name}"), tempfile.TemporaryFile() as file:
                return self._load(name, loader, replace, progress, StagingFile(file))
        except AgentBusy as error:
            raise SourceError(f"The source {name!r} is being loaded elsewhere. Wait until that is done.") from error

    def _load(self, name: str, loader: Loader, replace: bool, progress: LoadProgress, stage: StagingFile) -> Loaded:
        sources = self._store.sources
        source = next((one for one in sources.list_sources() if one.name == name), None)
        before = {one.uri: one for one in sources.documents(source.id)} if source else {}
        found = SourceDiff(before)
        for number, entry in enumerate(entries(loader), 1):
            if found.is_new(entry):
                found.read(entry, stage, progress)
            progress("reading", number, getattr(loader, "total", 0))
        found.check()
        if before and not found.kept and not replace:
            raise NameTaken(
                f"The source {name!r} holds other documents ({_few([*before])}), and none of these. Take another "
                "name, or ask for them to be replaced (--replace, or replace=True)."
            )
        sources.discard_staged(name)
        try:
            place = self._staged(name, stage, progress)
            with self._store.transaction(new_id()):
                source = sources.publish(name, place, [one.id for one in found.outdated()])
                self._put_vectors(source, stage, getattr(loader, "embedder", ""), progress)
        finally:
            sources.discard_staged(name)
        notes = tuple(one_line(str(note)) for note in (*getattr(loader, "notes", ()), *found.unread))
        unit = getattr(loader, "unit", "document")
        return Loaded(sources.get_source(name), *found.counts, stage.units(unit), stage.passages, unit, notes)

    def _staged(self, name: str, stage: StagingFile, progress: LoadProgress) -> str:
        """Write the staged passages to the store as a hidden source; its id."""
        sources, passages, done = self._store.sources, self._store.passages, 0
        place = sources.stage(name)
        for uri, digest, staged in stage.take():
            document_id = sources.add_document(place, uri, digest)
            while batch := [passage for passage, _ in islice(staged, BATCH)]:
                passages.add(place, batch, document_id)
                done += len(batch)
                progress("storing", done, stage.passages)
                time.sleep(BREATH)
        return place

    def _put_vectors(self, source: Source, stage: StagingFile, embedder: str, progress: LoadProgress) -> None:
        """Store the vectors that were loaded with the passages."""
        if not stage.passages or not embedder:
            return
        if source.embedder not in ("", embedder):
            raise SourceError(_other_embedder(source, embedder))
        done = 0
        for _, _, staged in stage.take():
            while batch := list(islice(staged, BATCH)):
                if given := [(passage.id, vector) for passage, vector in batch if vector is not None]:
                    ids, vectors = zip(*given, strict=True)
                    self._store.passages.put_vectors(embedder, ids, np.stack(vectors))
                done += len(batch)
                progress("vectors", done, stage.passages)

    def embed(self, name: str, progress: LoadProgress = _unseen) -> int:
        """Make the vectors that a source still lacks; full text search does not wait for them.

        Returns:
            How many were made; 0 without an embedder.

        Raises:
            SourceError: there is no such source, or the embedder cannot be reached; the vectors made so far are kept.
        """
        source = self._store.sources.get_source(name)
        if self._embedder is None:
            return 0
        if source.embedder not in ("", self._embedder.name):
            raise SourceError(_other_embedder(source, self._embedder.name))
        self._store.passages.settle(source.id, progress=partial(progress, "moving vectors"))
        return backfill(self._store, self._embedder, source.id, progress=partial(progress, "embedding"))


def _other_embedder(source: Source, embedder: str) -> str:
    return (
        f"The vectors of source {source.name!r} were made with {source.embedder}, not with {embedder}. Use that "
        "embedder, or load the source under another name."
    )


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
