"""What comes in to an agent: written down before anything else, cut to what the window can show, looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from .. import events
from ..errors import ConfigError, ModelError
from ..grounding.retrieve import Found, can_be_answered, look_up
from ..ids import new_id
from ..memory.context import Context
from ..messages import Message, ToolCall, ToolResult, ToolSchema, utc_now
from ..prompts.presets import Preset, found_text
from ..storage.base import Store
from .results import PRESSURE_AUTHOR, TurnState

#: A pause after which the next message opens a new session.
SESSION_PAUSE = timedelta(minutes=30)

_sessions: set[str] = set()  # those of this process

_REST_IN_RECALL = "(cut: {shown} of {total} characters; conversation_search finds the rest)"
_REST_BY_SEARCH = "(cut: {shown} of {total} characters; ask for less, or for another page)"
_NEVER_CAME = "The result never came: the chat went on without it. Call it again if it is still needed."


class Intake:
    """The way into one agent.

    Args:
        store: where the agent lives.
        agent_id: which agent.
        context: its window.
        preset: says which searches the program makes.

    Attributes:
        session: the sitting that messages belong to. A new one begins with a new process and after a pause.
    """

    def __init__(self, store: Store, agent_id: str, context: Context, preset: Preset) -> None:
        self._store = store
        self._agent_id = agent_id
        self._context = context
        self._preset = preset
        self.session: str | None = None

    def take_in(
        self,
        incoming: Sequence[Message],
        results: Sequence[ToolResult],
        state: TurnState | None,
        offered: Sequence[ToolSchema],
        on_commit: Callable[[], None] | None,
        conversation: str | None = None,
    ) -> list[Message]:
        """Commit what came in; the messages that are unanswered now.

        Calls of this conversation that still wait are closed: with their result, if it is among ``results``, else with
        one that says so. Calls of another conversation go on waiting, for their results come there; but what another
        process left behind is closed.
        Without a ``state`` no model is asked how long anything is: it is kept whole, and cut when a prompt is made.

        Raises:
            ModelError: the model's server cannot count tokens. What came in is kept all the same.
            ConfigError: the window is too small for the agent; likewise.
        """
        window = self._store.log.window(self._agent_id)
        if self.session is None or (window and utc_now() - window[-1].created_at > SESSION_PAUSE):
            self.session = new_id()
            _sessions.add(self.session)
        came = {result.call_id: result for result in results}
        closing = [
            came.get(call.id) or ToolResult(call.id, call.name, _NEVER_CAME, failed=True)
            for call in _open(
                window, lambda one: one.conversation_id in (None, conversation) or one.session_id not in _sessions
            )
        ]
        late = [result.name for result in closing if result.call_id in came]
        if late and _others_since(window, conversation):  # each stands behind its call, far above by now
            names = ", ".join(late)
            incoming = [*incoming, events.heartbeat(f"The result of {names} has come; see it above, and go on there.")]
        failure: ModelError | ConfigError | None = None
        closed, fitted = [events.tool_result(result) for result in closing], [*incoming]
        try:
            if state:
                limit = self._context.limit(state.model, offered, state.instructions)
                cut = [self.result(result, limit, state) for result in closing]
                closed, fitted = cut, [self._fitted(event, limit, state) for event in incoming]
        except (ModelError, ConfigError) as error:
            failure = error  # a dead server cannot count, and a small window holds nothing: what came in is kept whole
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
        return [message for message in (*window, *arrived) if not message.answered]

    def result(self, result: ToolResult, limit: int, state: TurnState) -> Message:
        """A function's result as a message, cut to what one may take of the window."""
        text = self._context.fit(events.clean(result.content), limit, state.model, _REST_BY_SEARCH)
        return events.tool_result(replace(result, content=text))

    def _fitted(self, event: Message, limit: int, state: TurnState) -> Message:
        """An event of which no more is shown than the window can hold; searches see all of it."""
        if not event.text:
            return event
        event = replace(event, images=self._context.fit_images(event, limit, state.model))
        shown = self._context.fit(event.text, limit, state.model, _REST_IN_RECALL)
        return event if shown == event.text else events.reworded(event, shown)

    def look_up(self, waiting: Sequence[Message]) -> tuple[ToolCall, ToolResult, Found] | None:
        """The search that the preset leaves to the program, with the words of the last question.

        Returns:
            The call as it stands in the log, its result as a person reads it, and what was found; None: nothing fits,
            or it was looked up already.
        """
        said = [message for message in waiting if message.kind == "user_message" and message.text]
        searches = self._preset.rules.prefetch
        if not searches or not said or self._store.log.tail(self._agent_id, 1)[0].role != "user":
            return None
        last = next((message for message in reversed(said) if "?" in message.text), said[-1])
        asked = last.text
        found = look_up(self._store, self._agent_id, asked, searches, last.author or "")
        if found is None and self._preset.unfound and can_be_answered(asked):
            found = Found(searches[-1], self._preset.unfound, "nothing found", question=asked)
        if found is None:
            return None
        call = ToolCall(found.function, {"query": asked})
        result = ToolResult(call.id, call.name, found_text(found.told or found.sentence, asked))
        log = [events.reply("", (call,), ""), events.tool_result(result)]
        with self._store.transaction(new_id()):
            self._store.log.append(self._agent_id, [replace(entry, session_id=self.session) for entry in log])
        return call, replace(result, content=f"[{found.where}] {found.sentence}"), found


def open_calls(messages: Sequence[Message], conversation: str | None = None) -> list[ToolCall]:
    """Calls of one conversation that have no result yet, in order."""
    return _open(messages, lambda message: message.conversation_id in (None, conversation))


def _open(messages: Sequence[Message], among: Callable[[Message], bool]) -> list[ToolCall]:
    answered = {message.call_id for message in messages if message.role == "tool"}
    return [call for one in messages if among(one) for call in one.tool_calls if call.id not in answered]


def _others_since(window: Sequence[Message], conversation: str | None) -> bool:
    """Whether something else has happened since a conversation's last call."""
    called = [index for index, message in enumerate(window) if message.tool_calls]
    mine = [index for index in called if window[index].conversation_id in (None, conversation)]
    return bool(mine) and any(one.conversation_id not in (None, conversation) for one in window[mine[-1] :])


def warned_before(messages: Sequence[Message]) -> bool:
    """Whether the agent has been told already that these messages fill its window."""
    return any(message.kind == "system_alert" and message.author == PRESSURE_AUTHOR for message in messages)
