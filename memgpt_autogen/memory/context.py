"""The prompt of an agent: its parts, its size, and eviction when it is full.

System prompt, instructions and core memory come first, then the summary of evicted messages, then the messages (with
worked examples, where a preset has them, before the unanswered ones). Everything but the newest messages stays
byte-identical from turn to turn, unless core memory is edited or messages are evicted, so that the prompt caches of
providers and llama.cpp hit.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..events import RenderCache, rendered, system_alert
from ..llm.base import ChatModel
from ..messages import Message, ToolSchema
from ..prompts.presets import Preset
from ..storage.base import Store
from ..storage.records import Summary
from .core import CoreMemory
from .summary import summarise
from .window import REST_BY_SEARCH, REST_IN_RECALL, WindowPolicy, cut_at, paired, room, shorten, squeeze

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prompt:
    """A prompt that fits.

    Attributes:
        messages: the whole of it.
        used: tokens of the messages after the fixed part.
        room: tokens they may take.
        reply_tokens: tokens kept for the reply.
        evicted: how many messages left the window for it.
        summary: what stands in for them.
        alone: the prompt without what was answered before.
        logged: the messages in the window, as they stand in the log.
    """

    messages: Sequence[Message]
    used: int
    room: int
    reply_tokens: int
    evicted: int = 0
    summary: str = ""
    alone: Sequence[Message] = ()
    logged: Sequence[Message] = ()


class Context:
    """The window of one agent.

    Args:
        store: where messages and summaries are kept.
        agent_id: whose window it is.
        preset: system prompt and worked examples.
        core: core memory.
        system: the system prompt's text.
        policy: when to warn, what to keep.
        clock: whether events show their time.
    """

    def __init__(
        self,
        store: Store,
        agent_id: str,
        preset: Preset,
        core: CoreMemory,
        system: str,
        policy: WindowPolicy,
        *,
        clock: bool = True,
    ) -> None:
        self._store = store
        self._agent_id = agent_id
        self._preset = preset
        self._core = core
        self.system = system
        self.policy = policy
        self._examples, self._talk = rendered(preset.shown()), rendered(preset.talked())
        self._sizes: dict[tuple[str, str, int], int] = {}
        self._rendered: RenderCache = {}
        self._fixed: tuple[str, int] = ("", 0)
        self._told = False
        self._logged: Sequence[Message] = ()
        self._clock = clock

    def prepare(self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str = "") -> Prompt:
        """The prompt for the next step; messages that do not fit any more are summarised first.

        Raises:
            ConfigError: the window is too small for the fixed part.
        """
        fixed, limit = self._fixed_part(model, tools, instructions)
        lead, messages, sizes = self._current(model)
        evicted, summary = 0, ""
        if sum(sizes) > limit:
            self._core.refresh()  # the messages that its newest lines come from may leave
            fixed, limit = self._fixed_part(model, tools, instructions)
            evicted, summary = self._evict(model, messages, sizes[len(lead) :], limit)
            lead, messages, sizes = self._current(model)
        fitted = squeeze([*lead, *messages], sizes, limit, model.count_tokens, lambda message: model.count([message]))
        if any(one.content != other.content for one, other in zip(fitted, [*lead, *messages], strict=False)):
            self._tell_of_a_cut(model)
        reply_tokens = self.policy.reply_tokens(model.context_window, model.reply_tokens)
        # Small models copy what stands nearest: worked examples come right before what is to be answered now, those of
        # searches only where there is a result to answer from; else their words would be repeated.
        turn = next((index for index, message in enumerate(fitted) if not message.answered), len(fitted))
        examples = fixed[1:] if any(message.role == "tool" for message in fitted[turn:]) else self._talk
        whole = [fixed[0], *fitted[:turn], *examples, *fitted[turn:]]
        alone = [fixed[0], *examples, *fitted[turn:]]
        return Prompt(whole, min(sum(sizes), limit), limit, reply_tokens, evicted, summary, alone, self._logged)

    def limit(self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str = "") -> int:
        """Tokens that messages may take.

        Raises:
            ConfigError: the window is too small for the fixed part.
        """
        return self._fixed_part(model, tools, instructions)[1]

    def fit_result(self, text: str, limit: int, model: ChatModel) -> str:
        """A function's result cut to what one may take of the room."""
        return self._fit(text, limit * self.policy.one, model, REST_BY_SEARCH)

    def fit_message(self, text: str, limit: int, model: ChatModel) -> str:
        """The words of an event cut to what one may take of the room."""
        return self._fit(text, limit * self.policy.message, model, REST_IN_RECALL)

    def _fit(self, text: str, budget: float, model: ChatModel, note: str) -> str:
        shown = shorten(text, int(budget), model.count_tokens, note)
        if shown != text:
            self._tell_of_a_cut(model)
        return shown

    def _tell_of_a_cut(self, model: ChatModel) -> None:
        """Tell the user, once."""
        if not self._told:
            self._told = True
            logger.warning(
                "A text is longer than the window of %s (%d tokens) can show. The model sees its start and can search "
                "for the rest. With a larger model, or context_window=... if its window is larger, it sees all.",
                model.name,
                model.context_window,
            )

    def fit_images(self, message: Message, limit: int, model: ChatModel) -> tuple[str, ...]:
        """The first pictures of a message, up to the share of the room that one message may take."""
        images, words = message.images, model.count([replace(message, images=())])
        while images and model.count([replace(message, images=images)]) - words > int(limit * self.policy.one):
            images = images[:-1]
        return images

    def size(self, model: ChatModel, message: Message) -> int:
        """Tokens of a message, cached."""
        key = (model.name, message.id, len(message.content))  # the same event with and without its day
        if key not in self._sizes:
            self._sizes[key] = model.count([message])
        return self._sizes[key]

    def _fixed_part(
        self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str
    ) -> tuple[list[Message], int]:
        parts = [self.system, instructions, self._core.render() if self._preset.core else ""]
        fixed = [Message(role="system", content="\n\n".join(part for part in parts if part)), *self._examples]
        key = f"{model.name} {fixed[0].content} {[tool.name for tool in tools]}"
        if self._fixed[0] != key:
            self._fixed = (key, model.count(fixed, tools))
        window = model.context_window
        return fixed, room(window, self._fixed[1], self.policy.reply_tokens(window, model.reply_tokens))

    def _current(self, model: ChatModel) -> tuple[list[Message], Sequence[Message], list[int]]:
        summary = self._store.log.last_summary(self._agent_id)
        summed_up = [_as_message(summary)] if summary else []
        self._logged = paired(self._store.log.window(self._agent_id))
        shown = rendered([*summed_up, *self._logged], clock=self._clock, cache=self._rendered)
        lead, messages = shown[: len(summed_up)], shown[len(summed_up) :]
        if len(self._sizes) > 4 * len(messages) + 100:
            self._sizes.clear()
            self._rendered.clear()
        return lead, messages, [self.size(model, message) for message in shown]

    def _evict(
        self, model: ChatModel, messages: Sequence[Message], sizes: Sequence[int], limit: int
    ) -> tuple[int, str]:
        return self._fold(model, messages, cut_at(messages, sizes, int(limit * self.policy.keep), limit), limit)

    def fold(self, model: ChatModel, tools: Sequence[ToolSchema]) -> tuple[int, str]:
        """Evict and summarise everything before the last turn; how many messages were evicted, and their summary."""
        messages = paired(self._store.log.window(self._agent_id))
        starts = [at for at, message in enumerate(messages) if message.kind == "user_message"]
        waiting = [at for at, message in enumerate(messages) if not message.answered]
        last = min([*starts[-1:], *waiting[:1]], default=0)
        self._core.refresh()
        return self._fold(model, messages, last, self.limit(model, tools), asked=True)

    def _fold(
        self, model: ChatModel, messages: Sequence[Message], gone: int, limit: int, *, asked: bool = False
    ) -> tuple[int, str]:
        if not gone:
            return 0, ""
        before = self._store.log.last_summary(self._agent_id)
        text = ""
        if self._preset.summarise:
            allowed = min(self.policy.reply_tokens(model.context_window), limit // 4)
            text = summarise(model, before.text if before else "", messages[:gone], allowed)
        summary = Summary(
            text=text,
            first_message_id=before.first_message_id if before else messages[0].id,
            last_message_id=messages[gone - 1].id,
            messages=gone + (before.messages if before else 0),
        )
        self._store.log.add_summary(self._agent_id, summary, asked=asked)
        return gone, text


def _as_message(summary: Summary) -> Message:
    told = f"{summary.messages} earlier messages have left your view; they are in recall memory (conversation_search)."
    alert = system_alert(f"{told} Your notes on them: {summary.text}" if summary.text else told, at=summary.created_at)
    return Message(role="user", content=alert.content, kind=alert.kind, id=summary.id, created_at=summary.created_at)
