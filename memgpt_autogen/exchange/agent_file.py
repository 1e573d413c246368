"""Exports an agent to one readable file, and imports it under any name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..config import AgentConfig, EmbeddingConfig, from_dict, to_dict
from ..errors import ConfigError
from ..messages import utc_now
from ..storage.base import Store
from ..storage.files import in_use
from ..storage.unfinished import writing
from ..tools.import_path import check_stranger
from .file_format import FORMAT, VERSION, AgentData, AgentFile, Brings, read_agent_file


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        name: the agent's name.
        messages, notes: how many.
        missing: sources that it was attached to and that do not exist here; it is attached to the others.
        left_out: what the file asked for and was not given.
    """

    name: str
    messages: int
    notes: int
    missing: Sequence[str]
    left_out: Brings = field(default_factory=Brings)


def export_agent(store: Store, name: str, path: Path) -> None:
    """Write an agent to a file: everything that it remembers, and its configuration without keys.

    Raises:
        AgentNotFound: there is none of that name.
        ConfigError: the file cannot be written.
    """
    row = store.agents.get(name)
    config = to_dict(from_dict(AgentConfig, row.config))
    head = {"format": FORMAT, "version": VERSION, "exported_at": utc_now().isoformat(), "name": row.name}
    text = json.dumps({**head, "config": config, **store.dump(row.id)}, indent=1, ensure_ascii=False)
    if in_use(path):
        raise ConfigError(f"{path} belongs to the database itself. Name another file.")
    with writing(path, store.folder) as part:
        part.write_text(text + "\n", encoding="utf-8")


def import_agent(
    store: Store, file: Path | AgentFile, name: str = "", *, allow_functions: bool = False, keep_model: bool = False
) -> Imported:
    """Import an agent from a file of :func:`export_agent`, or from a chat log of OpenAI messages; all of it or nothing.

    A file is data. What would run code or send words elsewhere is taken only if the caller says so.

    Args:
        store: where it will live.
        file: the path, or the result of :func:`.file_format.read_agent_file`.
        name: the agent's name; empty: the one in the file, or the file's own for a chat log.
        allow_functions: import the functions that it names when the agent is opened.
        keep_model: use its model and embedder, at the addresses that it names.

    Raises:
        NameTaken: there is an agent of that name.
        ConfigError: the file cannot be read or is invalid (the message says where), or names a function that a model
            may not have.
    """
    read = read_agent_file(file, name) if isinstance(file, Path) else file
    config, brings = replace(read.config, name=name or read.config.name), read.brings
    if allow_functions:
        for path in config.tools:
            check_stranger(path)
    else:
        config = replace(config, tools=[])
    if not keep_model:
        config = replace(config, model=None, embedding=EmbeddingConfig())
    left_out = Brings(
        functions=() if allow_functions else brings.functions,
        model="" if keep_model else brings.model,
        embedding="" if keep_model else brings.embedding,
    )
    agent, missing = store.load(config.name, to_dict(config), _plain(read.data))
    return Imported(agent.name, len(read.data.messages), len(read.data.notes), missing, left_out)


def _plain(file: AgentData) -> dict[str, Any]:
    """The data as JSON types, with times in the form of the store."""
    from ..storage.records import stamp

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return stamp(value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    found: dict[str, Any] = plain(file.model_dump())
    return found
