"""The agent: one step is one model call and what follows from it; a turn is steps until the agent yields."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from .. import events
from ..errors import ModelError, ModelReplyError
from ..grounding.citations import cited, held
from ..grounding.repetition import unstuck
from ..ids import new_id
from ..llm.base import ChatModel
from ..llm.streaming import Parts
from ..memory.context import Prompt
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall, ToolResult, ToolSchema, Usage
from ..observers import EventReceived, Evicted, FunctionCalled, FunctionReturned, Said, ThoughtInside
from ..prompts.presets import NOT_RUN
from ..storage.locks import running
from ..tools.registry import heartbeat_asked
from .agent_base import AgentBase
from .results import Happened, Outcome, StepResult, Turn, TurnState, tidied

logger = logging.getLogger(__name__)

#: Unreadable replies in a row before the turn is given up; failures of a function before it is withheld for the turn.
PATIENCE = 3


class Agent(AgentBase):
    """A memory-managed agent that lives in a store.

    Everything it knows is in the store after each step; the object holds nothing that could be lost.

    Args:
        store: where it lives.
        row: its record.
        config: the record, read.
        model: answers, unless a turn brings its own.
        preset: prompt, functions and rules.
        system: the system prompt's text.
        embedder: for its searches; None: by words alone.
        tools: further functions, run by the agent itself.
        policy: when the window is full.
    """

    # -- a turn ---------------------------------------------------------------------------------------------------

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
            incoming: events (see :mod:`memgpt_autogen.events`). None at all: go on with what is unanswered.
            results: of calls that an earlier turn left pending.
            tools: functions of the caller's; a call of one ends the turn with it in ``Turn.pending``.
            instructions: the caller's words for the system prompt.
            model: instead of the agent's own.
            cache: handed to the model.
            max_steps: model calls at most; default: the agent's own (12).
            must_speak: the caller waits for words, even if nothing that came in asks for them.
            conversation: which of the agent's conversations this is. A call that is pending in another one goes on
                waiting for its result; in this one it is closed.
            stream: tell the observers of thoughts and words while they are written, where the model can.
            on_commit: called inside the transaction that commits what came in, so that a caller's own record of it
                is kept or lost together with it.

        Raises:
            AgentBusy: the agent is in the middle of a turn elsewhere.
            ModelError: the model's server is dead, refused, or the model wrote nonsense time and again.
            ConfigError: the model's window is too small for the agent.
        """
        with self.store.lock(self.id):
            state = TurnState(model or self.model, tuple(tools), instructions, cache, conversation, stream=stream)
            only_timers = incoming and not results and all(event.kind == "timer" for event in incoming)
            if only_timers and self._paused():
                return Turn()  # not written down either: they would pile up in the window, unanswered
            waiting = self._take_in(incoming, results, state, on_commit)
            state.owes_speech = must_speak or any(message.kind == "user_message" for message in waiting)
            if state.owes_speech and (looked := self._intake.look_up(waiting)):
                call, shown, state.found = looked
                state.called.append(call.name)
                self._tell(FunctionCalled(call, by_program=True))
                self._tell(FunctionReturned(shown))
            return self._loop(state, max_steps or self.config.max_steps)

    def retry(self, *, stream: bool = False) -> Turn:
        """Take back what the agent did in its last turn, and have it answer anew what came in.

        ``stream`` is as in :meth:`run`.

        Raises:
            UndoRefused: there is no turn, or someone else has edited a shared block since.
            ModelError: the model failed; what came in is kept, and answered in the next turn.
        """
        undone = self.undo(keep_incoming=True)
        spoke = any(message.text for message in undone.messages if message.role == "assistant")
        return self.run(must_speak=spoke, stream=stream)

    def summarize(self) -> tuple[int, str]:
        """Move all messages but the last turn's out of the window now.

        Returns:
            How many left it, and the summary that stands in for them (empty where the preset writes none).
        """
        with self.store.lock(self.id):
            gone, summary = self._context.fold(self.model, self._offered(TurnState(self.model)))
            if gone:
                self._warned = False
                self._tell(Evicted(gone, summary))
        return gone, summary

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
        with self.store.lock(self.id):
            self._intake.take_in(incoming, results, None, (), on_commit, conversation)
            for message in incoming:
                self._tell(EventReceived(message))

    def _take_in(
        self,
        incoming: Sequence[Message],
        results: Sequence[ToolResult],
        state: TurnState,
        on_commit: Callable[[], None] | None,
    ) -> Sequence[Message]:
        try:
            return self._intake.take_in(incoming, results, state, self._offered(state), on_commit, state.conversation)
        finally:
            for message in incoming:
                self._tell(EventReceived(message))

    def _loop(self, state: TurnState, max_steps: int) -> Turn:
        result: StepResult | None = None
        while True:
            try:
                result = self.step(state, last=state.steps + 1 >= max_steps)
            except ModelError as error:
                if result is None or result.outcome is not Outcome.PRESSURE:
                    raise
                logger.warning("Nothing could be saved before the window is full: %s", error)
                break  # only the warning was to be dealt with; what was said stands
            if result.outcome in (Outcome.YIELDED, Outcome.AWAITING_TOOLS) or state.steps >= max_steps:
                break
        if state.owes_speech and not state.said and not result.pending:
            raise ModelReplyError(
                f"The model {state.model.name} did not speak in {state.steps} steps, not even when only send_message "
                "was allowed. What was said to it is kept; try again, or use a model that follows function calls."
            )
        return Turn(tuple(state.said), result.pending, state.steps, state.usage)

    def step(self, state: TurnState, *, last: bool = False) -> StepResult:
        """One model call, the functions it calls, one transaction.

        Args:
            state: what the steps of this turn share; it is brought up to date.
            last: no step follows: if words are owed, only ``send_message`` is allowed.
        """
        schemas = self._offered(state)
        prompt = self._context.prepare(state.model, schemas, state.instructions)
        if prompt.evicted:
            self._warned = False
            self._tell(Evicted(prompt.evicted, prompt.summary))
        state.steps += 1
        try:
            streamed = state.stream and not self.preset.unfound  # what is held to a sentence is told when it is whole
            with Parts(self._tell if streamed else None) as parts:
                ask = partial(
                    state.model.complete,
                    tools=schemas,
                    only=self._allowed(state, schemas, last),
                    cache=state.cache,
                    max_tokens=prompt.reply_tokens,
                    on_part=parts.on_part,
                )
                reply = ask(prompt.messages)
                if self.preset.unfound and not state.found:
                    reply = unstuck(reply, prompt, ask)
                parts.settle(reply)
        except ModelReplyError as error:
            state.unreadable += 1
            if last or state.unreadable >= PATIENCE:
                raise
            return self._unreadable(error, state)
        state.unreadable = 0
        taken = {call.id for message in prompt.messages for call in message.tool_calls}
        reply = tidied(reply, taken)
        if state.found and self.preset.unfound:
            reply = held(reply, state.found)
        calls = self.preset.rules.checked(reply.tool_calls, state.called, [schema.name for schema in schemas])
        result = self._act(replace(reply, tool_calls=calls), prompt, state, last)
        if parts.words and not result.said:
            parts.discard("The words could not be sent.")
        state.called += result.called
        state.said += result.said
        state.usage += result.usage
        return result

    def _allowed(self, state: TurnState, schemas: Sequence[ToolSchema], last: bool) -> frozenset[str] | None:
        if (last or state.ended) and state.owes_speech and not state.said and self.tools.get(SEND_MESSAGE):
            return frozenset({SEND_MESSAGE})
        names = [schema.name for schema in schemas]
        allowed = self.preset.rules.allowed(state.called, names)
        # What has failed time and again in this turn will fail once more; weak models do not notice.
        hopeless = {name for name, times in state.failures.items() if times >= PATIENCE}
        return frozenset(allowed or names) - hopeless or allowed if hopeless else allowed

    def _act(self, reply: Reply, prompt: Prompt, state: TurnState, last: bool) -> StepResult:
        """Run the calls of a reply and commit all of it at once."""
        if reply.inner_thoughts:
            self._tell(ThoughtInside(reply.inner_thoughts))
        for call in reply.tool_calls:
            self._tell(FunctionCalled(call))
        foreign = {schema.name for schema in state.tools}
        own = [call for call in reply.tool_calls if call.name not in foreign or call.error]
        # Functions that do not touch memory may be slow: they run before the transaction opens.
        done = {call.id: self._run(call) for call in own if not self._tool(call.name, "memory")}
        for call in own:
            self.tools.prepare(call)
        with self.store.transaction(new_id()):
            done |= {call.id: self.tools.run(call) for call in own if call.id not in done}
            results = tuple(done[call.id] for call in own)
            said = tuple(
                cited(str(call.arguments.get("message", "")), state.found)
                for call in own
                if call.name == SEND_MESSAGE and not done[call.id].failed
            )
            state.ended |= any(call.name in self.preset.rules.last and not done[call.id].failed for call in own)
            message = events.reply(reply.inner_thoughts, reply.tool_calls, "\n".join(said))
            log = [message, *(self._intake.result(result, prompt.room, state) for result in results)]
            happened = Happened(
                results=results,
                pending=tuple(call for call in reply.tool_calls if call.id not in done),
                searched=not state.ended and any(self._tool(call.name, "again") for call in reply.tool_calls),
                asked=not state.ended and any(heartbeat_asked(call.arguments) for call in reply.tool_calls),
                silent=state.owes_speech and not (said or state.said),
                filling=0.0 if state.ended else self._filling(prompt, log, state),
            )
            settled = happened.settled or (last and not happened.silent and not happened.pending)
            self._commit([*log, *happened.nudge()], happened.outcome, state, reply.usage, settled)
        if happened.outcome is Outcome.PRESSURE:
            self._warned = True
        for result in results:
            self._tell(FunctionReturned(result))
        for text in said:
            self._tell(Said(text))
        state.failures.update(call.name for call in own if done[call.id].failed and call.error != NOT_RUN)
        called = tuple(call.name for call in reply.tool_calls if not call.error)
        return StepResult(happened.outcome, said, happened.pending, called, reply.usage)

    def _run(self, call: ToolCall) -> ToolResult:
        with running(call.name):
            return self.tools.run(call)

    def _filling(self, prompt: Prompt, log: Sequence[Message], state: TurnState) -> float:
        """The share of the room in use, if it is time to warn an agent that can do something about it; else 0."""
        used = prompt.used + sum(self._context.size(state.model, entry) for entry in log)
        share = used / prompt.room
        can_save = self.tools.get("core_memory_append") or self.tools.get("archival_memory_insert")
        return share if can_save and not self._warned and share > self._context.policy.warn else 0.0

    def _unreadable(self, error: ModelReplyError, state: TurnState) -> StepResult:
        logger.info("Unreadable reply: %s", error)
        with self.store.transaction(new_id()):
            alert = events.system_alert(f"Your last reply could not be read and was dropped: {error}")
            self._commit([alert], Outcome.FAILED, state, Usage())
        return StepResult(Outcome.FAILED)

    def _commit(
        self, log: Sequence[Message], outcome: Outcome, state: TurnState, usage: Usage, settled: bool = False
    ) -> None:
        session, chat = self._intake.session, state.conversation
        entries = [replace(entry, session_id=session, conversation_id=chat, answered=True) for entry in log]
        self.store.log.append(self.id, entries)
        self.store.log.add_step(self.id, outcome.value, state.model.name, usage)
        if settled:
            self.store.log.mark_answered(self.id)
