"""Opens the agent of a chat: the named one, one that the user chooses, or a new one; applies the flags to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from ...config import AgentConfig, LLMConfig, from_dict, to_dict
from ...config.host_secrets import HostSecret
from ...config.secrets import store_login
from ...errors import ConfigError
from ...llm.choose import ModelRequest, choose_model
from ...prompts import text_of
from ...prompts.presets import get_preset
from ..console import ask, choose, confirm, interactive, note

if TYPE_CHECKING:
    from ...agent import Agent
    from ...client import MemGPT
    from ...storage.records import Block

DEFAULT_NAME = "sam"
_NEW = " new "  # no agent's name begins with a space


@dataclass(frozen=True)
class Wanted:
    """The flags about the agent.

    Attributes:
        agent: its name; empty: not given.
        texts: ``persona`` and ``human``, if given.
        preset: empty: not given.
        system: the system prompt's text; empty: not given.
        model: fields of :class:`LLMConfig` that were given.
        yes: ask no questions.
        verify: check first that the model answers and that its window is large enough.
    """

    agent: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    preset: str = ""
    system: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    yes: bool = False
    verify: bool = True


def open_agent(memgpt: MemGPT, wanted: Wanted) -> tuple[Agent, bool]:
    """The agent, and whether it is new. Flags for an existing agent are stored in its record.

    Raises:
        ConfigError: an invalid name, preset, persona or model.
        ModelError: its server does not answer; nothing was changed.
        click.UsageError: something must be asked, and there is no terminal.
        click.Abort: Ctrl-C, Ctrl-D, or no.
    """
    if wanted.preset:
        get_preset(wanted.preset)
    known = [row.name for row in memgpt.store.agents.list()]
    name = wanted.agent.strip() or _chosen(known, wanted.yes)
    if name in known:
        return _existing(memgpt, name, wanted), False
    _sure(name, known, wanted.yes)
    default = memgpt.settings.default
    config = AgentConfig(
        name=name,
        preset=wanted.preset or default("preset"),
        persona=wanted.texts.get("persona", "") or default("persona"),
        human=wanted.texts.get("human", "") or default("human"),
        model=_model(memgpt, None, wanted.model),
        system=wanted.system,
    )
    agent = memgpt.create_agent(config)
    try:
        _verify(agent, wanted)
    except BaseException:
        memgpt.store.agents.delete(agent.id)
        raise
    return agent, True


def _verify(agent: Agent, wanted: Wanted) -> None:
    if wanted.verify:
        agent.check_window()


def _chosen(known: list[str], yes: bool) -> str:
    if not known or yes or not interactive():
        return DEFAULT_NAME
    name = choose(
        "Which agent?", {**{name: name for name in reversed(known)}, _NEW: "(a new one)"}, flag="--agent NAME"
    )
    if name != _NEW:
        return name
    free = next(one for number in range(1, len(known) + 2) if (one := _numbered(number)) not in known)
    return ask("Its name:", flag="--agent NAME", default=free, check=lambda text: None if text else "A name is needed.")


def _numbered(number: int) -> str:
    return DEFAULT_NAME if number == 1 else f"{DEFAULT_NAME}{number}"


def _sure(name: str, known: list[str], yes: bool) -> None:
    """Ask before a mistyped name becomes a new agent."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    if not near or yes:
        return
    question = f"There is no agent {name!r}, but {near[0]!r}. Make a new one?"
    if not confirm(question, flag="--yes, or name one there is"):
        raise click.Abort


def _existing(memgpt: MemGPT, name: str, wanted: Wanted) -> Agent:
    row = memgpt.store.agents.get(name)
    saved = from_dict(AgentConfig, row.config)
    changes: dict[str, Any] = dict(wanted.texts)
    changes |= {key: value for key, value in (("preset", wanted.preset), ("system", wanted.system)) if value}
    if wanted.model:
        changes["model"] = _model(memgpt, saved.model, wanted.model)
    blocks = _rewritten(memgpt, row.id, name, wanted)
    memgpt.store.agents.update(row.id, to_dict(replace(saved, **changes)))
    try:
        agent = memgpt.load_agent(name)
        _verify(agent, wanted)
    except BaseException:  # keep the old record if the agent cannot be opened with the new one
        memgpt.store.agents.update(row.id, to_dict(saved))
        raise
    for block, text in blocks:
        memgpt.store.agents.write_block(block.id, text, agent_id=row.id)
    return agent


def _rewritten(memgpt: MemGPT, agent_id: str, name: str, wanted: Wanted) -> list[tuple[Block, str]]:
    """The core memory blocks to change, with their new texts. Asks before replacing what the agent wrote.

    Raises:
        click.Abort: no.
    """
    texts = {
        "persona": wanted.texts.get("persona") and text_of("personas", wanted.texts["persona"], memgpt.settings.home),
        "human": wanted.texts.get("human") and text_of("humans", wanted.texts["human"], memgpt.settings.home),
    }
    found = []
    for block in memgpt.store.agents.blocks(agent_id):
        text = texts.get(block.label)
        if not text or text == block.value:
            continue
        if len(text) > block.limit:
            raise ConfigError(f"This {block.label} has {len(text)} characters; {name}'s block holds {block.limit}.")
        edited = block.version > 1
        if edited and not wanted.yes and not confirm(f"Replace what {name} has written into its block {block.label}?"):
            raise click.Abort
        found.append((block, text))
    return found


def _model(memgpt: MemGPT, saved: LLMConfig | None, given: Mapping[str, Any]) -> LLMConfig | None:
    """The agent's model changed by the flags.

    For another type of server, address and model name are not kept.
    """
    if not given:
        return saved
    given = dict(given)
    if "model_endpoint" in given and "model_endpoint_type" not in given and saved is None:
        given["model_endpoint_type"] = _type_at(given["model_endpoint"])
    kind = given.get("model_endpoint_type")
    if kind is None:
        model = replace(saved or choose_model(memgpt.settings), **given)
    else:
        same = saved is not None and saved.model_endpoint_type == kind
        model = replace(saved, **given) if saved and same else LLMConfig(**given)
    if "model_endpoint" in given and isinstance(model.login, HostSecret) and model.login:
        where = store_login(model.login, memgpt.settings.make_home())  # the agent's record has the address without it
        note(f"What is secret in the address is stored for {model.login.host}: {where}.")
    return model


def _type_at(address: str) -> str:
    from ...llm.detect import is_hosted_openai, probe

    found = None if is_hosted_openai(address) else probe(address)
    return found.type if found else "openai"


def described(memgpt: MemGPT, agent: Agent) -> str:
    """A description of an agent's model, its address and the preset."""
    config = choose_model(memgpt.settings, ModelRequest(saved=agent.config.model))
    where = config.address or "this machine"
    remembered = "its own" if agent.config.model else "as configured"
    return f"{agent.model.name} ({config.model_endpoint_type}, {where}; {remembered}), preset {agent.preset.name}"
