"""The agent: takes events in, runs turns, and is changed, undone and configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ..config import AgentConfig, to_dict
from ..embeddings.base import Embedder
from ..errors import ConfigError, UndoRefused
from ..events import clean, clean_schema
from ..library.attachments import attach, detach
from ..llm.base import ChatModel
from ..llm.plain_speech import PlainSpeech
from ..memory.archival import ArchivalMemory
from ..memory.context import Context
from ..memory.core import CoreMemory
from ..memory.recall import RecallMemory
from ..memory.window import WindowPolicy
from ..messages import Message, ToolResult, ToolSchema, utc_now
from ..observers import Evicted
from ..prompts.presets import Preset
from ..storage.base import Store
from ..storage.records import AgentRow, Undone
from ..tools.import_path import function_at, function_name, paths_of
from ..tools.memory_tools import MemoryFunctions
from ..tools.registry import Tool, ToolRegistry
from ..views.window import Found, WindowView, html_of_agent, window_of
from .components import Components
from .guide import GuideFactory, TurnContext
from .intake import Intake, warned_before
from .results import Turn
from .revision import replace_thoughts, replace_words
from .turn_runner import TurnRunner


class Agent:
    """A memory-managed agent that lives in a store.

    Everything it knows is in the store after each step; the object holds nothing that could be lost.

    Args:
        store: where it lives.
        row: its record.
        config: the record, as a typed object.
        model: answers, unless a turn brings its own.
        preset: prompt, functions and rules.
        system: the system prompt's text.
        embedder: for its searches; None: full text search only.
        tools: further functions, run by the agent itself.
        policy: when the window is full.
        guides: make the hooks of each turn.

    Attributes:
        observers: are told what happens; see :mod:`memgpt_autogen.observers`.
        guides: make the hooks of each turn, in the order of their calls; see :mod:`memgpt_autogen.agent.guide`.
        core, recall, archival: its three memories.
        tools: the functions that it runs itself.
        cached: its window, as of the last turn; ``refresh`` brings it up to date.
        busy_wait: seconds to wait while another process runs it.
    """

    busy_wait: float = 10.0

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
        guides: Iterable[GuideFactory] = (),
    ) -> None:
        self.store, self.id, self.name = store, row.id, row.name
        self.config, self.model, self.preset = config, model, preset
        self.core = CoreMemory(store, row.id, plain=preset.plain)
        self.recall = RecallMemory(store, row.id, preset.page_size, embedder)
        self.archival = ArchivalMemory(store, row.id, embedder, preset.page_size)
        functions = MemoryFunctions(self.core, self.recall, self.archival, self._pause, preset.message)
        own = functions.tools()
        self.tools = ToolRegistry(own[name] for name in preset.functions or own)
        for tool in tools:
            self.tools.add(tool)
        context = Context(store, row.id, preset, self.core, system, policy or WindowPolicy(), clock=config.clock)
        intake = Intake(store, row.id, context)
        self._parts = Components(store, row.id, preset, self.tools, context, intake, [*guides])
        self.cached = context.cached
        window = self.cached.refresh()
        self._parts.warned = warned_before(window)
        self._parts.timed = any(message.kind == "timer" for message in window)
        self.observers, self.guides = self._parts.observers, self._parts.guides

    # -- turns ----------------------------------------------------------------------------------------------------

    def run(
        self,
        incoming: Sequence[Message] = (),
        *,
        results: Sequence[ToolResult] = (),
        tools: Sequence[ToolSchema] = (),
        instructions: str = "",
        model: ChatModel | None = None,
        cache: Any = None,
        max_steps: int | None = None,
        must_speak: bool = False,
        conversation: str | None = None,
        stream: bool = False,
        on_commit: Callable[[], None] | None = None,
    ) -> Turn:
        """Take events in and step until the agent yields.

        The events are committed before the model is asked: whatever happens then, they are not lost, and the next
        turn answers them.

        Args:
            incoming: events (see :mod:`memgpt_autogen.events`). None at all: answer what is unanswered.
            results: of calls that an earlier turn left pending.
            tools: the caller's functions; a call of one ends the turn with it in ``Turn.pending``.
            instructions: the caller's addition to the system prompt.
            model: instead of the agent's own.
            cache: passed to the model.
            max_steps: model calls at most; default: the agent's own (12).
            must_speak: the caller waits for words, even if no event asks for them.
            conversation: the conversation that the turn belongs to. A call that is pending in another one keeps waiting
                for its result; in this one it is closed.
            stream: show observers thoughts and words while they are written, where the model can stream.
            on_commit: called inside the transaction that commits the events, so that a caller's own record of them
                is kept or lost together with them.

        Raises:
            AgentBusy: the agent is in the middle of a turn elsewhere.
            ModelError: the model's server failed or refused, or the model's replies could not be read.
            ConfigError: the model's window is too small for the agent.
        """
        with self.store.lock(self.id, self.busy_wait):
            only_timers = incoming and not results and all(event.kind == "timer" for event in incoming)
            if only_timers and self._paused():
                return Turn()  # not logged either: timers would pile up in the window, unanswered
            self._parts.timed |= bool(only_timers)
            model = self._speaking(model or self.model)
            given = tuple(clean_schema(tool) for tool in tools)
            words = clean(instructions)
            turn = TurnContext(self.store, self.id, model, self.cached, given, words, cache, conversation, stream)
            turn.unanswered = self._parts.take_in(incoming, results, conversation, on_commit, turn)
            turn.observers, turn.session = self.observers, self._parts.intake.session
            turn.owes_speech = must_speak or any(message.kind == "user_message" for message in turn.unanswered)
            return TurnRunner(self._parts, turn).run(max_steps or self.config.max_steps)

    def retry(self, *, stream: bool = False) -> Turn:
        """Undo the agent's part of its last turn, and have it answer the same events anew.

        ``stream`` is as in :meth:`run`.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since.
            ModelError: the model failed; the events are kept, and answered in the next turn.
        """
        undone = self.undo(keep_incoming=True)
        spoke = any(message.text for message in undone.messages if message.role == "assistant")
        return self.run(must_speak=spoke, stream=stream)

    def hear(
        self,
        incoming: Sequence[Message],
        *,
        results: Sequence[ToolResult] = (),
        conversation: str | None = None,
        on_commit: Callable[[], None] | None = None,
    ) -> None:
        """Take events in without a turn; the next turn answers them. See :meth:`run` for the arguments.

        Raises:
            AgentBusy: the agent is in the middle of a turn elsewhere.
        """
        with self.store.lock(self.id, self.busy_wait):
            self._parts.take_in(incoming, results, conversation, on_commit)

    def summarize(self) -> tuple[int, str]:
        """Evict all messages but the last turn's from the window now.

        Returns:
            How many left it, and their summary (empty where the preset writes none).
        """
        with self.store.lock(self.id, self.busy_wait):
            evicted, summary = self._parts.context.fold(self._speaking(self.model), self._parts.offered())
            if evicted:
                self._parts.warned = False
                self._parts.tell(Evicted(evicted, summary))
        return evicted, summary

    # -- changes to what was said and done -------------------------------------------------------------------------

    def undo(self, turns: int = 1, *, keep_incoming: bool = False) -> Undone:
        """Undo the last turns with everything that they wrote to memory, or nothing of it.

        A turn is the events that came in (a message, a timer) and all that the agent did about them. What functions did
        outside of the agent's memory stays done.

        Args:
            turns: how many, at least 1; where there are fewer, all there are.
            keep_incoming: leave the events at the start of the first of them, unanswered.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since. Nothing was changed.
            AgentBusy: the agent is in the middle of a turn elsewhere.
        """
        if turns < 1:
            raise UndoRefused(f"At least 1 turn can be taken back, not {turns}.")
        with self.store.lock(self.id, self.busy_wait):
            undone = self.store.undo(self.id, turns, keep_incoming=keep_incoming)
            self._parts.warned = warned_before(self.cached.refresh())
        return undone

    def rethink(self, text: str) -> str:
        """Replace the agent's last inner thoughts; returns those that were there.

        Raises:
            UndoRefused: the agent has not replied yet.
        """
        with self.store.lock(self.id, self.busy_wait):
            return replace_thoughts(self.store, self.id, text)

    def rewrite(self, text: str) -> str:
        """Replace what the agent said last; returns the words that were there.

        Raises:
            UndoRefused: the agent has said nothing yet.
        """
        with self.store.lock(self.id, self.busy_wait):
            return replace_words(self.store, self.id, text)

    def wipe(self) -> list[str]:
        """Delete every message and note, and reset core memory to its first texts; attached sources stay.

        Returns: labels of blocks that other agents share: those are left as they are.
        """
        with self.store.lock(self.id, self.busy_wait):
            self._parts.warned = False
            return [*self.store.wipe(self.id)]

    # -- its record -----------------------------------------------------------------------------------------------

    def remember(self, **changes: Any) -> None:
        """Change the agent's record: fields of its :class:`AgentConfig`."""
        config = replace(self.config, **changes)
        self.store.agents.update(self.id, to_dict(config))
        self.config = config

    @property
    def system(self) -> str:
        """The system prompt's text."""
        return self._parts.context.system

    def set_system(self, text: str) -> None:
        """Give the agent a system prompt of its own, and remember it.

        Raises:
            ConfigError: it is empty, or leaves no room in the model's window; nothing was changed.
            ModelError: the model's server cannot be asked.
        """
        if not text.strip():
            raise ConfigError("The system prompt is empty. Without one the agent does not know its functions.")
        context = self._parts.context
        before, context.system = context.system, text
        try:
            self.check_window()
        except BaseException:
            context.system = before
            raise
        self.remember(system=text)

    def add_function(self, path: str) -> Tool:
        """Add a function by its import path, ``package.module:function``, and remember it.

        Raises:
            ConfigError: nothing can be imported from there, the name is taken, or its parameters have no JSON schema.
        """
        tool = self.tools.add(function_at(path))
        self.remember(tools=[*self.config.tools, path.strip()])
        return tool

    def remove_function(self, name: str) -> None:
        """Remove a function that was added by its import path.

        Args:
            name: the function's name, or its import path.

        Raises:
            ConfigError: there is no such function.
        """
        removed = paths_of(name, self.config.tools)
        for path in removed:
            self.tools.remove(function_name(path))
        self.remember(tools=[path for path in self.config.tools if path not in removed])

    # -- the rest -------------------------------------------------------------------------------------------------

    def attach(self, source: str) -> None:
        """Let this agent search a source; an event tells it so.

        Raises:
            SourceError: there is no such source.
        """
        attach(self.store, self.id, source)

    def detach(self, source: str) -> None:
        """Stop this agent from searching a source. The source stays.

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
        self._parts.context.limit(self._speaking(self.model), self._parts.offered())

    @property
    def window(self) -> WindowView | None:
        """The context window at the last model call, part by part; None: there was none. A notebook draws it."""
        return window_of(self.store, self.id)

    def search(self, query: str) -> Found:
        """Search recall and archival memory, as the agent does; a notebook shows the hits with their scores."""
        return Found(self.recall.find(query), self.archival.find(query))

    def _repr_html_(self) -> str | None:
        return html_of_agent(self.store, self.id, self.name)

    def _speaking(self, model: ChatModel) -> ChatModel:
        return PlainSpeech(model) if self.preset.plain else model

    def _pause(self, minutes: int) -> None:
        self.store.agents.pause(self.id, utc_now() + timedelta(minutes=minutes))

    def _paused(self) -> bool:
        until = self.store.agents.paused_until(self.id)
        return until is not None and utc_now() < until
