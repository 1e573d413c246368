"""The memory agent inside an AutoGen agent: made, or found again by its name."""

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
from .llm_config import Entry

logger = logging.getLogger(__name__)

#: Settings of a new memory agent that may stand in the constructor or in an ``llm_config`` entry.
SETTINGS = ("preset", "persona", "human")


def open_core(
    name: str,
    entry: Entry,
    given: Mapping[str, str],
    memgpt: MemGPT,
    *,
    model: ChatModel | None,
    tools: Iterable[Tool | Callable[..., Any]],
    persona: str,
) -> Agent:
    """The memory agent of that name; a new one where there is none.

    Args:
        name: of the AutoGen agent; the entry may name another.
        entry: what the ``llm_config`` says.
        given: what the constructor says: preset, persona, human.
        memgpt: where memory agents live.
        model: a model in hand.
        tools: functions that the memory agent runs itself.
        persona: for a new one, where nothing else names one.
    """
    own = entry.options.get("name") or name
    wanted = {key: given.get(key) or entry.options.get(key, "") for key in SETTINGS}
    found = own in memgpt.list_agents()
    config = AgentConfig(own, preset=wanted["preset"], persona=wanted["persona"] or persona, human=wanted["human"])
    core = memgpt.create_agent(
        config,
        model=model,
        entry=entry.explicit,
        hint=entry.hint,
        tools=tools,
    )
    if found:
        tell_ignored(core, wanted)
    _tell_of_another_model(name, entry, core, in_hand=model is not None)
    return core


def tell_ignored(core: Agent, wanted: Mapping[str, str]) -> None:
    """Say which settings an agent that is there already does not take on."""
    ignored = [key for key, value in wanted.items() if value and value != getattr(core.config, key)]
    if ignored:
        logger.warning(
            "The memory agent %s is there already, so %s %s ignored. Give this one another name, or change the memory "
            "of the one there is.",
            core.name,
            " and ".join(ignored),
            "are" if len(ignored) > 1 else "is",
        )


def _tell_of_another_model(name: str, entry: Entry, core: Agent, *, in_hand: bool) -> None:
    """A config that names a model without saying where it is may be answered by one nobody thought of."""
    named = entry.hint.model
    if named and not (in_hand or entry.explicit or named_by("", named)) and core.model.name != named:
        logger.warning(
            "%s: llm_config names %s without an api_key or base_url, so %s answers instead. Give the entry one, or set "
            "OPENAI_API_KEY.",
            name,
            named,
            core.model.name,
        )
