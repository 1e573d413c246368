"""Commands of a chat about the agent itself: its model, prompt and functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .console import confirm

if TYPE_CHECKING:
    from .session import Session


def save(session: Session, _: str) -> None:
    """``/save``."""
    session.view.tell(f"{session.agent.name} is saved: every step is, as soon as it is done.")


def model(session: Session, _: str) -> None:
    """``/model``."""
    from .opening import described

    agent = session.agent
    session.view.tell(described(session.memgpt, agent))
    session.view.tell(f"Change it with: memgpt run --agent {agent.name} --model NAME (it is remembered)", "dim")


def system(session: Session, given: str) -> None:
    """``/system [FILE]``."""
    if not given:
        session.view.tell(session.agent.system)
        return
    session.agent.set_system(text_in(Path(given).expanduser()))
    session.view.tell("The system prompt is set, and remembered for this agent.")


def export(session: Session, given: str) -> None:
    """``/export FILE``."""
    from ..exchange import export_agent

    path = Path(given).expanduser()
    if path.exists() and not confirm(f"Write over {path}?", flag="another name, or a terminal"):
        return
    export_agent(session.agent.store, session.agent.name, path)
    session.view.tell(f"Written: {path}")


def text_in(path: Path) -> str:
    """The text in a file.

    Raises:
        ConfigError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error


def add_function(session: Session, given: str) -> None:
    """``/add_function package.module:name``."""
    tool = session.agent.add_function(given)
    parameters = ", ".join(tool.signature.schema.parameters.get("properties", {}))
    session.view.tell(f"{session.agent.name} can call {tool.signature.name}({parameters}) from now on.")
    if session.agent.preset.rules.first:
        session.view.tell(
            f"But the preset {session.agent.preset.name} holds the model to a few functions of its own. Choose another "
            f"with: memgpt run --agent {session.agent.name} --preset NAME",
            "yellow",
        )


def remove_function(session: Session, given: str) -> None:
    """``/remove_function NAME``."""
    session.agent.remove_function(given)
    session.view.tell(f"{session.agent.name} can call {given} no longer.")


def added(session: Session) -> Sequence[str]:
    """The import paths of the functions that were added."""
    return session.agent.config.tools
