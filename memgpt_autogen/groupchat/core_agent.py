"""Opens the memory agent inside an AutoGen agent: loads it by its name, or creates it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..agent import Agent
from ..client import MemGPT
from ..config import AgentConfig
from ..llm.base import ChatModel
from ..llm.wrappers import named_by
from ..tools.registry import Tool
from .llm_config import LLMConfigEntry
from .memory_choice import MemoryChoice

logger = logging.getLogger(__name__)

#: Settings of a new memory agent, given to the constructor or in an ``llm_config`` entry.
SETTINGS = ("preset", "persona", "human")


def open_core(
    name: str,
    entry: LLMConfigEntry,
    given: Mapping[str, str],
    memgpt: MemGPT,
    *,
    model: ChatModel | None,
    tools: Iterable[Tool | Callable[..., Any]],
    persona: str,
    memory: MemoryChoice,
) -> Agent:
    """The memory agent of that name, or a new one.

    Args:
        name: of the AutoGen agent; the entry may name another.
        entry: what the ``llm_config`` says.
        given: what the constructor says: preset, persona, human.
        memgpt: the client whose store holds it.
        model: the model to use; None: as the entry and the saved agent say.
        tools: functions that the memory agent runs itself.
        persona: the default persona of a new one.
        memory: which memory it has.
    """
    own = memory.name_for(entry.options.get("name") or name)
    wanted = {key: given.get(key) or entry.options.get(key, "") for key in SETTINGS}
    found = own in memgpt.list_agents()
    config = AgentConfig(
        own,
        preset=wanted["preset"],
        persona=wanted["persona"] or persona,
        human=wanted["human"],
        clock=not memory.fresh,  # so that a cache finds the prompts of an earlier run
    )
    core = memgpt.create_agent(
        config,
        model=model,
        entry=entry.explicit,
        hint=entry.hint,
        tools=tools,
    )
    if found:
        warn_ignored(core, wanted)
    _warn_other_model(name, entry, core, in_hand=model is not None)
    return core


def warn_ignored(core: Agent, wanted: Mapping[str, str]) -> None:
    """Warn about settings that an existing agent does not adopt."""
    ignored = [key for key, value in wanted.items() if value and value != getattr(core.config, key)]
    if ignored:
        logger.warning(
            "The memory agent %s exists already, so %s %s ignored. Use another name, or change the memory of the "
            "existing agent.",
            core.name,
            " and ".join(ignored),
            "are" if len(ignored) > 1 else "is",
        )


def _warn_other_model(name: str, entry: LLMConfigEntry, core: Agent, *, in_hand: bool) -> None:
    """Warn if another model answers than the one that the config names without an endpoint."""
    named = entry.hint.model
    if named and not (in_hand or entry.explicit or named_by("", named)) and core.model.name != named:
        logger.warning(
            "%s: llm_config names %s without an api_key or base_url, so %s answers instead. Give the entry one, or set "
            "OPENAI_API_KEY.",
            name,
            named,
            core.model.name,
        )
