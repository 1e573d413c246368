"""What an agent is, and what can be done to it without asking its model: attach, take back, reword, reconfigure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from .. import events
from ..config import AgentConfig, to_dict
from ..embeddings.base import Embedder
from ..errors import ConfigError, UndoRefused
from ..library.attachments import attach, detach
from ..llm.base import ChatModel
from ..memory.archival import ArchivalMemory
from ..memory.context import Context
from ..memory.core import CoreMemory
from ..memory.recall import RecallMemory
from ..memory.window import WindowPolicy
from ..messages import SEND_MESSAGE, Message, ToolSchema, utc_now
from ..observers import Observer, Sight
from ..prompts.presets import Preset
from ..storage.base import Store
from ..storage.shapes import AgentRow, Undone
from ..tools.import_path import function_at
from ..tools.memory_tools import memory_tools
from ..tools.registry import Tool, ToolRegistry
from .intake import Intake, warned_before
from .results import TurnState

#: How far back the last reply is looked for: a turn of many calls and results.
BACK = 100


class AgentBase:
    """An agent as it stands in the store. See :class:`memgpt_autogen.agent.Agent` for the arguments."""

    def __init__(
        self,
        store: Store,
        row: AgentRow,
        config: AgentConfig,
        model: ChatModel,
        preset: Preset,
        system: str,
        *,
        embedder: Embedder | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        policy: WindowPolicy | None = None,
    ) -> None:
        self.store, self.id, self.name = store, row.id, row.name
        self.config, self.model, self.preset = config, model, preset
        self.observers: list[Observer] = []
        self.core = CoreMemory(store, row.id)
        self.recall = RecallMemory(store, row.id, preset.page_size, embedder)
        self.archival = ArchivalMemory(store, row.id, embedder, preset.page_size)
        own = memory_tools(self.core, self.recall, self.archival, self._pause, preset.message)
        self.tools = ToolRegistry(own[name] for name in preset.functions)
        for tool in tools:
            self.tools.add(tool)
        self._context = Context(store, row.id, preset, self.core, system, policy or WindowPolicy())
        self._intake = Intake(store, row.id, self._context, preset)
        self._warned = warned_before(store.log.window(row.id))

    # -- taking back and rewording --------------------------------------------------------------------------------

    def undo(self, turns: int = 1, *, keep_incoming: bool = False) -> Undone:
        """Take the last turns back, with all that they wrote to memory, or nothing of it.

        A turn is what came in (a message, a timer) and all that the agent did about it. What functions did outside of
        the agent's memory stays done.

        Args:
            turns: how many, at least 1; where there are fewer, all there are.
            keep_incoming: leave what came in at the start of the first of them, unanswered.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since. Nothing was changed.
            AgentBusy: the agent is in the middle of a turn elsewhere.
        """
        if turns < 1:
            raise UndoRefused(f"At least 1 turn can be taken back, not {turns}.")
        with self.store.lock(self.id):
            undone = self.store.undo(self.id, turns, keep_incoming=keep_incoming)
            self._warned = warned_before(self.store.log.window(self.id))
        return undone

    def rethink(self, text: str) -> str:
        """Put other inner thoughts in the place of the last ones; those that stood there.

        Raises:
            UndoRefused: the agent has not replied yet.
        """
        with self.store.lock(self.id):
            last = self._last_reply(lambda _: True)
            self.store.log.replace(last, replace(last, content=events.clean(text)))
        return last.content

    def rewrite(self, text: str) -> str:
        """Put other words in the place of what the agent said last; those that stood there.

        Raises:
            UndoRefused: the agent has said nothing yet.
        """
        text = events.clean(text)
        with self.store.lock(self.id):
            last = self._last_reply(lambda reply: any(call.name == SEND_MESSAGE for call in reply.tool_calls))
            *_, spoken = (call for call in last.tool_calls if call.name == SEND_MESSAGE)
            before = str(spoken.arguments.get("message", ""))
            calls = tuple(
                replace(call, arguments={**call.arguments, "message": text}) if call is spoken else call
                for call in last.tool_calls
            )
            said = "\n".join(str(call.arguments.get("message", "")) for call in calls if call.name == SEND_MESSAGE)
            self.store.log.replace(last, replace(last, tool_calls=calls, text=said))
        return before

    def _last_reply(self, wanted: Callable[[Message], bool]) -> Message:
        for message in reversed(self.store.log.tail(self.id, BACK)):
            if message.role == "assistant" and wanted(message):
                return message
        raise UndoRefused(f"{self.name} has said nothing yet that could be changed.")

    def wipe(self) -> list[str]:
        """Forget every message and note, and give core memory its first texts; attached sources stay.

        Returns:
            Labels of blocks that other agents share: those are left as they are.
        """
        with self.store.lock(self.id):
            left = self.store.wipe(self.id)
            self._warned = False
        return list(left)

    # -- its record -----------------------------------------------------------------------------------------------

    def remember(self, **changes: Any) -> None:
        """Change the agent's record: fields of its :class:`AgentConfig`."""
        config = replace(self.config, **changes)
        self.store.agents.update(self.id, to_dict(config))
        self.config = config

    @property
    def system(self) -> str:
        """The system prompt's text."""
        return self._context.system

    def set_system(self, text: str) -> None:
        """Give the agent a system prompt of its own, and remember it.

        Raises:
            ConfigError: it is empty, or leaves no room in the model's window; nothing was changed.
            ModelError: the model's server cannot be asked.
        """
        if not text.strip():
            raise ConfigError("The system prompt is empty. Without one the agent does not know its functions.")
        before, self._context.system = self._context.system, text
        try:
            self.check_window()
        except BaseException:
            self._context.system = before
            raise
        self.remember(system=text)

    def add_function(self, path: str) -> Tool:
        """Give the agent a function by its import path, ``package.module:function``, and remember it.

        Raises:
            ConfigError: nothing can be imported from there, the name is taken, or no model can be told of its
                parameters.
        """
        tool = self.tools.add(function_at(path))
        self.remember(tools=[*self.config.tools, path.strip()])
        return tool

    def remove_function(self, name: str) -> None:
        """Take a function away that was added by its import path.

        Args:
            name: the function's name, or its import path.

        Raises:
            ConfigError: there is no such function.
        """
        added = {path: path.rpartition(":")[2].rpartition(".")[2] for path in self.config.tools}
        gone = [path for path, short in added.items() if name in (path, short)]
        if not gone:
            known = ", ".join(added.values()) or "none"
            raise ConfigError(f"No function {name!r} was added to {self.name}. Added functions: {known}.")
        for path in gone:
            self.tools.remove(added[path])
        self.remember(tools=[path for path in self.config.tools if path not in gone])

    # -- small things ---------------------------------------------------------------------------------------------

    def attach(self, source: str) -> None:
        """Let this agent search a source; it is told so.

        Raises:
            SourceError: there is no such source.
        """
        attach(self.store, self.id, source)

    def detach(self, source: str) -> None:
        """Let this agent search a source no more. The source stays.

        Raises:
            SourceError: it is not attached.
        """
        detach(self.store, self.id, source)

    def check_window(self) -> None:
        """See that the model's window holds what this agent always shows it. Asks the model's server.

        Raises:
            ConfigError: it does not; the message has the figures.
            ModelError: the server cannot be asked.
        """
        self._context.limit(self.model, self._offered(TurnState(self.model)))

    def _offered(self, state: TurnState) -> list[ToolSchema]:
        """Every function that the model may call in this turn."""
        own = {schema.name: schema for schema in self.tools.schemas()}
        return [*(own[name] for name in self.preset.rules.offered(list(own))), *state.tools]

    def _pause(self, minutes: int) -> None:
        until = utc_now() + timedelta(minutes=minutes)
        self.store.agents.pause(self.id, until)

    def _paused(self) -> bool:
        until = self.store.agents.paused_until(self.id)
        return until is not None and utc_now() < until

    def _tool(self, name: str, trait: str) -> bool:
        return bool(getattr(self.tools.get(name), trait, False))

    def _tell(self, sight: Sight) -> None:
        for observer in self.observers:
            observer(sight)
