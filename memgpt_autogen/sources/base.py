"""The contract of a loader: it yields documents. Splitting and embedding are not its business."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol


@dataclass(frozen=True)
class Document:
    """One document, or one page or piece of one.

    Attributes:
        text: its words.
        uri: where it is: a path or an address; pages of one document share it and follow each other.
        metadata: whatever tells a reader where to look, such as ``page``.
        vector: if it has one already, it is one passage and is not split.
        key: what tells it from others of the same loader; empty: its ``uri``.
    """

    text: str
    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    vector: Sequence[float] | None = None
    key: str = ""


class Loader(Protocol):
    """Reads documents from somewhere.

    A loader may also have ``entries() -> Iterator[Entry]``, so that what has not changed need not be read; ``unit``,
    what one of its documents is called (``file``); ``notes``, sentences about what it found; ``total``, how many
    documents it will find; ``embedder``, the name of what made the vectors that its documents bring.
    """

    def load(self) -> Iterator[Document]:
        """The documents, one at a time.

        Raises:
            SourceError: nothing can be read; the message says why and what to do.
        """
        ...


@dataclass(frozen=True)
class Entry:
    """One document that is there, before it is read.

    Attributes:
        key: what tells it from the others.
        digest: changes with its content.
        read: its pages or pieces; raises SourceError if it cannot be read.
        required: nothing is loaded if it cannot be read; else it is left out, and what was loaded of it before stays.
    """

    key: str
    digest: str
    read: Callable[[], Iterator[Document]]
    required: bool = True


def entries(loader: Loader) -> Iterator[Entry]:
    """What a loader finds, document by document; two of one name are told apart by a number.

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
