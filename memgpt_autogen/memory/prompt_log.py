"""A record of every prompt that is sent, small enough to keep, from which each can be put together again exactly.

A prompt mostly repeats the one before it, and its messages mostly stand in the log. So a record holds a list of parts:

- ``[start, count]``: messages copied from the prompt before (``base``);
- ``{"id": ..., "before": ..., "after": ...}``: a message of the log, with what was put around its words, such as the
  header of an event in the local time of that moment;
- ``{"role": ..., "content": [...]}``: any other message, by the digests of its paragraphs. Each paragraph is kept once:
  the system prompt, core memory, worked examples, summaries, what was cut to fit.

Nothing depends on how a later version renders a message. The digest of the whole prompt tells whether what was put
together is what was sent: it is not where a message was forgotten, or changed by hand, since then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import is_not
from typing import Any

from ..ids import new_id
from ..messages import Message, ToolSchema, utc_now
from ..storage.base import Store
from ..storage.base.history import PromptRow, PromptText
from .prompt_parts import (
    SentPrompt,
    canonical,
    digest_of,
    hashed,
    in_full,
    key_of,
    message_of,
    of_log,
    options_of,
    tools_of,
    wire,
)
from .prompt_parts import same as same_message

#: Prompts in a chain of copies, at least, before one is written that copies nothing.
CHAIN = 64
#: Messages of the log that are looked at beside those that are new in a prompt: results of other conversations.
_BESIDE = 16


@dataclass(frozen=True)
class PastPrompt:
    """A prompt that was put together again.

    Attributes:
        sent: the call.
        exact: whether it is what was sent, to the byte.
        gone: how many of its messages are forgotten; they are left out.
        row: the record.
    """

    sent: SentPrompt
    exact: bool
    gone: int
    row: PromptRow


class PromptLog:
    """Records the prompts of one agent.

    Args:
        store: where the agent lives.
        agent_id: which agent.
    """

    def __init__(self, store: Store, agent_id: str) -> None:
        self._store = store
        self._agent_id = agent_id
        self._last = ""
        self._chain = 0
        self._sent: Sequence[Message] = ()
        self._resolved: list[dict[str, Any]] = []
        self._digests: list[bytes] = []
        self._kept: set[str] = set()
        self._tools: tuple[Sequence[ToolSchema], str, str] = ((), "", "")

    def add(self, prompts: Iterable[SentPrompt], logged: Sequence[Message], model: str, window: int) -> None:
        """Record prompts, in the transaction of the step that they led to.

        Args:
            prompts: in the order in which they were sent.
            logged: the messages in the window, as they stand in the log.
            model: the model's name.
            window: its context window in tokens.
        """
        if self._last != self._store.history.last_prompt(self._agent_id):  # undone, or another process was here
            self._last, self._sent, self._resolved, self._digests = "", (), [], []
            self._kept.clear()
        for prompt in prompts:
            self._add(prompt, logged, model, window)

    def _add(self, prompt: SentPrompt, logged: Sequence[Message], model: str, window: int) -> None:
        texts: list[PromptText] = []
        parts, resolved, digests = self._parts(prompt.messages, logged, texts)
        if self._chain >= max(CHAIN, len(self._sent) // 4):
            self._last, parts = "", resolved
        tools, written = self._schemas(prompt.tools)
        if written:
            texts.append(PromptText(tools, written, words=False))
        row = PromptRow(
            id=new_id(),
            step_id="",
            model=model,
            base=self._last,
            parts=parts,
            tools=tools,
            options={**options_of(prompt), "window": window},
            digest=digest_of(digests, tools, prompt),
            created_at=utc_now(),
        )
        new = [text for text in texts if text.digest not in self._kept]
        self._store.history.add_prompt(self._agent_id, row, new)
        self._kept.update(text.digest for text in new)
        self._chain = self._chain + 1 if self._last else 0
        self._last, self._sent, self._resolved, self._digests = row.id, prompt.messages, resolved, digests

    def _schemas(self, tools: Sequence[ToolSchema]) -> tuple[str, str]:
        """The digest of the schemas, and their JSON."""
        if [*tools] != [*self._tools[0]]:
            written = canonical(tools_of(tools))
            self._tools = (tools, hashed(written).hex(), written)
        return self._tools[1:]

    def _parts(
        self, messages: Sequence[Message], logged: Sequence[Message], texts: list[PromptText]
    ) -> tuple[list[Any], list[dict[str, Any]], list[bytes]]:
        """The parts of a prompt, those with all copies resolved, and the digest of each message.

        Texts that the parts need are added to ``texts``.
        """
        same = _common(self._sent, messages)
        parts: list[Any] = [[0, same]] if same else []
        resolved, digests = self._resolved[:same], self._digests[:same]
        find = _Finder(self._sent, same)
        rest = messages[same:]
        rows = {row.id: row for row in logged[-len(rest) - _BESIDE :]}
        for message in rest:
            at = find(message)
            if at is None:
                row = rows.get(message.id)
                part = of_log(message, row) or in_full(message, texts, whole=row is not None)
                parts.append(part)
                resolved.append(part)
                digests.append(hashed(canonical(wire(message))))
                continue
            if parts and isinstance(parts[-1], list) and sum(parts[-1]) == at:
                parts[-1] = [parts[-1][0], parts[-1][1] + 1]
            else:
                parts.append([at, 1])
            resolved.append(self._resolved[at])
            digests.append(self._digests[at])
        return parts, resolved, digests


class _Finder:
    """Finds messages of a prompt in the one before, where they mostly stand in the same order.

    Args:
        sent: the prompt before.
        start: where to begin.
    """

    def __init__(self, sent: Sequence[Message], start: int) -> None:
        self._sent = sent
        self._start = self._next = start
        self._places: dict[tuple[object, ...], int] | None = None

    def __call__(self, message: Message) -> int | None:
        """The place of a message; None: it is new."""
        if message.role == "system":
            self._next += 1
            return None
        if self._next >= len(self._sent) or not same_message(self._sent[self._next], message):
            if self._places is None:
                places = range(self._start, len(self._sent))
                self._places = {key_of(self._sent[place]): place for place in places}
            at = self._places.get(key_of(message))
            if at is None or not same_message(self._sent[at], message):
                return None
            self._next = at
        self._next += 1
        return self._next - 1


def past_prompts(store: Store, agent_id: str, steps: Collection[str] | None = None) -> list[PastPrompt]:
    """The prompts that these steps answer, oldest first; None: all that were recorded."""
    return [rebuilt(store, agent_id, row) for row in store.history.prompts(agent_id, steps)]


def rebuilt(store: Store, agent_id: str, row: PromptRow) -> PastPrompt:
    """The prompt of a record."""
    parts, whole = _whole(row, lambda base: store.history.prompt(agent_id, base))
    ids = {part["id"] for part in parts if "id" in part}
    wanted = {digest for part in parts for key in ("content", "tool_calls") for digest in part.get(key, ())}
    rows = store.history.messages_by_id(agent_id, ids)
    texts = store.history.prompt_texts(agent_id, wanted | {row.tools})
    found = [message_of(part, rows, texts) for part in parts]
    messages = [message for message in found if message is not None]
    tools = [ToolSchema(**schema) for schema in json.loads(texts.get(row.tools, "[]"))]
    sent = SentPrompt(messages, tools, row.options.get("only"), row.options.get("max_tokens"))
    gone = len(found) - len(messages)
    tools_digest = hashed(canonical(tools_of(tools))).hex() if row.tools else ""
    digest = digest_of([hashed(canonical(wire(message))) for message in messages], tools_digest, sent)
    return PastPrompt(sent, whole and not gone and digest == row.digest, gone, row)


def _whole(row: PromptRow, find: Callable[[str], PromptRow | None]) -> tuple[list[dict[str, Any]], bool]:
    """A record's parts with all copies resolved; False: a record that it copies from is gone."""
    chain = [row]
    while chain[-1].base and (earlier := find(chain[-1].base)):
        chain.append(earlier)
    parts: list[dict[str, Any]] = []
    for one in reversed(chain):
        resolved: list[dict[str, Any]] = []
        for part in one.parts:
            resolved += parts[part[0] : sum(part)] if isinstance(part, list) else [part]
        parts = resolved
    return parts, not chain[-1].base


def _common(one: Sequence[Message], other: Sequence[Message]) -> int:
    """How many messages at the start are the same."""
    length = min(len(one), len(other))
    for at in compress(range(length), map(is_not, one, other)):
        if not same_message(one[at], other[at]):
            return at
    return length
