"""Sources, in the contract of a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..records import DocumentRow, Source


class Sources(Protocol):
    """Sources, their documents, and which agent may search which."""

    def create_source(self, name: str) -> Source:
        """Raises: NameTaken."""
        ...

    def get_source(self, name: str) -> Source:
        """Raises: SourceError, naming those there are."""
        ...

    def list_sources(self) -> Sequence[Source]: ...
    def delete_source(self, source_id: str) -> None: ...
    def clear(self, source_id: str) -> None:
        """Delete what a source holds, and keep the source and its attachments."""
        ...

    def documents(self, source_id: str) -> Sequence[DocumentRow]:
        """What a source was loaded from."""
        ...

    def add_document(self, source_id: str, uri: str, digest: str) -> str:
        """The id of a new document of a source."""
        ...

    def stage(self, name: str) -> str:
        """The id of a new hidden source, for documents that are on their way into the source of a name."""
        ...

    def publish(self, name: str, place: str, outdated: Iterable[str]) -> Source:
        """Move all documents of a hidden source into the source of a name, at once; it is made if it is not there.

        Args:
            name: the source's name.
            place: the hidden source, which ends with that.
            outdated: ids of documents of the source that are gone or changed; so are passages without a document.

        Raises:
            StoreError: there is no such hidden source.
        """
        ...

    def left_over(self, name: str) -> Sequence[str]:
        """The ids of the hidden sources of a name: of a load that is at work, or of one that did not end."""
        ...

    def discard_staged(self, name: str) -> None:
        """Delete hidden sources of a name, in transactions between which others may write."""
        ...

    def own_source(self, agent_id: str) -> str:
        """The id of the source that holds what the agent itself inserts. Made at first use."""
        ...

    def attach(self, agent_id: str, source_id: str) -> None: ...
    def detach(self, agent_id: str, source_id: str) -> None: ...
    def attached(self, agent_id: str) -> Sequence[Source]: ...
