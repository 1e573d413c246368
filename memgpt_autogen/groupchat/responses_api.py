"""OpenAI's Responses API behind AutoGen's clients of it: the whole conversation in each request.

AutoGen's clients send what is new and name the response before it, which they forget when a client is built anew or in
the next process; and they leave out the calls of earlier turns, whose results the API then refuses. The memory agent
has the whole conversation at hand: it is sent as the API's own items, and no earlier response is named.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Where AutoGen's clients keep the response before.
_STATE = ("previous_response_id", "_previous_response_id")


def is_stateful(client: Any) -> bool:
    """Whether one of AutoGen's clients continues from the response before."""
    return any(hasattr(client, name) for name in _STATE)


class WholeConversation:
    """A client of the Responses API that is sent the whole conversation.

    Args:
        client: AutoGen's. It is left as it is.
    """

    def __init__(self, client: Any) -> None:
        self._client = copy.copy(client)
        for name in _STATE:
            if hasattr(self._client, name):
                setattr(self._client, name, None)

    def create(self, params: Mapping[str, Any]) -> Any:
        """The response to ``params["messages"]``, in the chat API's form."""
        given = {key: value for key, value in params.items() if key != "messages"}
        return self._client.create({**given, "input": to_items(params.get("messages") or ())})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_client":  # while it is copied, it has no client yet
            raise AttributeError(name)
        return getattr(self._client, name)


def to_items(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages of the chat API as items of the Responses API.

    Args:
        messages: in order, with ``tool_calls`` and ``tool_call_id``.
    """
    return [item for message in messages for item in _items(message)]


def _items(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    role, content = message.get("role", "user"), message.get("content")
    if role == "tool":
        output = content if isinstance(content, str) else str(content or "")
        yield {"type": "function_call_output", "call_id": message.get("tool_call_id"), "output": output}
        return
    if blocks := [_block(part, role) for part in (content if isinstance(content, list) else [content]) if part]:
        yield {"role": role, "content": blocks}
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield {
            "type": "function_call",
            "call_id": call["id"],
            "name": function["name"],
            "arguments": function["arguments"],
        }


def _block(part: Any, role: str) -> dict[str, Any]:
    if isinstance(part, Mapping) and part.get("type") == "image_url":
        image = part["image_url"]
        return {"type": "input_image", "image_url": image["url"] if isinstance(image, Mapping) else image}
    text = part.get("text", "") if isinstance(part, Mapping) else str(part)
    return {"type": "output_text" if role == "assistant" else "input_text", "text": text}
