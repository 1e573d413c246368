"""The contract of an engine: what is done with a store by its address."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..records import AgentOverview, Health, Repaired
from .store import Store

if TYPE_CHECKING:
    from ..sql.database import Database


class Engine(Protocol):
    """One kind of store: what is done with it by its address. A row of :data:`memgpt_autogen.storage.engines.ENGINES`.

    Every method raises StoreError where the store cannot be reached, is damaged, or is of a newer version.
    """

    def open(
        self, address: str, *, user_id: str = "local", read_only: bool = False, vectors: str | None = None
    ) -> Store:
        """Open a store; unless ``read_only`` it is made if it is not there.

        Args:
            address: as of :func:`memgpt_autogen.storage.engines.engine_of`.
            user_id: whose agents and sources these are.
            read_only: refuse to write.
            vectors: the address of an index that keeps the vectors of passages; None: the store itself.
        """
        ...

    def exists(self, address: str) -> bool:
        """Whether there is a store."""
        ...

    def agents(self, address: str, user_id: str = "local") -> Sequence[AgentOverview]:
        """Every agent, oldest first, by few queries and without loading what searches need."""
        ...

    def check(self, address: str) -> Health:
        """Check whether the store is intact. Changes nothing."""
        ...

    def repair(self, address: str) -> Repaired:
        """Save what can be read into a new store in the place of the damaged one, which is kept."""
        ...

    def backup(self, address: str, target: Path) -> None:
        """Copy the store into one file, as of one moment, while others write.

        Raises:
            ConfigError: the file cannot be written.
        """
        ...

    def every_row(self, address: str, *, read_only: bool = False) -> AbstractContextManager[Database]:
        """The rows of all users, to be moved to another store or from there.

        Raises:
            ConfigError: this kind of store cannot be moved.
        """
        ...
