"""The methods of the original integration: save, load, attach and load_and_attach."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..client import MemGPT
from ..compat import open_client
from ..errors import SourceError

if TYPE_CHECKING:
    from ..agent import Agent
    from ..library import Loaded

logger = logging.getLogger(__name__)


class LegacyMethods:
    """``save``, ``load``, ``attach`` and ``load_and_attach`` for an agent with a ``core``."""

    __slots__ = ()  # keeps the instance layout of the other base class, so that an object may be swapped in for one
    name: str
    _core: Agent | None
    _memgpt: MemGPT | None

    if TYPE_CHECKING:

        @property
        def core(self) -> Agent: ...

        def hear_all(self) -> None: ...

    @property
    def home(self) -> MemGPT:
        """The client whose store holds the memory agent and its documents."""
        if self._memgpt is None:
            self._memgpt = open_client() if self._core is None else MemGPT(store=self._core.store)  # type: ignore[misc]
        return self._memgpt

    def save(self) -> None:
        """Store the unread messages of every chat. All else is saved after each step anyway.

        Raises:
            ConfigError: this is a plain agent, or the configuration is invalid.
            AgentBusy: the agent is running a turn in another process or thread.
        """
        core = self.core
        self.hear_all()
        logger.info("%s: everything is saved, as it was after each step (agent %s).", self.name, core.name)

    def load(self, name: str, type: str, **kwargs: Any) -> Loaded:
        """Load documents into a source; see :meth:`memgpt_autogen.library.Library.load`.

        Args:
            name: the source's; an existing one is updated.
            type: of the loader: a key of :data:`memgpt_autogen.sources.LOADERS`.
            **kwargs: the loader's own, such as ``input_dir``.

        Raises:
            ConfigError: an unknown loader or argument.
            NameTaken: the source of that name holds other documents; pass ``replace=True``.
            SourceError: nothing could be read.
        """
        return self.home.library.load(name, type.replace("_", "-"), **_without_user(kwargs))

    def attach(self, data_source: str) -> None:
        """Let the agent search a source.

        Raises:
            SourceError: there is no source of that name.
        """
        self.core.attach(data_source)

    def load_and_attach(self, name: str, type: str, force: bool = False, **kwargs: Any) -> None:
        """Load documents into a source, or update the existing source of that name, and attach it.

        An unchanged source takes no longer than a look at its files. An existing source that cannot be updated, because
        its files are gone, is attached unchanged with a warning.

        Args:
            name: the source's.
            type: of the loader.
            force: replace a source that holds other documents.
            **kwargs: the loader's. Without any, an existing source is attached unchanged.

        Raises:
            ConfigError: an unknown loader or argument.
            NameTaken: the source of that name holds other documents, and ``force`` is not set.
            SourceError: nothing could be read, and there is no source of that name.
        """
        known = any(source.name == name for source in self.home.list_sources())
        if _without_user(kwargs) or not known:
            try:
                self.load(name, type, **{"replace": force, **kwargs})
            except SourceError as error:
                if force or not known:
                    raise
                logger.warning("The source %s is attached unchanged. It could not be updated: %s", name, error)
        self.attach(name)


def _without_user(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key != "user_id"}
