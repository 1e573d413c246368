"""Assembles a streamed reply of the OpenAI chat API and emits its deltas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from ..messages import ToolSchema
from ..servers.base import finish_reason, reasoning_of
from .base import OnDelta
from .streaming import StreamParser

#: Additional fields of a streamed request.
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


class StreamTruncated(Exception):
    """The stream ended before the reply did."""


def assemble(chunks: Iterable[Any], tools: Sequence[ToolSchema], on_delta: OnDelta) -> Any:
    """The complete reply, in the shape of an unstreamed one.

    Args:
        chunks: from the ``openai`` package.
        tools: the functions that were offered.
        on_delta: receives the deltas. Text beside a call is not emitted: what it is shows only at the end.

    Raises:
        StreamTruncated: the last chunk is missing.
    """
    reader = StreamParser(on_delta, tools)
    words, refusal, reasoning, reason, usage, calls = "", "", "", None, None, _Calls()
    for chunk in chunks:
        usage = getattr(chunk, "usage", None) or usage
        if not getattr(chunk, "choices", None):
            continue
        choice = chunk.choices[0]
        reason = finish_reason(choice) or reason
        delta = getattr(choice, "delta", None)
        words += getattr(delta, "content", None) or ""
        refusal += getattr(delta, "refusal", None) or ""
        reasoning += reasoning_of(delta)
        reader.reasoning(reasoning)
        for piece in getattr(delta, "tool_calls", None) or ():
            place = calls.add(piece)
            reader.call(calls.rows[place]["function"]["name"], calls.rows[place]["function"]["arguments"], place)
        if tools and not calls.rows:
            reader.text(words)  # a call that a model writes as text
    if reason is None:
        raise StreamTruncated("The reply broke off.")
    message = SimpleNamespace(
        content=words or None,
        refusal=refusal or None,
        tool_calls=calls.rows or None,
        reasoning_content=reasoning or None,
    )
    return SimpleNamespace(choices=[SimpleNamespace(message=message, finish_reason=reason)], usage=usage)


class _Calls:
    """The calls of one reply, as dicts of the chat API."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._places: dict[int, int] = {}

    def add(self, piece: Any) -> int:
        """Add a piece; returns the index of its call in ``rows``."""
        function = getattr(piece, "function", None)
        name, arguments = getattr(function, "name", None) or "", getattr(function, "arguments", None) or ""
        if not isinstance(arguments, str):  # an object, from servers that need not write it as text
            arguments = json.dumps(arguments, ensure_ascii=False)
        index = getattr(piece, "index", None)
        index = max(self._places, default=0) if index is None else index
        found = self._places.get(index)
        # Some servers give every call the index 0: a new id with a name starts a new call.
        if found is None or (piece.id and name and piece.id != self.rows[found]["id"]):
            found = self._places[index] = len(self.rows)
            self.rows.append({"id": piece.id, "type": "function", "function": {"name": "", "arguments": ""}})
        known = self.rows[found]["function"]
        known["name"] = known["name"] or name
        known["arguments"] += arguments
        return found
