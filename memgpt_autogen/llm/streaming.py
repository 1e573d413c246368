"""Streaming of a reply: inner thoughts and speech as deltas while the model writes.

The text of a reply is incomplete JSON; it is parsed again, as far as it goes, with each piece.
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

#: The start of a call, with the code fence or tag that some models put before it.
_CALL = re.compile(r"\s*(?:```\w*\s*|<\|?tool_call\|?>\s*)?\{\s*[\"']")
#: Text that may turn out to be the start of a call.
_PERHAPS = re.compile(r"\s*(?:`{1,3}\w*\s*|<[^>\s]*>?\s*)?\{?\s*$")


class StreamedReply:
    """Passes the deltas of one reply to an observer. As a context manager it discards them if the call fails.

    Args:
        emit: receives every delta; None: nothing is streamed.

    Attributes:
        on_delta: for :meth:`memgpt_autogen.llm.base.ChatModel.complete`; None: nothing is streamed.
    """

    def __init__(self, emit: OnDelta | None) -> None:
        self._emit = emit
        self._shown: dict[tuple[type[ThoughtDelta | SpeechDelta], int], str] = {}
        self.on_delta: OnDelta | None = self._pass_on if emit else None

    def __enter__(self) -> StreamedReply:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            broken = isinstance(error, Exception)  # else Ctrl-C, or an observer that stopped the turn
            self.discard((str(error) or type(error).__name__) if broken else "It was stopped before it was complete.")

    def reconcile(self, reply: Reply) -> None:
        """Make the deltas that were shown equal the reply: emit what is missing, or discard what differs."""
        said = [str(call.arguments.get("message", "")) for call in reply.tool_calls if call.name == SEND_MESSAGE]
        rows = sorted((call, text) for (kind, call), text in self._shown.items() if kind is SpeechDelta)
        if not rows:
            return
        shown, last = [text for _, text in rows], len(rows) - 1
        if (
            shown[:last] != said[:last]
            or not "".join(said[last : last + 1]).startswith(shown[last])
            or last >= len(said)
        ):
            self.discard("The reply was changed.")
        elif shown[last] != said[last]:
            self._pass_on(SpeechDelta(said[last][len(shown[last]) :], rows[last][0]))

    def discard(self, why: str) -> None:
        """Discard the deltas that were shown, if any."""
        if self._shown and self._emit:
            self._shown.clear()
            self._emit(Discarded(why))

    @property
    def words(self) -> bool:
        """Whether speech was shown and not discarded."""
        return any(kind is SpeechDelta for kind, _ in self._shown)

    def _pass_on(self, delta: ReplyDelta) -> None:
        if isinstance(delta, Discarded):
            self.discard(delta.why)
        elif self._emit:
            key = (type(delta), delta.call)
            self._shown[key] = self._shown.get(key, "") + delta.text
            self._emit(delta)


class StreamParser:
    """Finds thoughts and speech in a growing reply and emits what is new.

    Args:
        emit: receives the deltas.
        tools: the functions that the reply may call.
        aloud: whether the model writes its thoughts as plain text before the call.
    """

    def __init__(self, emit: OnDelta, tools: Sequence[ToolSchema], *, aloud: bool = False) -> None:
        self._emit = emit
        self._names = Names(tools)
        self._speech = {tool.name for tool in tools if tool.is_speech}
        self._aloud = aloud
        self._reasoning = ""
        self._shown: dict[tuple[type[ThoughtDelta | SpeechDelta], int], str] = {}

    def discard(self, why: str) -> None:
        """Discard the deltas that were shown, if any: the reply starts again."""
        self._reasoning = ""
        if self._shown:
            self._shown.clear()
            self._emit(Discarded(why))

    def after(self, prefix: str) -> Callable[[str | None], None]:
        """A callback for the text of a reply that continues ``prefix``: the whole text so far; None: a restart."""

        def read(text: str | None) -> None:
            if text is None:
                self.discard("The connection broke; the model is asked once more.")
            else:
                self.text(prefix + text)

        return read

    def text(self, text: str) -> None:
        """Parse the text of a reply so far, in which calls are written as text.

        A call after other text is shown only once the reply is complete: that text may be reasoning that drafts it.
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
        """Parse the model's reasoning so far."""
        if text:
            self._reasoning = text
            self._more(ThoughtDelta, text, 0)

    def call(self, name: str, arguments: Any, index: int = 0) -> None:
        """Parse one call so far; its arguments are JSON text or already parsed."""
        if isinstance(arguments, str):
            arguments = _so_far(arguments)
        name = self._names.find(name) or ""
        if not isinstance(arguments, Mapping) or not name:
            return
        thought, words = arguments.get(THOUGHTS), arguments.get("message")
        if isinstance(thought, str):
            self._thought(thought, index)
        if name in self._speech and isinstance(words, str):
            self._more(SpeechDelta, words, index)

    def _thought(self, text: str, index: int) -> None:
        before = "" if index else self._reasoning
        self._more(ThoughtDelta, "\n".join(part for part in (before, text) if part), index)

    def _more(self, kind: type[ThoughtDelta | SpeechDelta], text: str, index: int) -> None:
        shown = self._shown.get((kind, index), "")
        if len(text) > len(shown) and text.startswith(shown):
            self._shown[kind, index] = text
            self._emit(kind(text[len(shown) :], index))


class PlainTextStream(StreamParser):
    """The words of a reply without calls, as deltas of speech.

    Args:
        emit: receives the deltas.
    """

    def __init__(self, emit: OnDelta) -> None:
        super().__init__(emit, ())

    def text(self, text: str) -> None:
        """Show the answer so far."""
        reasoning, answer = answer_so_far(text)
        self.reasoning(reasoning)
        self._more(SpeechDelta, answer.lstrip(), 0)


def _so_far(text: str) -> Any:
    """The value of a JSON text, complete or not; None if it is not JSON."""
    try:
        return from_json(text, allow_partial="trailing-strings")
    except ValueError:
        pass
    try:  # more stands behind it
        return json.JSONDecoder(strict=False).raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
