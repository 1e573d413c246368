"""The contract of a loader: it yields documents. Splitting and embedding are not its business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Document:
    """One document, or one page of one.

    Attributes:
        text: its words.
        uri: where it is: a path or an address.
        metadata: whatever tells a reader where to look, such as ``page``.
    """

    text: str
    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Loader(Protocol):
    """Reads documents from somewhere."""

    def load(self) -> Iterator[Document]:
        """The documents, one at a time.

        Raises:
            SourceError: nothing can be read; the message says why and what to do.
        """
        ...
