"""Runs one turn: step by step, each with one model call and one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from .. import events
from ..errors import MemGPTError, ModelError, ModelReplyError, PromptTooLong
from ..ids import new_id
from ..llm.plain_speech import as_sent
from ..llm.streaming import StreamedReply
from ..memory.context import Prompt
from ..memory.prompt_parts import SentPrompt
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall, ToolResult, ToolSchema, Usage
from ..observers import Evicted, FunctionCalled, FunctionReturned, InnerThoughts, Said
from ..prompts.tool_rules import NOT_RUN
from ..storage.locks import running
from ..tools.registry import heartbeat_asked
from ..workers import waiting
from .components import Components
from .guide import ReplyContext, TurnContext
from .reply_pipeline import ReplyStage, run_pipeline
from .results import CallResults, Outcome, StepResult, Turn

logger = logging.getLogger(__name__)

#: Unreadable replies in a row after which the turn is given up; failures of a function after which it is withheld.
MAX_FAILURES = 3
#: Model calls that may save something once the agent is warned: one, and another where that failed or asked for it.
MAX_SAVES = 2


class TurnRunner:
    """The steps of one turn.

    Args:
        agent: the components of the agent.
        turn: the state of the turn; each step updates it.
    """

    def __init__(self, agent: Components, turn: TurnContext) -> None:
        self._agent = agent
        self._turn = turn
        self._guides = [make(turn) for make in agent.guides]
        self._sent: list[SentPrompt] = []  # in this step
        self._logged: Sequence[Message] = ()
        self._saving = False  # the answer is given; the agent may only save what is about to leave its window

    def run(self, max_steps: int) -> Turn:
        """Step until the agent yields, waits for the caller's functions, or has made ``max_steps`` model calls.

        Raises:
            ModelError: the model's server failed, or the model did not speak although someone waits for words.
        """
        turn = self._turn
        if turn.owes_speech:
            for guide in self._guides:
                guide.before_turn()
        result: StepResult | None = None
        saves = 0
        while True:
            try:
                result = self.step(last=turn.steps + 1 >= max_steps)
            except ModelError as error:
                if result is None or not self._saving:
                    raise
                logger.warning("The agent could not save anything before its window is full: %s", error)
                break  # the answer was given before; only the pressure warning is lost
            saves += self._saving
            self._saving |= result.outcome is Outcome.PRESSURE
            over = result.outcome in (Outcome.YIELDED, Outcome.AWAITING_TOOLS)
            if over or saves == MAX_SAVES or turn.steps >= max_steps:
                break
        if turn.owes_speech and not turn.said and not result.pending:
            raise ModelReplyError(
                f"The model {turn.model.name} did not speak in {turn.steps} steps, not even when only send_message "
                "was allowed. What was said to it is kept; try again, or use a model that follows function calls."
            )
        done = Turn(tuple(turn.said), result.pending, turn.steps, turn.usage)
        for guide in self._guides:
            try:
                guide.after_turn(done)
            except MemGPTError as error:
                logger.warning("After the turn, %s failed: %s", type(guide).__name__, error)
        return done

    def step(self, *, last: bool = False) -> StepResult:
        """One model call, the functions it calls, one transaction.

        Args:
            last: no further step follows: if words are owed, only ``send_message`` is allowed.
        """
        turn = self._turn
        offered = self._agent.offered(turn.tools)
        turn.steps += 1
        self._sent = []
        wants_stream = turn.stream and all(guide.streams for guide in self._guides)
        try:
            with StreamedReply(self._agent.tell if wants_stream else None) as streamed:
                prompt, reply = self._prompt_and_reply(offered, streamed, last)
        except ModelReplyError as error:
            if self._saving:
                logger.info("Nothing is saved before the window is full: %s", error)
                return StepResult(Outcome.YIELDED)
            turn.unreadable += 1
            if last or turn.unreadable >= MAX_FAILURES:
                raise
            return self._drop_unreadable(error)
        turn.unreadable = 0
        result = self._act(reply, prompt, last)
        if streamed.words and not result.said:
            streamed.discard("The words could not be sent.")
        turn.called += result.called
        turn.said += result.said
        turn.usage += result.usage
        return result

    def _prompt_and_reply(
        self, offered: Sequence[ToolSchema], streamed: StreamedReply, last: bool
    ) -> tuple[Prompt, Reply]:
        """The prompt and the model's reply to it. A prompt that the provider finds too long is made anew, shorter."""
        refusals = 0
        while True:
            prompt = self._agent.context.prepare(self._turn.model, offered, self._turn.instructions)
            self._logged = prompt.logged
            if prompt.evicted:
                self._agent.warned = False
                self._agent.tell(Evicted(prompt.evicted, prompt.summary))
            try:
                return prompt, self._ask(prompt, offered, streamed, last)
            except PromptTooLong as error:
                refusals += 1
                if refusals == MAX_FAILURES:
                    raise error.__cause__ or error from None

    def _ask(self, prompt: Prompt, offered: Sequence[ToolSchema], streamed: StreamedReply, last: bool) -> Reply:
        """One reply of the model, through the pipeline."""
        turn, names = self._turn, [schema.name for schema in offered]
        only = self._allowed(names, last)

        def ask(messages: Sequence[Message], added: Sequence[Message] = ()) -> Reply:
            streamed.discard("The model is asked once more.")
            asked, limit = [*messages, *added], prompt.reply_tokens - (turn.model.count(added) if added else 0)
            self._sent.append(SentPrompt(*as_sent(turn.model, asked, offered), only, limit))
            with waiting():
                return turn.model.complete(
                    asked, tools=offered, only=only, cache=turn.cache, max_tokens=limit, on_delta=streamed.on_delta
                )

        context = ReplyContext(prompt, ask)
        stage = ReplyStage(context, self._guides, streamed, self._agent.preset.rules, turn.called, names)
        return run_pipeline(ask(prompt.messages), stage)

    def _allowed(self, names: Sequence[str], last: bool) -> frozenset[str] | None:
        """The functions that the next reply may call; None: any."""
        turn, rules = self._turn, self._agent.preset.rules
        if self._saving:
            return frozenset(name for name in names if self._agent.has_trait(name, "writes"))
        if (last or turn.ended) and turn.owes_speech and not turn.said and self._agent.tools.get(SEND_MESSAGE):
            return frozenset({SEND_MESSAGE})
        allowed = rules.allowed(turn.called, names)
        # A function that failed this often in one turn will fail again; weak models do not notice.
        hopeless = {name for name, times in turn.failures.items() if times >= MAX_FAILURES}
        return frozenset(allowed or names) - hopeless or allowed if hopeless else allowed

    def _act(self, reply: Reply, prompt: Prompt, last: bool) -> StepResult:
        """Run the calls of a reply and commit the whole step at once."""
        agent, turn = self._agent, self._turn
        if reply.inner_thoughts:
            agent.tell(InnerThoughts(reply.inner_thoughts))
        for call in reply.tool_calls:
            agent.tell(FunctionCalled(call))
        foreign = {schema.name for schema in turn.tools}
        own = [call for call in reply.tool_calls if call.name not in foreign or call.error]
        # Functions that do not touch memory may be slow: they run before the transaction opens.
        done = {call.id: self._run(call) for call in own if not agent.has_trait(call.name, "memory")}
        for call in own:
            agent.tools.prepare(call)
        with agent.context.cached.lock, agent.store.transaction(new_id()):  # in this order everywhere
            done |= {call.id: agent.tools.run(call) for call in own if call.id not in done}
            succeeded = [call for call in own if not done[call.id].failed]
            said = tuple(self._words(call) for call in succeeded if call.name == SEND_MESSAGE)
            turn.ended |= any(call.name in agent.preset.rules.last for call in succeeded)
            results = [done[call.id] for call in own]
            log = [
                events.reply(reply.inner_thoughts, reply.tool_calls, "\n".join(said)),
                *(agent.intake.result(result, prompt.room, turn.model) for result in results),
            ]
            outcome = CallResults(
                results=tuple(results),
                pending=tuple(call for call in reply.tool_calls if call.id not in done),
                searched=not turn.ended and any(agent.has_trait(call.name, "again") for call in reply.tool_calls),
                heartbeat=not turn.ended and any(heartbeat_asked(call.arguments) for call in reply.tool_calls),
                speech_owed=turn.owes_speech and not (said or turn.said),
                pressure=0.0 if turn.ended else self._pressure(prompt, log),
                leaving=partial(agent.context.leaving, turn.model, prompt.room),
            )
            answered = outcome.answered or (last and not outcome.speech_owed and not outcome.pending)
            self._commit([*log, *outcome.next_event()], outcome.outcome, reply.usage, answered)
        agent.warned |= outcome.outcome is Outcome.PRESSURE
        for result in results:
            agent.tell(FunctionReturned(result))
        for text in said:
            agent.tell(Said(text))
        turn.failures.update(call.name for call in own if done[call.id].failed and call.error != NOT_RUN)
        called = tuple(call.name for call in reply.tool_calls if not call.error)
        return StepResult(outcome.outcome, said, outcome.pending, called, reply.usage)

    def _words(self, call: ToolCall) -> str:
        said = str(call.arguments.get("message", ""))
        for guide in self._guides:
            said = guide.cite(said)
        return said

    def _run(self, call: ToolCall) -> ToolResult:
        with running(call.name), waiting():
            return self._agent.tools.run(call)

    def _pressure(self, prompt: Prompt, log: Sequence[Message]) -> float:
        """The share of the window's room in use, if an agent that can save something must be warned now; else 0."""
        agent = self._agent
        used = prompt.used + sum(agent.context.cached.size(self._turn.model, entry) for entry in log)
        share = used / prompt.room
        warn = not agent.warned and share > agent.context.policy.warn
        return share if warn and agent.can_save() else 0.0

    def _drop_unreadable(self, error: ModelReplyError) -> StepResult:
        logger.info("Unreadable reply: %s", error)
        with self._agent.store.transaction(new_id()):
            alert = events.system_alert(f"Your last reply could not be read and was dropped: {error}")
            self._commit([alert], Outcome.FAILED, Usage())
        return StepResult(Outcome.FAILED)

    def _commit(self, log: Sequence[Message], outcome: Outcome, usage: Usage, answered: bool = False) -> None:
        agent, turn = self._agent, self._turn
        agent.store.log.append(agent.agent_id, turn.stamped(log))
        agent.store.log.add_step(agent.agent_id, outcome.value, turn.model.name, usage)
        agent.prompts.add(self._sent, self._logged, turn.model.name, turn.model.context_window)
        if answered:
            agent.store.log.mark_answered(agent.agent_id)
