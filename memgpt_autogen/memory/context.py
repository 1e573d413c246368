"""The prompt of an agent: its parts, its size, and eviction when it is full.

System prompt, instructions and core memory come first, then the summary of evicted messages, then the messages (with
worked examples, where a preset has them, before the unanswered ones). Everything but the newest messages stays
byte-identical from turn to turn, unless core memory is edited or messages are evicted, so that the prompt caches of
providers and llama.cpp hit.
"""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from ..events import rendered
from ..llm.base import ChatModel
from ..messages import Message, ToolSchema
from ..prompts.presets import Preset
from ..storage.base import Store
from ..storage.records import Summary
from .core import CoreMemory
from .summary import summarise
from .window import REST_BY_SEARCH, REST_IN_RECALL, WindowPolicy, cut_at, room, shorten, squeeze
from .window_cache import WindowCache

logger = logging.getLogger(__name__)

#: Characters of a quotation of what is about to leave; how many there are at most; their share of the room.
_QUOTED, MOST_QUOTED, _QUOTED_SHARE = 60, 8, 0.05


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
        call_ids: the ids of all calls in the window.
    """

    messages: Sequence[Message]
    used: int
    room: int
    reply_tokens: int
    evicted: int = 0
    summary: str = ""
    alone: Sequence[Message] = ()
    logged: Sequence[Message] = ()
    call_ids: Set[str] = frozenset()


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

    Attributes:
        cached: the window, kept between turns.
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
        self.cached = WindowCache(store, agent_id, clock=clock)
        self._fixed: tuple[str, int] = ("", 0)
        self._limits: dict[tuple[str, int, str], int] = {}
        self._told = False

    def prepare(self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str = "") -> Prompt:
        """The prompt for the next step; messages that do not fit any more are summarised first.

        Raises:
            ConfigError: the window is too small for the fixed part.
        """
        with self.cached.lock:
            return self._prepare(model, tools, instructions)

    def _prepare(self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str) -> Prompt:
        fixed, limit = self._fixed_part(model, tools, instructions)
        self.cached.refresh()
        sizes, used = self.cached.sizes(model)
        evicted, summary = 0, ""
        if used > limit:
            self._core.refresh()  # the messages that its newest lines come from may leave
            fixed, limit = self._fixed_part(model, tools, instructions)
            evicted, summary = self._evict(model, sizes, limit)
            self.cached.refresh()
            sizes, used = self.cached.sizes(model)
        fitted = self.cached.shown if used <= limit else self._squeezed(model, sizes, limit)
        reply_tokens = self.policy.reply_tokens(model.context_window, model.reply_tokens)
        # Small models copy what stands nearest: worked examples come right before what is to be answered now, those of
        # searches only where there is a result to answer from; else their words would be repeated.
        turn = _first_unanswered(fitted, len(self.cached.unanswered))
        examples = fixed[1:] if any(message.role == "tool" for message in fitted[turn:]) else self._talk
        whole = [fixed[0], *fitted[:turn], *examples, *fitted[turn:]]
        alone = [fixed[0], *examples, *fitted[turn:]]
        return Prompt(
            whole,
            min(used, limit),
            limit,
            reply_tokens,
            evicted,
            summary,
            alone,
            self.cached.logged,
            self.cached.call_ids,
        )

    def _squeezed(self, model: ChatModel, sizes: Sequence[int], limit: int) -> Sequence[Message]:
        shown = self.cached.shown
        fitted = squeeze(shown, sizes, limit, model.count_tokens, lambda message: model.count([message]))
        if any(one.content != other.content for one, other in zip(fitted, shown, strict=False)):
            self._tell_of_a_cut(model)
        return fitted

    def limit(self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str = "") -> int:
        """Tokens that messages may take.

        Raises:
            ConfigError: the window is too small for the fixed part.
        """
        return self._fixed_part(model, tools, instructions)[1]

    def known_limit(self, model: ChatModel, instructions: str = "") -> int | None:
        """The same as it was measured last; None: not yet. Good enough to cut a message to a share of it."""
        return self._limits.get((model.name, model.context_window, instructions))

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

    def _fixed_part(
        self, model: ChatModel, tools: Sequence[ToolSchema], instructions: str
    ) -> tuple[list[Message], int]:
        parts = [self.system, instructions, self._core.render() if self._preset.core else ""]
        fixed = [Message(role="system", content="\n\n".join(part for part in parts if part)), *self._examples]
        key = f"{model.name} {fixed[0].content} {[tool.name for tool in tools]}"
        if self._fixed[0] != key:
            self._fixed = (key, model.count(fixed, tools))
        window = model.context_window
        limit = room(window, self._fixed[1], self.policy.reply_tokens(window, model.reply_tokens))
        limit -= int(window * self.policy.margin)
        self._limits = {(model.name, window, instructions): limit}
        return fixed, limit

    def leaving(self, model: ChatModel, limit: int) -> list[str]:
        """The beginnings of what people said that the next eviction will take out of the window, oldest first.

        Args:
            model: counts tokens.
            limit: tokens that messages may take; the quotations take about a twentieth of it.
        """
        with self.cached.lock:
            sizes, _ = self.cached.sizes(model)
            messages = self.cached.shown_messages
            gone = cut_at(messages, sizes[len(sizes) - len(messages) :], int(limit * self.policy.keep), limit)
            said = [one.text for one in messages[:gone] if one.kind == "user_message" and one.text]
        most = max(1, int(limit * _QUOTED_SHARE) // (_QUOTED // 4))
        return [textwrap.shorten(text, _QUOTED, placeholder=" ...") for text in said[: min(most, MOST_QUOTED)]]

    def _evict(self, model: ChatModel, sizes: Sequence[int], limit: int) -> tuple[int, str]:
        messages = self.cached.shown_messages
        sizes = sizes[len(sizes) - len(messages) :]
        return self._fold(model, cut_at(messages, sizes, int(limit * self.policy.keep), limit), limit)

    def fold(self, model: ChatModel, tools: Sequence[ToolSchema]) -> tuple[int, str]:
        """Evict and summarise everything before the last turn; how many messages were evicted, and their summary."""
        with self.cached.lock:
            self.cached.refresh()
            messages = self.cached.shown_messages
            starts = [at for at, message in enumerate(messages) if message.kind == "user_message"]
            waiting = [at for at, message in enumerate(messages) if not message.answered]
            last = min([*starts[-1:], *waiting[:1]], default=0)
            self._core.refresh()
            return self._fold(model, last, self.limit(model, tools), asked=True)

    def _fold(self, model: ChatModel, gone: int, limit: int, *, asked: bool = False) -> tuple[int, str]:
        """Evict the first ``gone`` messages of those that are shown."""
        if not gone:
            return 0, ""
        before, leaving = self.cached.summary, self.cached.shown_messages[:gone]
        text = ""
        if self._preset.summarise:
            allowed = min(self.policy.reply_tokens(model.context_window), limit // 4)
            text = summarise(model, before.text if before else "", leaving, allowed)
        evicted = self.cached.through({message.id for message in leaving})
        summary = Summary(
            text=text,
            first_message_id=before.first_message_id if before else evicted[0].id,
            last_message_id=evicted[-1].id,
            messages=len(evicted) + (before.messages if before else 0),
        )
        self._store.log.add_summary(self._agent_id, summary, asked=asked)
        return len(evicted), text


def _first_unanswered(messages: Sequence[Message], waiting: int) -> int:
    """The place of the first unanswered message, of ``waiting`` at most; behind the last if there is none."""
    first = len(messages)
    for place in range(len(messages) - 1, -1, -1):
        if not waiting:
            break
        if not messages[place].answered:
            first, waiting = place, waiting - 1
    return first
