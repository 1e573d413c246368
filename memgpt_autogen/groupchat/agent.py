"""``MemGPTAgent``: an AutoGen agent whose replies come from a memory-managed agent."""

from __future__ import annotations

import copy
import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import autogen
from autogen import ConversableAgent, OpenAIWrapper

from .. import events
from ..agent import Agent
from ..client import MemGPT
from ..compat import display_options, drop_obsolete_options, open_client
from ..errors import ConfigError
from ..messages import ToolSchema
from ..tools.registry import Tool
from ..workers import run_in_thread
from . import translate
from .core_agent import open_core, warn_ignored
from .display import Display
from .inbox import Inbox
from .legacy_methods import LegacyMethods
from .llm_config import LLMConfigEntry, read_llm_config
from .memory_choice import FRESH, MemoryChoice, warn_shared
from .model import AutoGenModel
from .model_client import CoreModelClient, add_usage
from .reply_override import overrides
from .streaming import streaming_requested
from .tool_names import RenamingModel, ToolNames

_DEFAULT_SYSTEM_MESSAGE = "You are a helpful AI Assistant."  # AutoGen's own default, which tells the model nothing
logger = logging.getLogger(__name__)


class MemGPTAgent(ConversableAgent, LegacyMethods):
    """An AutoGen agent with a lasting memory. It replaces an ``AssistantAgent`` without other changes to a script.

    Chat messages become events of the memory agent inside, and what that sends becomes the reply. The memory agent is
    created, or loaded by its name, at the first reply.

    Args:
        name: the name in the chat and, unless the config says otherwise, of the memory agent in the store.
        system_message: instructions for the agent, as in AutoGen; may change from turn to turn.
        llm_config: as in AutoGen. An entry that names an endpoint or a key is called through AutoGen's own client; one
            in MemGPT's form (``model_endpoint_type``) directly; one that names neither falls through to the
            environment, the config file and the embedded model.
        agent: an open memory agent, instead of one loaded by name.
        preset, persona, human: for a new memory agent: names; for the last two also the text itself.
        tools: Python functions that the memory agent runs itself.
        memgpt: the client whose store holds the memory agents; default: the one of the home folder.
        memory: ``"fresh"``: an empty memory that is gone with this agent; any other text: the name of the memory agent;
            default: this agent's name, so that it is found again.
        user_id: a user of a service, who gets a memory of their own.
        busy_wait: seconds to wait while another process runs the memory agent; default: 10.
        context_window: tokens of the model's window; default: looked up, asked for, or learned.
        interface_kwargs: what to display besides replies: ``show_inner_thoughts``, ``show_function_outputs``,
            ``show_user_message``, ``debug`` (all of these), ``fancy`` (emoji), ``streaming`` (text as it is
            written, as with ``stream: True`` in ``llm_config``).
        interface: the same as an :class:`~memgpt_autogen.compat.AutoGenInterface`.
        **kwargs: everything else that AutoGen's agent takes.

    With neither ``llm_config`` nor ``agent`` it is a plain ``ConversableAgent``. Other agents of AutoGen are given a
    memory by a class of both: ``class MemorySurfer(MemGPTAgent, WebSurferAgent): pass``.
    """

    def __init__(
        self,
        name: str,
        system_message: str | list[Any] | Agent | None = _DEFAULT_SYSTEM_MESSAGE,
        *args: Any,
        agent: Agent | None = None,
        preset: str = "",
        persona: str = "",
        human: str = "",
        tools: Iterable[Tool | Callable[..., Any]] = (),
        memgpt: MemGPT | None = None,
        memory: str = "",
        user_id: object = None,
        busy_wait: float | None = None,
        context_window: int | None = None,
        interface_kwargs: Mapping[str, Any] | None = None,
        interface: Any = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(system_message, Agent):  # its position in the original
            agent = system_message
            system_message = _DEFAULT_SYSTEM_MESSAGE
        drop_obsolete_options(kwargs, name)
        signature = inspect.signature(ConversableAgent.__init__)
        mixed_in = {key: kwargs.pop(key) for key in [*kwargs] if key not in signature.parameters}
        arguments = dict(signature.bind(self, name, system_message, *args, **kwargs).arguments)
        arguments.pop("self")
        if system_message is _DEFAULT_SYSTEM_MESSAGE:  # a class that this is mixed with may have another
            arguments.pop("system_message")
        llm_config = arguments.get("llm_config")
        llm_config = _config_around() if llm_config is None else llm_config
        self._entry: LLMConfigEntry | None = read_llm_config(llm_config, context_window) if llm_config else None
        if self._entry:
            arguments["llm_config"] = self._entry.autogen
        elif agent:
            arguments["llm_config"] = read_llm_config({"model": agent.model.name or None}).autogen
        self._core = agent
        self._wanted = {"preset": preset, "persona": persona, "human": human}
        self._core_tools = tuple(tools)
        self._memory = MemoryChoice(memory, user_id)
        self._memgpt = self._memory.home(memgpt or open_client()) if memory == FRESH else memgpt
        self._busy_wait = busy_wait
        self._display = Display(self, **display_options(interface_kwargs, interface, agent))
        self._inbox = Inbox(self)
        self._renamed: set[str] = set()
        self._client: Any = None
        self._core_client: CoreModelClient | None = None
        if self._has_core:  # as in an AssistantAgent, whose place it takes
            arguments.setdefault("human_input_mode", "NEVER")
        super().__init__(**arguments, **mixed_in)
        own = type(self)
        self.replace_reply_func(ConversableAgent.generate_oai_reply, own.generate_oai_reply)
        self.replace_reply_func(ConversableAgent.a_generate_oai_reply, own.a_generate_oai_reply)
        if agent is not None:
            agent.busy_wait = agent.busy_wait if busy_wait is None else busy_wait
            warn_ignored(agent, self._wanted)

    @property
    def _has_core(self) -> bool:
        """Whether there is a memory agent inside; without one this is a plain ConversableAgent."""
        return self._entry is not None or self._core is not None

    # -- the memory agent -----------------------------------------------------------------------------------------

    @property
    def core(self) -> Agent:
        """The memory agent inside, created or loaded by its name at first use.

        Raises:
            ConfigError: this is a plain agent, or the configuration is invalid.
        """
        if self._core is None:
            if self._entry is None:
                raise ConfigError(f"{self.name} has no memory agent inside: give it an llm_config or an agent.")
            self._core = self._open_core(self._entry)
            warn_shared(self, self._core, self._memory)
            if self._busy_wait is not None:
                self._core.busy_wait = self._busy_wait
        if self._display.watch not in self._core.observers:
            self._core.observers.append(self._display.watch)
        return self._core

    def _open_core(self, entry: LLMConfigEntry) -> Agent:
        return open_core(
            self.name,
            entry,
            self._wanted,
            self.home,
            model=AutoGenModel(self, entry.hint) if entry.hosted else None,
            tools=self._core_tools,
            persona=f"I am {self.name}." if self._instructions() else "",
            memory=self._memory,
        )

    def _instructions(self) -> str:
        message = translate.content_text(self._oai_system_message[0]["content"])
        return "" if message == _DEFAULT_SYSTEM_MESSAGE else message

    @property
    def client(self) -> Any:
        """The client that AutoGen uses for summaries and usage: its own, or an adapter of the memory agent's model."""
        hosted = self._entry is not None and self._entry.hosted
        if hosted or not self._has_core or not isinstance(self._client, (OpenAIWrapper, type(None))):
            return self._client
        self._core_client = self._core_client or CoreModelClient(lambda: self.core.model)
        return self._core_client

    @client.setter
    def client(self, client: Any) -> None:
        self._client = client

    @client.deleter
    def client(self) -> None:
        del self._client

    def __repr__(self) -> str:
        inside = "a plain agent" if not self._has_core else f"memory agent {self._core.name!r}" if self._core else "new"
        return f"<{type(self).__name__} {self.name!r}: {inside}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> MemGPTAgent:
        """A copy that shares the memory agent inside, as two agents of the same name do."""
        clone = object.__new__(type(self))
        memo[id(self)] = clone
        shared = ("_core", "_memory", "_memgpt", "_core_tools", "_entry", "_client")  # clients cannot be copied
        for key, value in self.__dict__.items():
            clone.__dict__[key] = value if key in shared else copy.deepcopy(value, memo)
        return clone

    # -- display --------------------------------------------------------------------------------------------------

    def receive(
        self, message: Any, sender: Any, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """Receive a message, as in AutoGen. In a silent chat nothing of the memory agent is displayed either."""
        self._display.chat_silent = _is_silent(sender, silent)
        super().receive(message, sender, request_reply, silent)

    async def a_receive(
        self, message: Any, sender: Any, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """The asynchronous form of :meth:`receive`."""
        self._display.chat_silent = _is_silent(sender, silent)
        await super().a_receive(message, sender, request_reply, silent)

    # -- replies --------------------------------------------------------------------------------------------------

    @overrides(ConversableAgent.generate_oai_reply)
    def generate_oai_reply(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Any = None,
        config: Any = None,
        **kwargs: Any,
    ) -> tuple[bool, str | dict[str, Any] | None]:
        """The memory agent's reply. Replaces AutoGen's LLM reply, under the same name."""
        if not isinstance(self, MemGPTAgent):  # registered with an agent of another class
            plain = super(MemGPTAgent, MemGPTAgent).generate_oai_reply  # type: ignore[unreachable]
            return plain(self, messages, sender, config, **kwargs)
        if not self._has_core:
            return super().generate_oai_reply(messages, sender, config, **kwargs)  # type: ignore[no-any-return]
        if config is None and self.client is None:
            return False, None
        if messages is None:
            messages = self._oai_messages[sender]
        checked = getattr(self, "_process_llm_input", lambda listed: listed)(self._oai_system_message + messages)
        if checked is None:
            return True, {"content": "LLM call blocked by safeguard", "role": "assistant"}
        reply = self._answer(checked[len(self._oai_system_message) :], sender, config, kwargs.get("tools"))
        if reply is not None:
            reply = getattr(self, "_process_llm_output", lambda made: made)(reply)
            if reply is None:
                raise ValueError("safeguard_llm_outputs hook returned None")
        return reply is not None, reply

    @overrides(ConversableAgent.a_generate_oai_reply)
    async def a_generate_oai_reply(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Any = None,
        config: Any = None,
        **kwargs: Any,
    ) -> tuple[bool, str | dict[str, Any] | None]:
        """The asynchronous form: runs in a worker thread, so that it does not block the event loop."""
        call = functools.partial(self.generate_oai_reply, messages, sender, config, **kwargs)
        return await run_in_thread(call)

    def _answer(
        self, messages: Sequence[Mapping[str, Any]], sender: Any, client: Any = None, tools: Any = None
    ) -> str | dict[str, Any] | None:
        core, new = self.core, self._inbox.unread(messages, sender)
        if not (new.incoming or new.results or new.reply_owed):
            new.incoming.append(events.heartbeat("Nobody has said anything new, and it is your turn to speak."))
        schemas, legacy = translate.offered_tools(self.llm_config, tools or ())
        names = self._tool_names(schemas)
        model = core.model if isinstance(core.model, AutoGenModel) else None
        model = model.through(client) if model and client else model
        turn = core.run(
            new.incoming,
            results=new.results,
            tools=names.inside(schemas),
            model=RenamingModel(model or core.model, names) if names.clashing else model,
            instructions=self._instructions(),
            cache=self.client_cache,
            must_speak=True,
            stream=self._display.streaming or streaming_requested(self.llm_config),
            conversation=self._inbox.conversation(sender),
            on_commit=new.mark_read,
        )
        if model is None:
            add_usage(self.client, core.model.name, turn.usage)
        self._inbox.replied(sender)
        reply = translate.to_reply(replace(turn, pending=tuple(map(names.users, turn.pending))), legacy)
        return model.as_given(reply) if model and reply else reply

    def _tool_names(self, offered: Sequence[ToolSchema]) -> ToolNames:
        """The names of functions in this turn; the user is told, once, of those that make way."""
        names = ToolNames([schema.name for schema in self.core.tools.schemas()], offered)
        for name in set(names.clashing) - self._renamed:
            self._renamed.add(name)
            logger.warning(
                "%s: your tool %s has the name of a function of the memory agent, which is called %s from now on.",
                self.name,
                name,
                names.shown(name),
            )
        return names

    def clear_history(self, recipient: Any = None, *args: Any, **kwargs: Any) -> None:
        """Clear AutoGen's message list. The agent's memory is kept; unread messages are stored in it first."""
        peers = [*self._oai_messages] if recipient is None else [recipient]
        for peer in peers if self._has_core else ():
            self._inbox.read(peer)
        super().clear_history(recipient, *args, **kwargs)
        self._inbox.cleared(recipient)

    def hear_all(self) -> None:
        """Store the unread messages of every chat without replying. Done automatically when the process ends."""
        self._inbox.read_all()


def _config_around() -> Any:
    """The config of an enclosing ``with llm_config:`` block, in versions of AutoGen that have it."""
    current = getattr(getattr(autogen, "LLMConfig", None), "_current_llm_config", None)
    config = current.get(None) if current else None
    return config.copy() if config else None


def _is_silent(sender: Any, silent: bool | None) -> bool:
    """Whether a chat is silent. A group chat manager relays every message silently, so its own flag counts."""
    return bool(getattr(sender, "_silent", False) if hasattr(sender, "groupchat") else silent)


MemGPTConversableAgent = MemGPTAgent
