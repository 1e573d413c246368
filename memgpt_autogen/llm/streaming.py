"""A reply while it is written: what it thinks and says, told piece by piece.

The text of a reply is JSON that has not ended yet; it is read as far as it goes, anew for each piece that comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from pydantic_core import from_json

from ..messages import SEND_MESSAGE, Reply, ToolSchema
from ..observers import Discarded, SpeechDelta, ThoughtDelta
from .base import OnDelta, ReplyDelta
from .reasoning import answer_so_far
from .repair import Names, calls_in
from .reply_schema import THOUGHTS

#: Where a call begins in a reply that thinks aloud first, with the fence that some models put before it.
_CALL = re.compile(r"\s*(?:```\w*\s*|<\|?tool_call\|?>\s*)?\{\s*[\"']")
#: What may become the start of a call with the next piece.
_PERHAPS = re.compile(r"\s*(?:`{1,3}\w*\s*|<[^>\s]*>?\s*)?\{?\s*$")


class StreamedReply:
    """The parts of one reply on their way to whoever listens. As a context manager it takes back what is told in vain.

    Args:
        tell: hears of every part; None: nobody listens, and nothing is streamed.

    Attributes:
        on_delta: for :meth:`memgpt_autogen.llm.base.ChatModel.complete`; None where nobody listens.
    """

    def __init__(self, tell: OnDelta | None) -> None:
        self._tell = tell
        self._told: dict[tuple[type[ThoughtDelta | SpeechDelta], int], str] = {}
        self.on_delta: OnDelta | None = self._pass_on if tell else None

    def __enter__(self) -> StreamedReply:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            broken = isinstance(error, Exception)  # else Ctrl-C, or a listener that left
            self.discard((str(error) or type(error).__name__) if broken else "It was stopped before it was whole.")

    def reconcile(self, reply: Reply) -> None:
        """See that the parts told make up the reply; what differs is taken back."""
        said = [str(call.arguments.get("message", "")) for call in reply.tool_calls if call.name == SEND_MESSAGE]
        rows = sorted((call, text) for (kind, call), text in self._told.items() if kind is SpeechDelta)
        if not rows:
            return
        told, last = [text for _, text in rows], len(rows) - 1
        if told[:last] != said[:last] or not "".join(said[last : last + 1]).startswith(told[last]) or last >= len(said):
            self.discard("The reply came out otherwise.")
        elif told[last] != said[last]:
            self._pass_on(SpeechDelta(said[last][len(told[last]) :], rows[last][0]))

    def discard(self, why: str) -> None:
        """Take back what was told, if anything was."""
        if self._told and self._tell:
            self._told.clear()
            self._tell(Discarded(why))

    @property
    def words(self) -> bool:
        """Whether words have been told, and not taken back."""
        return any(kind is SpeechDelta for kind, _ in self._told)

    def _pass_on(self, part: ReplyDelta) -> None:
        if isinstance(part, Discarded):
            self.discard(part.why)
        elif self._tell:
            key = (type(part), part.call)
            self._told[key] = self._told.get(key, "") + part.text
            self._tell(part)


class StreamParser:
    """Finds thoughts and words in a growing reply, and tells what is new of them.

    Args:
        tell: hears of the parts.
        tools: the functions that the reply may call.
        aloud: whether it thinks in plain words before its call.
    """

    def __init__(self, tell: OnDelta, tools: Sequence[ToolSchema], *, aloud: bool = False) -> None:
        self._tell = tell
        self._names = Names(tools)
        self._aloud = aloud
        self._reasoning = ""
        self._told: dict[tuple[type[ThoughtDelta | SpeechDelta], int], str] = {}

    def discard(self, why: str) -> None:
        """Take back what was told, if anything was; the reply begins anew."""
        self._reasoning = ""
        if self._told:
            self._told.clear()
            self._tell(Discarded(why))

    def after(self, prefix: str) -> Callable[[str | None], None]:
        """Reads a reply whose start the prompt gave. Called with all its text so far, or None where it begins anew."""

        def read(text: str | None) -> None:
            if text is None:
                self.discard("The connection broke; the model is asked once more.")
            else:
                self.text(prefix + text)

        return read

    def text(self, text: str) -> None:
        """All of a reply that has come so far, where calls are written as text.

        A call behind other words is told only with the whole reply: they may prove to be reasoning that drafts it.
        """
        reasoning, text = answer_so_far(text)
        self.reasoning(reasoning)
        found = _CALL.search(text) if self._aloud else _CALL.match(text)
        if self._aloud:
            before = text[: found.start()] if found else _PERHAPS.sub("", text)
            self._thought(before.strip(), 0)
        start = text.find("{", found.start()) if found else -1
        if start < 0:
            return
        for index, (name, arguments, thought) in enumerate(calls_in(_so_far(text[start:]), self._names)):
            if thought and not self._aloud:
                self._thought(thought, index)
            self.call(name, arguments, index)

    def reasoning(self, text: str) -> None:
        """All of a model's reasoning that has come so far."""
        if text:
            self._reasoning = text
            self._more(ThoughtDelta, text, 0)

    def call(self, name: str, arguments: Any, index: int = 0) -> None:
        """All of one call that has come so far; the arguments as JSON text or read already."""
        if isinstance(arguments, str):
            arguments = _so_far(arguments)
        name = self._names.find(name) or ""
        if not isinstance(arguments, Mapping) or not name:
            return
        thought, words = arguments.get(THOUGHTS), arguments.get("message")
        if isinstance(thought, str):
            self._thought(thought, index)
        if name == SEND_MESSAGE and isinstance(words, str):
            self._more(SpeechDelta, words, index)

    def _thought(self, text: str, index: int) -> None:
        before = "" if index else self._reasoning
        self._more(ThoughtDelta, "\n".join(part for part in (before, text) if part), index)

    def _more(self, kind: type[ThoughtDelta | SpeechDelta], text: str, index: int) -> None:
        told = self._told.get((kind, index), "")
        if len(text) > len(told) and text.startswith(told):
            self._told[kind, index] = text
            self._tell(kind(text[len(told) :], index))


def _so_far(text: str) -> Any:
    """The value that a JSON text is, or is the beginning of; None if it is neither."""
    try:
        return from_json(text, allow_partial="trailing-strings")
    except ValueError:
        pass
    try:  # more stands behind it
        return json.JSONDecoder(strict=False).raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
