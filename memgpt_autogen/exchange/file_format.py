"""The format of an agent's file: its schema, reading it, and what it asks for. Nothing in it is run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..config import AgentConfig, EmbeddingConfig, from_dict
from ..config.host_secrets import account_of
from ..errors import ConfigError
from ..events import clean
from ..printable import one_line
from ..prompts.presets import DEFAULT, get_preset
from ..storage.files import in_use
from .chat_log import agent_from_log, is_chat_log

FORMAT = "memgpt-autogen agent"
VERSION = 1
#: Bytes of a file, and how deep its values may be nested.
MOST, DEEPEST = 512 * 1024 * 1024, 64
#: Model calls in one turn that a file may ask for.
MOST_STEPS = 100


def _name(text: str) -> str:
    if one_line(text) != text or not text.strip():
        raise ValueError("a name is one line of characters that can be shown")
    return text


def _time(time: datetime) -> datetime:
    try:
        time.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("not a valid time") from None
    return time


def _picture(address: str) -> str:
    if not address.startswith(("data:image/", "https://", "http://")):
        raise ValueError("a picture is a data:image/... or an http address")
    return address


_Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_name)]
_Time = Annotated[datetime, AfterValidator(_time)]
_Picture = Annotated[str, AfterValidator(_picture)]
_Number = Annotated[int, Field(ge=0, le=2**53)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Version(_Part):
    version: _Number = Field(ge=1)
    value: str
    step_id: str | None = None
    created_at: _Time


class _Block(_Part):
    label: _Name
    limit: _Number = Field(ge=1)
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
    kind: str = Field("", pattern="^[a-z_]{0,40}$")
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
    images: list[_Picture] = []
    created_at: _Time


class _Summary(_Part):
    text: str
    messages: _Number = 0
    first_message_id: str
    last_message_id: str | None = None
    at_message_id: str | None = None
    step_id: str | None = None
    created_at: _Time


class _Note(_Part):
    text: str = Field(min_length=1)
    uri: str = ""
    metadata: dict[str, Any] = {}
    step_id: str | None = None
    created_at: _Time


class _Conversation(_Part):
    id: str
    peer: str
    created_at: _Time
    entries: list[str] = []


class _Step(_Part):
    id: str
    outcome: str
    model: str = ""
    prompt_tokens: _Number = 0
    completion_tokens: _Number = 0
    cached_tokens: _Number = 0
    cost: float = Field(0.0, allow_inf_nan=False)
    created_at: _Time


class AgentData(_Part):
    """The content of an agent's file, checked for type and size."""

    format: Literal["memgpt-autogen agent"]
    version: int
    name: _Name
    config: dict[str, Any] = {}
    core_memory: list[_Block] = []
    messages: list[_Message] = []
    summaries: list[_Summary] = []
    notes: list[_Note] = []
    sources: list[_Name] = []
    conversations: list[_Conversation] = []
    steps: list[_Step] = []


@dataclass(frozen=True)
class Brings:
    """What a file asks for that acts when the agent is opened, or that reaches beyond it.

    Attributes:
        functions: import paths of Python functions that the model may call; importing one runs its module.
        model, embedding: the servers that would see all messages and all searched texts; empty: none.
        hosts: the hosts of these servers and of the pictures in messages.
        sources: names of sources that it would search; those that exist here are attached.
        system: it has a system prompt of its own.
    """

    functions: Sequence[str] = ()
    model: str = ""
    embedding: str = ""
    hosts: Sequence[str] = ()
    sources: Sequence[str] = ()
    system: bool = False


@dataclass(frozen=True)
class AgentFile:
    """An agent's file that was read and is valid.

    Attributes:
        path: where it is.
        config: the agent's configuration, with its name.
        data: everything else.
    """

    path: Path
    config: AgentConfig
    data: AgentData

    @property
    def brings(self) -> Brings:
        """What the user should agree to."""
        config, model = self.config, self.config.model
        embedding = config.embedding if config.embedding != EmbeddingConfig() else None
        addresses = [address for message in self.data.messages for address in message.images]
        addresses += [model.address] if model else []
        addresses += [embedding.endpoint] if embedding else []
        told = f"{model.model or 'a model'} ({model.model_endpoint_type}) at {_at(model.address)}" if model else ""
        searched = f"{embedding.model or embedding.kind} at {_at(embedding.endpoint)}" if embedding else ""
        hosts = {account_of(one).removeprefix("http://") for one in addresses if one and not one.startswith("data:")}
        return Brings(config.tools, told, searched, sorted(hosts), self.data.sources, bool(config.system))


def _at(address: str) -> str:
    return address or "this machine"


def read_agent_file(path: Path, name: str = "") -> AgentFile:
    """Read a file of :func:`.agent_file.export_agent`, or a chat log of OpenAI messages. Nothing in it is run.

    Args:
        path: the file.
        name: the agent's name; empty: the one in the file, or the file's own for a chat log.

    Raises:
        ConfigError: the file cannot be read or is invalid; the message says where.
    """
    data = _json(path)
    _check_depth(data, path)
    if is_chat_log(data):
        data = {"format": FORMAT, "version": VERSION, **agent_from_log(data, name or path.stem, str(path))}
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ConfigError(
            f"{path} is neither an exported agent nor a chat log. An agent's file begins with "
            f'{{"format": "{FORMAT}"; a chat log is a JSON list of messages with role and content.'
        )
    if isinstance(data.get("version"), int) and data["version"] > VERSION:
        raise ConfigError(
            f"{path} was written by a newer version of memgpt-autogen (its format is not {VERSION}). "
            f"Upgrade the package."
        )
    try:
        file = AgentData.model_validate(clean(data))
    except ValidationError as error:
        raise ConfigError(f"{path} is damaged. {_where(error)} Nothing was imported.") from None
    _check(file, path)
    config = from_dict(AgentConfig, {**file.config, "name": name or file.name})
    if config.max_steps > MOST_STEPS:
        raise ConfigError(f"{path}: max_steps is {config.max_steps}, and at most {MOST_STEPS} from a file.")
    get_preset(config.preset or DEFAULT).rules.changed(
        config.rules
    )  # what cannot be is told now, not at the first chat
    return AgentFile(path, config, file)


def _json(path: Path) -> Any:
    if in_use(path):
        raise ConfigError(f"{path} belongs to the database itself. Name a file that was exported.")
    try:
        with path.open("rb") as opened:
            data = opened.read(MOST + 1)
        text = data[:MOST].decode("utf-8-sig")
        read: Any = json.loads(text) if len(data) <= MOST else None
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except RecursionError:
        raise _too_deep(path) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}. Nothing was imported."
        ) from error
    except ValueError as error:
        at = f", line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else f": {error}"
        raise ConfigError(
            f"{path}{at}. It is cut or damaged, or not an exported agent. Nothing was imported."
        ) from error
    if len(data) > MOST:
        raise ConfigError(f"{path} is larger than {MOST >> 20} MB. Nothing was imported.")
    return read


def _where(error: ValidationError) -> str:
    first, *more = error.errors(include_url=False, include_input=False)
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    rest = f" And {len(more)} more." if more else ""
    return f"{place[:200]}: {first['msg'].removeprefix('Value error, ')}.{rest}"


def _check(file: AgentData, path: Path) -> None:
    """Check that references within the file point to something in it."""
    ids = {
        "messages": [message.id for message in file.messages],
        "conversations": [chat.id for chat in file.conversations],
        "steps": [step.id for step in file.steps],
    }
    for what, named in ids.items():
        twice, times = next(iter(Counter(named).most_common(1)), ("", 0))
        if times > 1:
            raise ConfigError(f"{path} is damaged. {what}: two have the id {twice[:100]}. Nothing was imported.")
    there = set(ids["messages"])
    for index, summary in enumerate(file.summaries):
        if summary.last_message_id and summary.last_message_id not in there:
            raise ConfigError(
                f"{path} is damaged. summaries[{index}].last_message_id: no message has the id "
                f"{summary.last_message_id}. Nothing was imported."
            )


def _check_depth(data: Any, path: Path) -> None:
    """Refuse nesting that would exceed the recursion limit."""
    level = [data]
    for _ in range(DEEPEST):
        values = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list)))
        level = [inner for one in values for inner in one if isinstance(inner, (dict, list))]
        if not level:
            return
    raise _too_deep(path)


def _too_deep(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} is nested deeper than {DEEPEST} levels, so it is not an exported agent. Nothing was imported."
    )
