"""An agent in one readable file: written, read back under any name, or read from a chat log of the original."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..config import AgentConfig, from_dict, to_dict
from ..errors import ConfigError
from ..events import clean
from ..messages import utc_now
from ..storage.base import Store
from .chat_log import agent_of_log, is_log

FORMAT = "memgpt-autogen agent"
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Version(_Part):
    version: int = Field(ge=1)
    value: str
    step_id: str | None = None
    created_at: datetime


class _Block(_Part):
    label: str = Field(min_length=1)
    limit: int = Field(ge=1)
    value: str
    versions: list[_Version] = Field(min_length=1)


class _Call(_Part):
    name: str
    arguments: dict[str, Any] = {}
    id: str
    error: str | None = None


class _Message(_Part):
    id: str = Field(min_length=1)
    role: Literal["user", "assistant", "tool", "system"]
    kind: str = ""
    author: str | None = None
    content: str
    text: str = ""
    tool_calls: list[_Call] = []
    call_id: str | None = None
    answered: bool = True
    conversation_id: str | None = None
    session_id: str | None = None
    step_id: str | None = None
    answered_step: str | None = None
    images: list[str] = []
    created_at: datetime


class _Summary(_Part):
    text: str
    messages: int = 0
    first_message_id: str
    last_message_id: str | None = None
    at_message_id: str | None = None
    step_id: str | None = None
    created_at: datetime


class _Note(_Part):
    text: str = Field(min_length=1)
    uri: str = ""
    metadata: dict[str, Any] = {}
    step_id: str | None = None
    created_at: datetime


class _Conversation(_Part):
    id: str
    peer: str
    created_at: datetime
    entries: list[str] = []


class _Step(_Part):
    id: str
    outcome: str
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0
    created_at: datetime


class _File(_Part):
    format: Literal["memgpt-autogen agent"]
    version: int
    name: str = Field(min_length=1)
    config: dict[str, Any] = {}
    core_memory: list[_Block] = []
    messages: list[_Message] = []
    summaries: list[_Summary] = []
    notes: list[_Note] = []
    sources: list[str] = []
    conversations: list[_Conversation] = []
    steps: list[_Step] = []


@dataclass(frozen=True)
class Imported:
    """What came in.

    Attributes:
        name: the agent's name.
        messages, notes: how many.
        missing: sources that it was attached to and that are not here; it is attached to the others.
    """

    name: str
    messages: int
    notes: int
    missing: Sequence[str]


def export_agent(store: Store, name: str, path: Path) -> None:
    """Write an agent into a file: all that it remembers, and its configuration without keys.

    Raises:
        AgentNotFound: there is none of that name.
        ConfigError: the file cannot be written.
    """
    row = store.agents.get(name)
    config = to_dict(from_dict(AgentConfig, row.config))
    head = {"format": FORMAT, "version": VERSION, "exported_at": utc_now().isoformat(), "name": row.name}
    text = json.dumps({**head, "config": config, **store.dump(row.id)}, indent=1, ensure_ascii=False)
    beside = path.with_name(path.name + ".part")
    try:
        beside.touch(mode=0o600)
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise ConfigError(
            f"Cannot write {path}: {error.strerror}. Name a file in a folder that you may write to."
        ) from error


def import_agent(store: Store, path: Path, name: str = "") -> Imported:
    """Read an agent from a file of :func:`export_agent`, or from a chat log of OpenAI messages; all of it or nothing.

    Args:
        store: where it is to live.
        path: the file.
        name: the agent's name; empty: the one in the file, or the file's own for a chat log.

    Raises:
        NameTaken: there is an agent of that name.
        ConfigError: the file cannot be read, or something in it is wrong; the message says what, and where.
    """
    data = _json(path)
    if is_log(data):
        data = {"format": FORMAT, "version": VERSION, **agent_of_log(data, name or path.stem, str(path))}
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ConfigError(
            f"{path} is neither an exported agent nor a chat log. An agent's file begins with "
            f'{{"format": "{FORMAT}"; a chat log is a JSON list of messages with role and content.'
        )
    if isinstance(data.get("version"), int) and data["version"] > VERSION:
        raise ConfigError(
            f"{path} was written by a newer version of memgpt-autogen (format {data['version']}, this one knows "
            f"{VERSION}). Upgrade the package."
        )
    try:
        file = _File.model_validate(clean(data))
    except ValidationError as error:
        raise ConfigError(f"{path} is damaged. {_where(error)} Nothing was imported.") from None
    _check(file, path)
    config = from_dict(AgentConfig, {**file.config, "name": name or file.name})
    agent, missing = store.load(config.name, to_dict(config), _plain(file))
    return Imported(agent.name, len(file.messages), len(file.notes), missing)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}. Nothing was imported."
        ) from error
    except ValueError as error:
        at = f", line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else f": {error}"
        raise ConfigError(f"{path}{at}. It is no exported agent, or cut or damaged; nothing was imported.") from error


def _where(error: ValidationError) -> str:
    first, *more = error.errors(include_url=False, include_input=False)
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    rest = f" And {len(more)} more." if more else ""
    return f"{place}: {first['msg']}.{rest}"


def _check(file: _File, path: Path) -> None:
    """See that what names another part of the file finds it."""
    messages = [message.id for message in file.messages]
    if len(set(messages)) < len(messages):
        twice = next(one for one in messages if messages.count(one) > 1)
        raise ConfigError(f"{path} is damaged. messages: two have the id {twice}. Nothing was imported.")
    for index, summary in enumerate(file.summaries):
        if summary.last_message_id and summary.last_message_id not in messages:
            raise ConfigError(
                f"{path} is damaged. summaries[{index}].last_message_id: no message has the id "
                f"{summary.last_message_id}. Nothing was imported."
            )


def _plain(file: _File) -> dict[str, Any]:
    """The parts as JSON types, with times as they are stored."""
    from ..storage.database import stamp

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return stamp(value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    found: dict[str, Any] = plain(file.model_dump())
    return found
