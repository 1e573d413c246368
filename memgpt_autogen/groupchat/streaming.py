"""Streaming through AutoGen's client.

AutoGen displays the plain text of a streamed reply, but the memory agent's message is an argument of a function call.
So the ``openai`` client inside AutoGen's is asked for a stream, and AutoGen gets the complete reply. Providers with
another kind of client do not stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from ..llm.base import OnDelta
from ..llm.openai_stream import STREAMED, assemble
from ..messages import ToolSchema
from .client_overlay import with_create


def streaming_requested(llm_config: Any) -> bool:
    """Whether a config has ``stream: True``, at its top level or in an entry."""
    if not llm_config:
        return False
    entries = llm_config.get("config_list") or []
    return bool(llm_config.get("stream")) or any(dict(entry).get("stream") for entry in entries)


def with_streaming(client: Any, tools: Sequence[ToolSchema], on_delta: OnDelta) -> Any:
    """A copy of the ``OpenAIWrapper`` that streams replies to ``on_delta``."""
    clone = with_create(client, lambda create: _streaming_create(create, tools, on_delta))
    clone._config_list = [{**entry, "stream": False} for entry in client._config_list]
    return clone


def _streaming_create(create: Callable[..., Any], tools: Sequence[ToolSchema], on_delta: OnDelta) -> Callable[..., Any]:
    def created(**request: Any) -> Any:
        from openai.types.chat import ChatCompletion

        stream = iter(create(**{**request, **STREAMED}))
        first = next(stream)
        whole = assemble(chain([first], stream), tools, on_delta)
        message, usage = whole.choices[0].message, whole.usage
        choice = {
            "index": 0,
            "finish_reason": "tool_calls" if message.tool_calls else "stop",
            "message": {**vars(message), "role": "assistant"},
        }
        return ChatCompletion.model_validate(
            {
                "id": first.id or "",
                "created": first.created or 0,
                "model": first.model or str(request.get("model", "")),
                "object": "chat.completion",
                "choices": [choice],
                "usage": usage.model_dump() if usage else None,
            }
        )

    return created
