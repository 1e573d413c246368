"""``MemGPTAgent``: a member of AutoGen's chats whose replies come from a memory-managed agent."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakSet

from . import _autogen  # noqa: F401  # isort: skip  (first of all: says what to install where AutoGen is missing)
from autogen import ConversableAgent

from .. import events
from ..agent import Agent
from ..client import MemGPT
from ..compat import display_options, leave_out
from ..config import AgentConfig
from ..errors import ConfigError, MemGPTError
from ..llm.base import ChatModel
from ..llm.wrappers import named_by
from ..tools.registry import Tool
from . import translate
from .conversations import Conversations
from .display import Display
from .entries import Entry, read_entry
from .model import AutoGenModel
from .news import News, read_news
from .original import OriginalMethods
from .stand_in import StandInClient

logger = logging.getLogger(__name__)

_DEFAULT_SYSTEM_MESSAGE = "You are a helpful AI Assistant."  # AutoGen's own; it says nothing, so it is left out
_workers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="memgpt")
_living: WeakSet[MemGPTAgent] = WeakSet()


@atexit.register
def _hear_all() -> None:
    """What was said after an agent's last turn would end with the process: it goes into memory."""
    for agent in [*_living]:
        try:
            agent.hear_all()
        except MemGPTError as error:  # another process is running it, or the store is closed
            logger.info("%s could not take in what was said last: %s", agent.name, error)


class MemGPTAgent(OriginalMethods, ConversableAgent):
    """An AutoGen agent with a memory that lasts. Swap it in for an ``AssistantAgent``; the script stays as it is.

    Group-chat messages become events of the memory agent inside; what that says becomes the reply. The memory agent is
    made, or found again by its name, at the first reply.

    Args:
        name: the name in the chat and, unless the config says otherwise, of the memory agent in the store.
        system_message: instructions for the agent, as in AutoGen; may change from turn to turn.
        llm_config: as in AutoGen. An entry that names an endpoint or a key is called through AutoGen's own client; one
            in MemGPT's form (``model_endpoint_type``) directly; one that names neither falls through to the
            environment, the config file and the embedded model.
        agent: a memory agent in hand, instead of one by name.
        preset, persona, human: for a new memory agent; names or, for the last two, texts.
        tools: Python functions that the memory agent runs itself.
        memgpt: where memory agents live; default: the home folder.
        interface_kwargs: what is shown beside the replies: ``show_inner_thoughts``, ``show_function_outputs``,
            ``show_user_message``, ``debug`` (all of it), ``fancy`` (signs).
        interface: the same as an :class:`~memgpt_autogen.compat.AutoGenInterface`.
        **kwargs: everything else that AutoGen's agent takes.

    With neither ``llm_config`` nor ``agent`` it is a plain ``ConversableAgent``.
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
        interface_kwargs: Mapping[str, Any] | None = None,
        interface: Any = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(system_message, Agent):  # where the original had it
            agent = system_message
            system_message = _DEFAULT_SYSTEM_MESSAGE
        leave_out(kwargs, name)
        given = inspect.signature(ConversableAgent.__init__).bind(self, name, system_message, *args, **kwargs)
        arguments = dict(given.arguments)
        arguments.pop("self")
        arguments.update(arguments.pop("kwargs", {}))
        llm_config = arguments.get("llm_config")
        self._entry: Entry | None = read_entry(llm_config) if llm_config else None
        if self._entry:
            arguments["llm_config"] = self._entry.autogen
        elif agent:
            arguments["llm_config"] = read_entry({"model": agent.model.name}).autogen
        self._core = agent
        self._wanted = {"preset": preset, "persona": persona, "human": human}
        self._core_tools = tuple(tools)
        self._memgpt = memgpt
        self._display = Display(self, **display_options(interface_kwargs, interface, agent))
        self._conversations: Conversations | None = None
        self._cleared: WeakSet[Any] = WeakSet()  # peers whose chats began before there was a memory agent
        self._client: Any = None
        self._stand_in: StandInClient | None = None
        if self._remembers:  # as in an AssistantAgent, whose place it takes
            arguments.setdefault("human_input_mode", "NEVER")
        super().__init__(**arguments)
        if self._remembers:
            _living.add(self)
            own = type(self)
            self.replace_reply_func(ConversableAgent.generate_oai_reply, own.generate_oai_reply)
            self.replace_reply_func(ConversableAgent.a_generate_oai_reply, own.a_generate_oai_reply)

    @property
    def _remembers(self) -> bool:
        """Whether there is a memory agent inside; without one this is a plain ConversableAgent."""
        return self._entry is not None or self._core is not None

    # -- the memory agent -----------------------------------------------------------------------------------------

    @property
    def core(self) -> Agent:
        """The memory agent inside. Made, or found by its name, when first asked for.

        Raises:
            ConfigError: this is a plain agent, or the config cannot work.
        """
        if self._core is None:
            if self._entry is None:
                raise ConfigError(f"{self.name} has no memory agent inside: give it an llm_config or an agent.")
            self._core = self._open_core(self._entry)
        if self._display.watch not in self._core.observers:
            self._core.observers.append(self._display.watch)
        return self._core

    def _open_core(self, entry: Entry) -> Agent:
        wanted = {key: value or entry.options.get(key, "") for key, value in self._wanted.items()}
        config = AgentConfig(
            name=entry.options.get("name") or self.name,
            preset=wanted["preset"],
            persona=wanted["persona"] or (f"I am {self.name}." if self._instructions() else ""),
            human=wanted["human"],
        )
        model: ChatModel | None = AutoGenModel(self, entry.hint) if entry.hosted else None
        core = self.home.create_agent(
            config, model=model, entry=entry.explicit, hint=entry.hint, tools=self._core_tools
        )
        self._tell_of_another_model(entry, core)
        return core

    def _tell_of_another_model(self, entry: Entry, core: Agent) -> None:
        """A config that names a model without saying where it is may be answered by one nobody thought of."""
        named, elsewhere = entry.hint.model, isinstance(core.model, AutoGenModel) or entry.explicit
        if named and not (elsewhere or named_by("", named)) and core.model.name != named:
            logger.warning(
                "%s: llm_config names %s without an api_key or base_url, so %s answers instead. Give the entry one, or "
                "set OPENAI_API_KEY.",
                self.name,
                named,
                core.model.name,
            )

    def _instructions(self) -> str:
        message = translate.content_text(self._oai_system_message[0]["content"])
        return "" if message == _DEFAULT_SYSTEM_MESSAGE else message

    @property
    def client(self) -> Any:
        """What AutoGen calls for summaries and counts costs by: its own client, or one that stands for our model."""
        hosted = self._entry is not None and self._entry.hosted
        if hosted or not self._remembers:
            return self._client
        self._stand_in = self._stand_in or StandInClient(lambda: self.core.model)
        return self._stand_in

    @client.setter
    def client(self, client: Any) -> None:
        self._client = client

    # -- what is shown --------------------------------------------------------------------------------------------

    def receive(
        self, message: Any, sender: Any, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """Receive a message, as any AutoGen agent; a silent chat shows nothing of what goes on inside either."""
        self._display.hushed = _is_silent(sender, silent)
        super().receive(message, sender, request_reply, silent)

    async def a_receive(
        self, message: Any, sender: Any, request_reply: bool | None = None, silent: bool | None = False
    ) -> None:
        """The same, in an event loop."""
        self._display.hushed = _is_silent(sender, silent)
        await super().a_receive(message, sender, request_reply, silent)

    # -- replies --------------------------------------------------------------------------------------------------

    def generate_oai_reply(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Any = None,
        config: Any = None,
        **kwargs: Any,
    ) -> tuple[bool, str | dict[str, Any] | None]:
        """The reply of the memory agent. Takes the place of AutoGen's LLM reply, and has its name."""
        if not self._remembers:
            return super().generate_oai_reply(messages, sender, config, **kwargs)  # type: ignore[no-any-return]
        if messages is None:
            messages = self._oai_messages[sender]
        checked = getattr(self, "_process_llm_input", lambda listed: listed)(messages)
        if checked is None:
            return True, {"content": "LLM call blocked by safeguard", "role": "assistant"}
        reply = self._answer(checked, sender)
        if reply is not None:
            reply = getattr(self, "_process_llm_output", lambda made: made)(reply)
        return reply is not None, reply

    async def a_generate_oai_reply(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Any = None,
        config: Any = None,
        **kwargs: Any,
    ) -> tuple[bool, str | dict[str, Any] | None]:
        """The same in a worker thread, so that the event loop goes on."""
        call = functools.partial(self.generate_oai_reply, messages, sender, config, **kwargs)
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(_workers, context.run, call)

    def _answer(self, messages: Sequence[Mapping[str, Any]], sender: Any) -> str | dict[str, Any] | None:
        core, news = self.core, self._news(messages, sender)
        if not (news.incoming or news.results or news.owed):
            news.incoming.append(events.heartbeat("Nobody has said anything new, and it is your turn to speak."))
        schemas, legacy = translate.offered_tools(self.llm_config)
        turn = core.run(
            news.incoming,
            results=news.results,
            tools=schemas,
            instructions=self._instructions(),
            cache=self.client_cache,
            must_speak=True,
            conversation=self._chats().of(sender).id,
            on_commit=news.keep,
        )
        if isinstance(self.client, StandInClient):
            self.client.count(core.model.name, turn.usage)
        reply = translate.to_reply(turn, legacy)
        # AutoGen puts no name to calls; with it they are known as the agent's own when they have left its window.
        return {**reply, "name": self.name} if isinstance(reply, dict) else reply

    def _news(self, messages: Sequence[Mapping[str, Any]], sender: Any, *, repeats: bool = True) -> News:
        window = self.core.store.log.window(self.core.id)
        return read_news(messages, sender, self.name, window, self._chats(), repeats=repeats)

    def _chats(self) -> Conversations:
        if self._conversations is None:
            self._conversations = Conversations(self.core.store, self.core.id)
            for peer in self._cleared:
                self._conversations.cleared(peer)
        return self._conversations

    def clear_history(self, recipient: Any = None, *args: Any, **kwargs: Any) -> None:
        """Clear AutoGen's list of messages. The agent's memory is not touched: it lasts.

        What nobody has asked the agent to answer yet goes into its memory first.
        """
        if self._remembers:
            for peer in [*self._oai_messages] if recipient is None else [recipient]:
                self._hear(peer)
        super().clear_history(recipient, *args, **kwargs)
        if self._conversations is None:
            if recipient is not None:
                self._cleared.add(recipient)
        elif recipient is None:  # AutoGen's resume() does this, and then tells the same once more
            self._conversations.all_cleared()
        else:
            self._conversations.cleared(recipient)

    def hear_all(self) -> None:
        """Take in what is unread in every chat, without a reply. Happens by itself when the process ends."""
        if self._core is not None:
            for peer in [*self._oai_messages]:
                self._hear(peer)

    def _hear(self, peer: Any) -> None:
        """Take in what is unread in a chat, without a reply."""
        messages = self._oai_messages.get(peer)
        if not messages:
            return
        news = self._news(messages, peer, repeats=False)
        if news.incoming or news.results:
            here = self._chats().of(peer).id
            self.core.hear(news.incoming, results=news.results, conversation=here, on_commit=news.keep)


def _is_silent(sender: Any, silent: bool | None) -> bool:
    """Whether a chat is silent. A group's manager passes everything on silently: ask the manager itself."""
    return bool(getattr(sender, "_silent", False) if hasattr(sender, "groupchat") else silent)


MemGPTConversableAgent = MemGPTAgent
