"""The registry of an agent's functions; runs calls."""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..errors import ConfigError, MemGPTError, StoreError, ToolError
from ..events import clean
from ..llm.reply_schema import HEARTBEAT
from ..messages import ToolCall, ToolResult, ToolSchema
from .schema import Signature

logger = logging.getLogger(__name__)

#: JSON Schema keywords by parameter.
Narrowing: TypeAlias = Mapping[str, Mapping[str, Any]]
_HEARTBEAT_SCHEMA = {"type": "boolean"}


@dataclass(frozen=True)
class Tool:
    """One function.

    Attributes:
        signature: its schema; validates arguments.
        function: called with the arguments; its result is shown to the model as text (other types as JSON).
        memory: it changes the agent's memory, so it runs inside the step's transaction.
        heartbeat: the model may request a heartbeat with it.
        again: the agent always runs again after it, because its result is useless unread.
        writes: it writes to memory. After a warning that the window is nearly full, only such functions are offered.
        timed: it is of use only to an agent that timers wake, and offered only to such.
        narrow: current JSON Schema keywords by parameter, such as an enum of names. They guide the model and its
            grammar; validation ignores them.
        prepare: slow work, such as embedding a query, done with the same arguments before the step's transaction.
    """

    signature: Signature
    function: Callable[..., Any]
    memory: bool = False
    heartbeat: bool = True
    again: bool = False
    writes: bool = False
    timed: bool = False
    narrow: Callable[[], Narrowing] | None = None
    prepare: Callable[..., Any] | None = None

    @property
    def takes_heartbeat(self) -> bool:
        """Whether the function itself has a parameter of that name. A model may ask to run again after any function."""
        return HEARTBEAT in self.signature.schema.parameters.get("properties", {})

    @property
    def schema(self) -> ToolSchema:
        """The schema for the model, with ``request_heartbeat`` if it may be requested."""
        return self.narrowed(self.narrow() if self.narrow else {})

    def narrowed(self, keywords: Narrowing) -> ToolSchema:
        """The schema with these JSON Schema keywords by parameter."""
        schema = self.signature.schema
        properties = dict(schema.parameters.get("properties", {}))
        required = list(schema.parameters.get("required", []))
        for parameter, narrower in keywords.items():
            properties[parameter] = {**properties[parameter], **narrower}
        if self.memory:  # what the functions do without an argument is in no need of being told
            properties = {name: _without_default(value) for name, value in properties.items()}
        if self.heartbeat:
            properties[HEARTBEAT] = _HEARTBEAT_SCHEMA
        return replace(schema, parameters={**schema.parameters, "properties": properties, "required": required})


def _not_at_all() -> Narrowing:
    return {}


def _without_default(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "default"}


class ToolRegistry:
    """Functions by name."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        self._schemas: dict[str, tuple[Narrowing, ToolSchema]] = {}
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool | Callable[..., Any]) -> Tool:
        """Add a tool, or a plain Python function as one.

        Raises:
            ConfigError: the name is taken, or the function's signature cannot be offered to a model.
        """
        if not isinstance(tool, Tool):
            if inspect.iscoroutinefunction(tool):
                raise ConfigError(f"{tool.__name__} is async. Wrap it in a function that waits for it.")
            tool = Tool(Signature(tool), tool)
        name = tool.signature.name
        if name in self._tools:
            raise ConfigError(f"This agent has a function named {name} already.")
        self._tools[name] = tool
        return tool

    def remove(self, name: str) -> None:
        """Remove a function, if there is one of that name."""
        self._tools.pop(name, None)
        self._schemas.pop(name, None)

    def get(self, name: str) -> Tool | None:
        """The tool of that name."""
        return self._tools.get(name)

    def names(self) -> list[str]:
        """The names of all functions, in the order in which they were added."""
        return [*self._tools]

    def schemas(self) -> Sequence[ToolSchema]:
        """The schemas for the model, in the order of adding."""
        asked: dict[Callable[[], Narrowing], Narrowing] = {}  # several functions may narrow by the same
        for name, tool in self._tools.items():
            narrow = tool.narrow or _not_at_all
            if narrow not in asked:
                asked[narrow] = narrow()
            if name not in self._schemas or self._schemas[name][0] != asked[narrow]:
                self._schemas[name] = asked[narrow], tool.narrowed(asked[narrow])
        return [self._schemas[name][1] for name in self._tools]

    def run(self, call: ToolCall) -> ToolResult:
        """Run one call. An error becomes a failed result for the model.

        Raises:
            StoreError: the store failed, which the model cannot correct.
        """
        try:
            return ToolResult(call.id, call.name, clean(self._answer(call)))
        except StoreError:
            raise
        except MemGPTError as error:
            return ToolResult(call.id, call.name, clean(str(error)), failed=True)
        except Exception as error:  # a user's function may raise anything; the model is told, the log keeps the trace
            logger.warning("The function %s failed", call.name, exc_info=True)
            return ToolResult(call.id, call.name, clean(f"{type(error).__name__}: {error}"), failed=True)

    def prepare(self, call: ToolCall) -> None:
        """Do the slow part of a call before the transaction. Errors are ignored here: they recur in :meth:`run`."""
        tool = self._tools.get(call.name)
        if tool and tool.prepare and not call.error:
            with contextlib.suppress(MemGPTError):
                tool.prepare(**tool.signature.read({k: v for k, v in call.arguments.items() if k != HEARTBEAT}))

    def _answer(self, call: ToolCall) -> str:
        if call.error:
            raise ToolError(call.error)
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"There is no function {call.name!r}. Functions: {', '.join(self._tools)}.")
        given = {key: value for key, value in call.arguments.items() if key != HEARTBEAT or tool.takes_heartbeat}
        return as_text(tool.function(**tool.signature.read(given)))


def heartbeat_asked(arguments: Mapping[str, Any]) -> bool:
    """Whether a call asks to run again. Weak models write the word instead of the value: "false" is not a request."""
    return str(arguments.get(HEARTBEAT, "")).lower() in ("true", "1", "yes")


def as_text(value: Any) -> str:
    """A function's result as text for the model."""
    if value is None:
        return "Done."
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(value)
