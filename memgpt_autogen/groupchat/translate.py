"""Translates between AutoGen's message dicts and the memory agent's events. Pure functions."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .. import events
from ..agent.results import Turn
from ..messages import Message, ToolCall, ToolResult, ToolSchema
from .tool_names import users_name

AutoGenMessage = Mapping[str, Any]


def is_own(message: AutoGenMessage, name: str, own_calls: Collection[str]) -> bool:
    """Whether the agent itself sent this message. (Its tool calls carry no name in AutoGen's lists.)"""
    if message.get("name"):
        return bool(message["name"] == name and message.get("role") != "tool")
    if message.get("role") != "assistant":
        return False
    calls = message.get("tool_calls") or []
    return all(call.get("id") in own_calls for call in calls)


def nameless_calls(messages: Sequence[AutoGenMessage]) -> set[str]:
    """The ids of function calls in messages without a name."""
    unsigned = (message for message in messages if not message.get("name"))
    return {str(call.get("id")) for message in unsigned for call in message.get("tool_calls") or []}


def to_event(message: AutoGenMessage, conversation_id: str, manager: str | None) -> Message | None:
    """A message of another participant as an event; None if it is empty.

    Args:
        message: AutoGen's dict.
        conversation_id: the chat it belongs to.
        manager: the group chat manager's name. Its own messages (introductions) become system alerts.
    """
    text = text_of(message)
    if not text:
        return None
    author = message.get("name")
    if manager and author == manager:
        return events.system_alert(text)
    images = images_of(message.get("content"))
    return events.user_message(text, name=author, conversation_id=conversation_id, images=images)


def text_of(message: AutoGenMessage) -> str:
    """A message as text: its content, its function calls and its function results."""
    parts = []
    responses = message.get("tool_responses") or []
    if not responses:
        parts.append(content_text(message.get("content"), message.get("context")))
    for call in message.get("tool_calls") or []:
        function = call.get("function", {})
        parts.append(f"(calls the function {function.get('name')} with {function.get('arguments')})")
    if call := message.get("function_call"):
        parts.append(f"(calls the function {call.get('name')} with {call.get('arguments')})")
    parts += [f"(the function returned: {content_text(response.get('content'))})" for response in responses]
    return "\n".join(part for part in parts if part)


def content_text(content: Any, context: Mapping[str, Any] | None = None) -> str:
    """Any content as text: a string, a list of parts (images by name only), a callable, or anything else."""
    if content is None:
        return ""
    if isinstance(content, str):
        return str(events.clean(content))
    if callable(content):
        return content_text(_call(content, context or {}))
    if isinstance(content, Sequence):
        return "\n".join(part for part in (_part_text(part) for part in content) if part)
    return str(content)


def _call(content: Callable[..., Any], context: Mapping[str, Any]) -> Any:
    return content(dict(context))


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return str(part)
    kind = part.get("type", "text")
    if kind == "text":
        return str(part.get("text") or "")
    return f"[{str(kind).removesuffix('_url')} attached]"


def images_of(content: Any) -> list[str]:
    """The URLs of the images in a content."""
    if isinstance(content, str) or not isinstance(content, Sequence):
        return []
    parts = [part.get("image_url") for part in content if isinstance(part, Mapping)]
    addresses = [part.get("url") if isinstance(part, Mapping) else part for part in parts]
    return [found for found in map(_address, addresses) if found]


def _address(image: Any) -> str:
    """An image's URL; of a PIL image, as AutoGen's multimodal agents hold it, a data URL."""
    if isinstance(image, str):
        return image
    if not hasattr(image, "save"):
        return ""
    data = io.BytesIO()
    image.save(data, format="PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def results_for(message: AutoGenMessage, pending: Sequence[ToolCall]) -> list[ToolResult]:
    """The results in a message that answer pending function calls."""
    waiting = {call.id: call for call in pending}
    found = []
    for response in message.get("tool_responses") or [message]:
        call = waiting.get(str(response.get("tool_call_id")))
        if call is None and message.get("role") == "function":
            call = next((one for one in pending if message.get("name") in (one.name, users_name(one.name))), None)
        if call is not None:
            found.append(ToolResult(call.id, call.name, content_text(response.get("content"))))
    return found


def to_reply(turn: Turn, legacy_functions: Collection[str] = ()) -> str | dict[str, Any] | None:
    """A turn as AutoGen's reply: text, or a dict with the function calls that AutoGen is to run.

    Args:
        turn: the agent's turn.
        legacy_functions: names of functions from ``functions``, whose calls are returned as ``function_call``.
    """
    text = "\n".join(turn.said)
    if not turn.pending:
        return text or None
    first = turn.pending[0]
    if first.name in legacy_functions:
        return {"content": text or None, "function_call": _function(first)}
    calls = [{"id": call.id, "type": "function", "function": _function(call)} for call in turn.pending]
    return {"content": text or None, "tool_calls": calls}


def _function(call: ToolCall) -> dict[str, str]:
    return {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)}


def offered_tools(llm_config: Any, also: Sequence[AutoGenMessage] = ()) -> tuple[list[ToolSchema], set[str]]:
    """The functions in an agent's ``llm_config``, and the names of those in the old ``functions`` list.

    Args:
        llm_config: the agent's.
        also: tools for this reply only, from a remote client.
    """
    config = llm_config or {}
    listed = [tool.get("function", {}) for tool in (*(config.get("tools") or ()), *also)]
    tools = list({tool["name"]: tool for tool in listed}.values())
    functions = list(config.get("functions") or [])
    schemas = [
        ToolSchema(
            spec["name"],
            spec.get("description") or "",
            spec.get("parameters") or {"type": "object", "properties": {}},
            caller=True,
            extra={key: value for key, value in spec.items() if key not in ("name", "description", "parameters")},
            speaks=False,
        )
        for spec in (*tools, *functions)
    ]
    return schemas, {spec["name"] for spec in functions}
