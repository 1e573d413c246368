"""The protocol of a loader: it yields documents. Splitting and embedding happen elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol


@dataclass(frozen=True)
class Document:
    """One document, or a page or piece of one.

    Attributes:
        text: its text.
        uri: a path or URL; pages of a document share it and are consecutive.
        metadata: further location for readers, such as ``page``.
        vector: if given, the document is one passage and is not split.
        key: unique among the loader's documents; empty: the ``uri``.
    """

    text: str
    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    vector: Sequence[float] | None = None
    key: str = ""


class Loader(Protocol):
    """Reads documents from somewhere.

    Optional members: ``entries() -> Iterator[Entry]``, so that unchanged documents are not read; ``unit``, the name of
    one document (``file``); ``notes``, remarks for the user; ``total``, the number of documents; ``embedder``, the name
    of the embedder of the documents' vectors.
    """

    def load(self) -> Iterator[Document]:
        """The documents, one at a time.

        Raises:
            SourceError: nothing can be read; the message says why and what to do.
        """
        ...


@dataclass(frozen=True)
class Entry:
    """A document that was found but not read yet.

    Attributes:
        key: unique among the entries.
        digest: changes with its content.
        read: yields its pages or pieces; raises SourceError if it cannot be read.
        required: if it cannot be read, loading fails; else it is skipped, and its earlier passages stay.
    """

    key: str
    digest: str
    read: Callable[[], Iterator[Document]]
    required: bool = True


def entries(loader: Loader) -> Iterator[Entry]:
    """The documents of a loader, with a number added to duplicate keys.

    Raises:
        SourceError: as the loader says.
    """
    listed: Callable[[], Iterator[Entry]] | None = getattr(loader, "entries", None)
    seen: dict[str, int] = {}
    for entry in listed() if listed else _grouped(loader):
        seen[entry.key] = times = seen.get(entry.key, 0) + 1
        yield entry if times == 1 else replace(entry, key=f"{entry.key} ({times})")


def _grouped(loader: Loader) -> Iterator[Entry]:
    for key, group in groupby(loader.load(), lambda document: document.key or document.uri):
        pages = list(group)
        digest = hashlib.sha256()
        for page in pages:
            digest.update(json.dumps([page.text, page.uri, dict(page.metadata)], default=str, sort_keys=True).encode())
            digest.update(repr([float(value) for value in page.vector] if page.vector is not None else None).encode())
        yield Entry(key, digest.hexdigest(), pages.__iter__)
