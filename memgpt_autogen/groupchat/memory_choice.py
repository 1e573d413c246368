"""Which memory an AutoGen agent has, and the warning where two agents have the same one by accident."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from weakref import ref

from ..agent import Agent
from ..client import MemGPT
from ..errors import ConfigError
from ..storage.engines import IN_MEMORY, engine_of

logger = logging.getLogger(__name__)

#: The memory of an agent that keeps nothing.
FRESH = "fresh"


@dataclass(frozen=True)
class MemoryChoice:
    """Which memory an AutoGen agent has.

    Attributes:
        memory: ``"fresh"``: an empty one that is gone with the agent; any other text: the name of a memory agent;
            empty: the one with the agent's name.
        user_id: a user of a service, who has a memory of their own under that name; None: there is one for all.

    Raises:
        ConfigError: the user id is empty, as where a service has failed to say whom it serves.
    """

    memory: str = ""
    user_id: object = None

    def __post_init__(self) -> None:
        if self.user_id is not None and not str(self.user_id).strip():
            raise ConfigError("user_id is empty. Pass the user's id, or leave user_id out for one memory for all.")

    @property
    def fresh(self) -> bool:
        """Whether nothing is kept."""
        return self.memory == FRESH

    @property
    def on_purpose(self) -> bool:
        """Whether it was said whose memory it is."""
        return bool(self.memory) or self.user_id is not None

    def name_for(self, agent: str) -> str:
        """The name of the memory agent.

        Args:
            agent: the AutoGen agent's name, or the one that its config entry has for the memory agent.
        """
        name = agent if self.fresh else self.memory or agent
        return name if self.user_id is None else f"{name} (user {quote(str(self.user_id), safe='')})"

    def home(self, home: MemGPT) -> MemGPT:
        """The client whose store holds the memory agent, given the usual one."""
        return MemGPT(home.settings, store=engine_of(IN_MEMORY).open(IN_MEMORY)) if self.fresh else home


_guard = threading.Lock()
_openers: dict[str, ref[Any]] = {}  # memory agent's id to the AutoGen agent that opened it first
_warned: set[str] = set()


def warn_shared(owner: Any, core: Agent, choice: MemoryChoice) -> None:
    """Warn, once for each memory, that a second AutoGen agent of this process has opened it without being told to.

    Args:
        owner: the AutoGen agent.
        core: the memory agent that it has opened.
        choice: what was said of its memory.
    """
    with _guard:
        first = _openers.setdefault(core.id, ref(owner))
        if first() is owner or choice.on_purpose or core.id in _warned:
            return
        _warned.add(core.id)
    logger.warning(
        "Two agents of this process, named %s, have one memory: what one is told, the other knows. If they serve "
        "different users, pass user_id=...; if nothing is to be kept, memory='fresh'; else give them different names. "
        "If they are meant to share it, pass memory=%r.",
        owner.name,
        core.name,
    )
