"""Takes events in: commits them before anything else, each cut to what the window can show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from .. import events
from ..errors import ConfigError, ModelError
from ..ids import new_id
from ..llm.base import ChatModel
from ..memory.context import Context
from ..messages import Message, ToolResult, ToolSchema, utc_now
from ..storage.base import Store
from .guide import TurnContext
from .results import PRESSURE_AUTHOR

#: A pause after which the next message opens a new session.
SESSION_PAUSE = timedelta(minutes=30)

_sessions: set[str] = set()  # begun in this process

_NO_RESULT = "The result never came: the chat went on without it. Call it again if it is still needed."


class Intake:
    """The way into one agent.

    Args:
        store: where the agent lives.
        agent_id: which agent.
        context: its window.

    Attributes:
        session: the session that messages belong to. A new one begins with a new process and after a pause.
    """

    def __init__(self, store: Store, agent_id: str, context: Context) -> None:
        self._store = store
        self._agent_id = agent_id
        self._context = context
        self.session: str | None = None

    def take_in(
        self,
        incoming: Sequence[Message],
        results: Sequence[ToolResult] = (),
        *,
        conversation: str | None = None,
        on_commit: Callable[[], None] | None = None,
        turn: TurnContext | None = None,
        offered: Callable[[], Sequence[ToolSchema]] = tuple,
    ) -> list[Message]:
        """Commit the events and results; the messages that are unanswered now.

        Pending calls of this conversation are closed: with their result from ``results``, else with one that says that
        none came. Calls of another conversation stay pending, since their results come there; but those that another
        process left behind are closed.

        Args:
            incoming: events.
            results: of pending calls.
            conversation: the conversation that they belong to.
            on_commit: called inside the transaction.
            turn: the turn that follows; its model measures the messages. None: they are kept whole, and cut when a
                prompt is made.
            offered: gives the functions on offer in that turn.

        Raises:
            ModelError: the model's server cannot count tokens. The messages are committed all the same.
            ConfigError: the window is too small for the agent; likewise.
        """
        cached = self._context.cached
        cached.refresh()
        self._continue_session(cached.messages)
        given = {result.call_id: result for result in results}
        closing = [
            given.get(call.id) or ToolResult(call.id, call.name, _NO_RESULT, failed=True)
            for message, call in cached.open_calls
            if message.conversation_id in (None, conversation) or message.session_id not in _sessions
        ]
        late = [result.name for result in closing if result.call_id in given]
        if late and _other_turns_since(cached.messages, conversation):  # they stand behind their calls, far above
            names = ", ".join(late)
            incoming = [*incoming, events.heartbeat(f"The result of {names} has come; see it above, and go on there.")]
        failure: ModelError | ConfigError | None = None
        closed, fitted = [events.tool_result(result) for result in closing], [*incoming]
        if turn:
            try:
                closed, fitted = self._cut(closing, incoming, turn, offered)
            except (ModelError, ConfigError) as error:
                failure = error  # a dead server cannot count, a window too small holds nothing: messages are kept whole
        with self._store.transaction(new_id()):
            arrived = [
                replace(message, session_id=self.session, conversation_id=message.conversation_id or conversation)
                for message in (*closed, *fitted)
            ]
            self._store.log.append(self._agent_id, arrived)
            if on_commit:
                on_commit()
        if failure:
            raise failure
        return [*cached.unanswered, *(message for message in arrived if not message.answered)]

    def _continue_session(self, window: Sequence[Message]) -> None:
        """Begin a new session after a pause."""
        if self.session is None or (window and utc_now() - window[-1].created_at > SESSION_PAUSE):
            self.session = new_id()
            _sessions.add(self.session)

    def _cut(
        self,
        results: Sequence[ToolResult],
        incoming: Sequence[Message],
        turn: TurnContext,
        offered: Callable[[], Sequence[ToolSchema]],
    ) -> tuple[list[Message], list[Message]]:
        """Results and events as messages that fit the window of the turn's model."""
        limit = self._context.known_limit(turn.model, turn.instructions)
        if limit is None:
            limit = self._context.limit(turn.model, offered(), turn.instructions)
        cut = [self.result(result, limit, turn.model) for result in results]
        return cut, [self._fitted(event, limit, turn.model) for event in incoming]

    def result(self, result: ToolResult, limit: int, model: ChatModel) -> Message:
        """A function's result as a message, cut to the share of the window that one message may take.

        Args:
            result: what the function answered.
            limit: tokens that all messages may take.
            model: counts tokens.
        """
        text = self._context.fit_result(events.clean(result.content), limit, model)
        return events.tool_result(replace(result, content=text))

    def _fitted(self, event: Message, limit: int, model: ChatModel) -> Message:
        """An event cut to what the window can show; searches see all of it."""
        if not event.text:
            return event
        event = replace(event, images=self._context.fit_images(event, limit, model))
        shown = self._context.fit_message(event.text, limit, model)
        return event if shown == event.text else events.reworded(event, shown)


def _other_turns_since(window: Sequence[Message], conversation: str | None) -> bool:
    """Whether something else has happened since a conversation's last call."""
    here, others = (None, conversation), False
    for message in reversed(window):
        if message.conversation_id not in here:
            others = True
        elif message.tool_calls:
            return others
    return False


def warned_before(messages: Sequence[Message]) -> bool:
    """Whether these messages already tell the agent that its window is nearly full."""
    return any(message.kind == "system_alert" and message.author == PRESSURE_AUTHOR for message in messages)
