"""Hooks into a turn: work before the first model call, checks of each reply, work after the last commit.

The agent calls its guides and knows nothing else about them. :class:`Guide` itself does nothing. A subclass overrides
the hooks it needs and is passed to :class:`memgpt_autogen.agent.Agent` as a factory that is called once per turn, so
that a guide may keep what belongs to one turn in its own attributes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from .. import events
from ..ids import new_id
from ..llm.base import ChatModel
from ..memory.context import Prompt
from ..memory.window_cache import WindowCache
from ..messages import Message, Reply, ToolCall, ToolResult, ToolSchema, Usage
from ..observers import FunctionCalled, FunctionReturned, Observer
from ..storage.base import Store
from .results import Turn


@dataclass
class TurnContext:
    """The state of one turn, shared by its steps and its guides.

    Attributes:
        store: where the agent lives.
        agent_id: which agent.
        model: answers in this turn.
        cached: the window; says which messages are in it.
        tools: the caller's functions; offered beside the agent's own, never run by it.
        instructions: the caller's addition to the system prompt.
        cache: passed to the model.
        conversation: the conversation that this turn belongs to.
        stream: observers see replies while they are written.
        observers: are told what happens.
        session: the session that new messages belong to.
        unanswered: the messages that this turn answers, oldest first.
        owes_speech: someone waits for words.
        called: names of the functions called so far, in order.
        said: what was said so far.
        steps: model calls so far.
        usage: tokens so far.
        unreadable: replies in a row that could not be read.
        failures: how often each function failed.
        ended: a function was called that ends the turn.
    """

    store: Store
    agent_id: str
    model: ChatModel
    cached: WindowCache
    tools: tuple[ToolSchema, ...] = ()
    instructions: str = ""
    cache: Any = None
    conversation: str | None = None
    stream: bool = False
    observers: Sequence[Observer] = ()
    session: str | None = None
    unanswered: Sequence[Message] = ()
    owes_speech: bool = True
    called: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    steps: int = 0
    usage: Usage = Usage()
    unreadable: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    ended: bool = False

    def stamped(self, messages: Sequence[Message]) -> list[Message]:
        """What the agent itself writes, as it goes into the log: of this turn's session and conversation, answered."""
        session, conversation = self.session, self.conversation
        return [replace(one, session_id=session, conversation_id=conversation, answered=True) for one in messages]

    def add_call(self, call: ToolCall, result: ToolResult, shown: ToolResult | None = None) -> None:
        """Add a function call that the program made to the log, as if the model had made it.

        Args:
            call: the call.
            result: its result as the model sees it.
            shown: its result as observers see it, where that differs.
        """
        log = self.stamped([events.reply("", (call,), ""), events.tool_result(result)])
        with self.store.transaction(new_id()):
            self.store.log.append(self.agent_id, log)
        self.called.append(call.name)
        for observer in self.observers:
            observer(FunctionCalled(call, by_program=True))
            observer(FunctionReturned(shown or result))

    def rewrite(self, message: Message, content: str) -> Message:
        """Replace the content of an unanswered message, in the log and in :attr:`unanswered`.

        The model sees the new content; searches still see the old ``text``.

        Returns:
            The message as it is now.
        """
        with self.store.transaction(new_id()):
            changed = self.store.log.replace(message, replace(message, content=content))
        self.unanswered = [changed if one.id == message.id else one for one in self.unanswered]
        return changed


class Ask(Protocol):
    """Calls the model again for the same step."""

    def __call__(self, messages: Sequence[Message], added: Sequence[Message] = ()) -> Reply:
        """One more reply; its usage is that of this call alone.

        Args:
            messages: the prompt, or a part of it.
            added: messages to put behind it; the reply gets as many tokens less as these take.
        """
        ...


@dataclass(frozen=True)
class ReplyContext:
    """What a reply check knows of the model call behind a reply.

    Attributes:
        prompt: what the model was given.
        ask: calls the model again.
    """

    prompt: Prompt
    ask: Ask

    def ask_again(self, reply: Reply, reason: str) -> Reply:
        """Ask the model once more, with the reason as the last message of the prompt.

        Args:
            reply: the rejected reply; its tokens are added to the usage of the new one.
            reason: what was wrong, as the model reads it.
        """
        alert = events.system_alert(reason)
        again = self.ask(self.prompt.messages, [replace(alert, content=events.render(alert, clock=False))])
        return replace(again, usage=reply.usage + again.usage)


class Guide:
    """The hooks of one turn. Every method of this class does nothing.

    Attributes:
        streams: whether replies may be shown while they are written. A guide that replaces replies says False.
    """

    streams: bool = True

    def __init__(self, turn: TurnContext) -> None:
        self.turn = turn

    def before_turn(self) -> None:
        """Called after the events are committed, before the first model call, if someone waits for words.

        May search, add calls (:meth:`TurnContext.add_call`) or rewrite an unanswered message
        (:meth:`TurnContext.rewrite`).
        """

    def check_reply(self, reply: Reply, context: ReplyContext) -> Reply:
        """The reply, a changed one, or another one that the model was asked for. Called before any function runs."""
        return reply

    def cite(self, said: str) -> str:
        """The words that others hear, with their source where it is known. Called once a message was sent."""
        return said

    def after_turn(self, turn: Turn) -> None:
        """Called when the last step of a turn is committed, while the agent is still locked.

        The reply has been delivered to observers but not yet returned to the caller, so slow work belongs in a thread
        of its own. Not called if the turn raised an error. An error of this package is logged, so that the reply is
        not lost.

        Args:
            turn: the result. With ``turn.pending`` the turn goes on once the caller has run these functions.
        """


#: Makes the guide of a turn.
GuideFactory: TypeAlias = Callable[[TurnContext], Guide]
