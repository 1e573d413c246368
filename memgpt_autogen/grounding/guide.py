"""The hooks that ground the smallest models: search first, check the reply against what was found, cite its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ..agent.guide import Guide, GuideFactory, ReplyContext, TurnContext
from ..messages import Reply, ToolCall, ToolResult
from ..prompts.few_shot import found_text
from ..prompts.presets import Preset
from .citations import ground_reply, with_citation
from .repetition import ask_without_repetition
from .retrieve import Evidence, is_answerable, retrieve


class GroundingGuide(Guide):
    """Grounds one turn.

    Args:
        turn: the turn.
        preset: ``rules.prefetch`` names the searches, ``not_found`` is the sentence for a question without an answer in
            memory, ``grounded`` says whether replies are checked.
    """

    def __init__(self, turn: TurnContext, preset: Preset) -> None:
        super().__init__(turn)
        self._preset = preset
        self._evidence: Evidence | None = None
        self.streams = not preset.grounded

    def before_turn(self) -> None:
        """Search memory with the words of the last question, and log the best sentence as that search's result."""
        said = [message for message in self.turn.unanswered if message.kind == "user_message" and message.text]
        searches = self._preset.rules.prefetch
        tail = self.turn.store.log.tail(self.turn.agent_id, 1)
        if not searches or not said or tail[0].role != "user":  # else a turn that failed has searched already
            return
        last = next((message for message in reversed(said) if "?" in message.text), said[-1])
        asked = last.text
        found = retrieve(self.turn.store, self.turn.agent_id, asked, searches, last.author or "")
        if found is None and self._preset.not_found and is_answerable(asked):
            found = Evidence(searches[-1], self._preset.not_found, "nothing found", question=asked)
        if found is None:
            return
        call = ToolCall(found.function, {"query": asked})
        result = ToolResult(call.id, call.name, found_text(found.addressed or found.sentence, asked))
        self.turn.add_call(call, result, shown=replace(result, content=f"[{found.source}] {found.sentence}"))
        self._evidence = found

    def check_reply(self, reply: Reply, context: ReplyContext) -> Reply:
        """Hold the reply to the sentence that was found; without one, ask again for a reply that only repeats."""
        if not self._preset.grounded:
            return reply
        return (
            ground_reply(reply, self._evidence)
            if self._evidence
            else ask_without_repetition(reply, context.prompt, context.ask)
        )

    def cite(self, said: str) -> str:
        """Add file and page where the words rest on a document's sentence."""
        return with_citation(said, self._evidence)


def guides_for(preset: Preset) -> Sequence[GuideFactory]:
    """The guides that a preset asks for."""
    if preset.rules.prefetch or preset.grounded:
        return [partial(GroundingGuide, preset=preset)]
    return []
