"""Commands about the agent itself: its model, prompt, functions and file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..agent import Agent
from ..errors import ConfigError
from ..exchange import export_agent
from ..text_encoding import decoded


def save(agent: Agent, _: str) -> str:
    """``/save``."""
    return f"{agent.name} is saved: every step is, as soon as it is done."


def model(agent: Agent, _: str) -> str:
    """``/model``."""
    return f"{agent.model.name}, a window of {agent.model.context_window} tokens, preset {agent.preset.name}."


def system(agent: Agent, given: str) -> str:
    """``/system [FILE]``."""
    if not given:
        return agent.system
    agent.set_system(text_in(Path(given).expanduser()))
    return "The system prompt is set, and remembered for this agent."


def text_in(path: Path) -> str:
    """The text in a file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return decoded(path.read_bytes()).strip()
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}. Name a text file that you may read.") from error


def add_function(agent: Agent, given: str) -> str:
    """``/add_function package.module:name``."""
    tool = agent.add_function(given)
    parameters = ", ".join(tool.signature.schema.parameters.get("properties", {}))
    told = f"{agent.name} can call {tool.signature.name}({parameters}) from now on."
    if agent.preset.rules.first:
        told += (
            f"\nBut the preset {agent.preset.name} holds the model to a few functions of its own. Choose another with: "
            f"memgpt run --agent {agent.name} --preset NAME"
        )
    return told


def remove_function(agent: Agent, given: str) -> str:
    """``/remove_function NAME``."""
    agent.remove_function(given)
    return f"{agent.name} can call {given} no longer."


def added(agent: Agent) -> Sequence[str]:
    """The import paths of the added functions."""
    return agent.config.tools


def export(agent: Agent, given: str, *, over: bool = False) -> str:
    """``/export FILE``; ``over``: overwrite an existing file.

    Raises:
        ConfigError: the file exists, or cannot be written.
    """
    path = Path(given).expanduser()
    if path.exists() and not over:
        raise ConfigError(f"{path} is there already. Name another file.")
    export_agent(agent.store, agent.name, path)
    return f"Written: {path}"
