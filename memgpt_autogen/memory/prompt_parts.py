"""The parts of recorded prompts: messages to parts and back, the canonical form of a model call, and digests."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from ..messages import Message, ToolCall, ToolSchema
from ..storage.base.history import PromptText

_PARAGRAPH = "\n\n"


@dataclass(frozen=True)
class SentPrompt:
    """The arguments of one model call.

    Attributes:
        messages: the prompt.
        tools: the functions on offer.
        only: names of those that the reply might call; None: all.
        max_tokens: the token limit of the reply.
    """

    messages: Sequence[Message]
    tools: Sequence[ToolSchema] = ()
    only: Collection[str] | None = None
    max_tokens: int | None = None

    def to_json(self) -> str:
        """The call as canonical JSON: the same bytes for the same call, in any process."""
        return canonical(
            {**options_of(self), "messages": [wire(one) for one in self.messages], "tools": tools_of(self.tools)}
        )


def of_log(message: Message, row: Message | None) -> dict[str, Any] | None:
    """A message as a reference to the log; None: it is not in the log, or not as it was sent."""
    if row is None:
        return None
    for field in ("content", "text"):
        words = getattr(row, field)
        at = message.content.find(words) if words or not message.content else -1
        if at < 0:
            continue
        part: dict[str, Any] = {"id": message.id}
        part |= {"field": field} if field != "content" else {}
        part |= {"before": message.content[:at]} if at else {}
        part |= {"after": after} if (after := message.content[at + len(words) :]) else {}
        part |= {"role": message.role} if message.role != row.role else {}
        part |= {"bare": True} if row.tool_calls and not message.tool_calls else {}
        again = message_of(part, {row.id: row}, {})
        return part if again and same(again, message) else None
    return None


def in_full(message: Message, texts: list[PromptText], *, whole: bool) -> dict[str, Any]:
    """A message by the digests of its texts; ``whole``: in one piece, so that it is forgotten in one piece."""

    def kept(text: str) -> str:
        digest = hashed(text).hex()
        texts.append(PromptText(digest, text))
        return digest

    pieces = [message.content] if whole else message.content.split(_PARAGRAPH)
    part: dict[str, Any] = {"role": message.role, "content": [kept(piece) for piece in pieces]}
    if message.tool_calls:
        part["tool_calls"] = [kept(canonical([_plain(call) for call in message.tool_calls]))]
    for field in ("call_id", "author", "kind"):
        part |= {field: value} if (value := getattr(message, field)) else {}
    return part | ({"images": list(message.images)} if message.images else {})


def message_of(part: Mapping[str, Any], rows: Mapping[str, Message], texts: Mapping[str, str]) -> Message | None:
    """The message of a part; None: it is gone."""
    if "id" not in part:
        if any(digest not in texts for key in ("content", "tool_calls") for digest in part.get(key, ())):
            return None
        calls = json.loads(texts[part["tool_calls"][0]] or "[]") if "tool_calls" in part else ()
        return Message(
            role=part["role"],
            content=_PARAGRAPH.join(texts[digest] for digest in part["content"]),
            tool_calls=tuple(ToolCall(**call) for call in calls),
            call_id=part.get("call_id"),
            author=part.get("author"),
            kind=part.get("kind", ""),
            images=tuple(part.get("images", ())),
        )
    row = rows.get(part["id"])
    if row is None:
        return None
    content = part.get("before", "") + getattr(row, part.get("field", "content")) + part.get("after", "")
    calls = () if part.get("bare") else row.tool_calls
    if part.get("role", row.role) != row.role:  # the result of a function, told as an event
        return Message(part["role"], content, id=row.id)
    return replace(row, content=content, tool_calls=calls)


def same(one: Message, other: Message) -> bool:
    """Whether a model is sent the same."""
    return (
        one.content == other.content
        and one.role == other.role
        and one.tool_calls == other.tool_calls
        and one.call_id == other.call_id
        and one.images == other.images
        and one.author == other.author
        and one.kind == other.kind
    )


def key_of(message: Message) -> tuple[object, ...]:
    """What messages that are sent the same have in common, as a key."""
    return message.role, message.content, message.call_id, tuple(call.id for call in message.tool_calls)


# -- canonical JSON ---------------------------------------------------------------------------------------------------


def wire(message: Message) -> dict[str, Any]:
    """What of a message a model may be shown."""
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        found["tool_calls"] = [_plain(call) for call in message.tool_calls]
    for field in ("call_id", "author", "kind"):
        found |= {field: value} if (value := getattr(message, field)) else {}
    return found | ({"images": list(message.images)} if message.images else {})


def _plain(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": dict(call.arguments), "id": call.id, "error": call.error}


def tools_of(tools: Sequence[ToolSchema]) -> list[dict[str, Any]]:
    """Schemas as JSON types."""
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "caller": tool.caller,
            "extra": tool.extra,
            "speaks": tool.speaks,
        }
        for tool in tools
    ]


def options_of(prompt: SentPrompt) -> dict[str, Any]:
    """What is sent beside messages and functions, as JSON types."""
    only = None if prompt.only is None else sorted(prompt.only)
    return {"only": only, "max_tokens": prompt.max_tokens}


def digest_of(digests: Sequence[bytes], tools: str, prompt: SentPrompt) -> str:
    """The digest of a whole call, from those of its messages and of its functions."""
    return hashed(b"".join(digests) + f"{tools}{canonical(options_of(prompt))}".encode()).hex()


def hashed(value: str | bytes) -> bytes:
    """A digest of 16 bytes."""
    return blake2b(value if isinstance(value, bytes) else value.encode("utf-8", "replace"), digest_size=16).digest()


def canonical(value: Any) -> str:
    """The one form of a value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
