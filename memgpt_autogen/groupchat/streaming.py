"""What a hosted model writes, heard while it comes.

AutoGen shows the plain words of a streamed reply; what the memory agent says stands in the arguments of a call. So the
``openai`` client inside AutoGen's is asked for a stream, and AutoGen is handed the whole. A provider whose client is of
another kind is not listened to: its replies come as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any

from ..llm.base import OnDelta
from ..llm.openai_stream import STREAMED, assemble
from ..messages import ToolSchema


def asked_for(llm_config: Any) -> bool:
    """Whether a config says ``stream: True``, at its top or in an entry."""
    if not llm_config:
        return False
    entries = llm_config.get("config_list") or []
    return bool(llm_config.get("stream")) or any(dict(entry).get("stream") for entry in entries)


def listening(client: Any, tools: Sequence[ToolSchema], on_delta: OnDelta) -> Any:
    """The same ``OpenAIWrapper``, its replies heard while they come."""
    clone = copy.copy(client)
    clone._clients = [_heard(one, tools, on_delta) for one in client._clients]
    clone._config_list = [{**entry, "stream": False} for entry in client._config_list]
    return clone


def _heard(client: Any, tools: Sequence[ToolSchema], on_delta: OnDelta) -> Any:
    inner: Any = getattr(client, "_oai_client", None)
    if not hasattr(inner, "chat"):
        return client
    completions = inner.chat.completions
    beside = _Beside(completions, create=_streamed(completions.create, tools, on_delta))
    clone = copy.copy(client)
    clone._oai_client = _Beside(inner, chat=_Beside(inner.chat, completions=beside))
    return clone


def _streamed(create: Callable[..., Any], tools: Sequence[ToolSchema], on_delta: OnDelta) -> Callable[..., Any]:
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


class _Beside(SimpleNamespace):
    """An object with some attributes in place of its own."""

    def __init__(self, inner: Any, **instead: Any) -> None:
        super().__init__(**instead)
        self.__dict__["inner"] = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)
