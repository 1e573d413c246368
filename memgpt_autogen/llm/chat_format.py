"""Converts messages and functions to the OpenAI chat API's format, and its replies back.

Shared by :mod:`.openai` and the models of the AutoGen adapters. ``inner_thoughts`` is added as the first parameter of
every function, so that the model thinks before it acts; the functions themselves never see it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..errors import ModelReplyError
from ..events import clean
from ..messages import Message, Reply, ToolCall, ToolSchema
from .reasoning import split_reasoning
from .repair import holds_data, parse_calls, to_call
from .reply_schema import THOUGHTS

Json = dict[str, Any]

#: Without a description: the system prompt describes it once for all functions.
_THOUGHTS_SCHEMA = {"type": "string"}


def to_chat_messages(
    messages: Sequence[Message],
    inner_thoughts: bool = True,
    images: bool = False,
    callers: Collection[str] = (),
) -> list[Json]:
    """The messages in the chat API's format: assistant with ``tool_calls``, ``tool`` with ``tool_call_id``.

    Args:
        messages: in order; every result follows its call.
        inner_thoughts: whether the monologue is an argument of the first call, as the model wrote it; else it is the
            message's content.
        images: whether images are sent to the model.
        callers: names of the caller's functions, whose arguments hold no monologue.
    """
    return [_chat_message(message, inner_thoughts, images, callers) for message in messages]


def _chat_message(message: Message, inner_thoughts: bool, images: bool, callers: Collection[str]) -> Json:
    if images and message.images:
        parts = [{"type": "image_url", "image_url": {"url": address}} for address in message.images]
        return {"role": message.role, "content": [{"type": "text", "text": message.content}, *parts]}
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id or "", "content": message.content}
    if message.role != "assistant" or not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = []
    inner_thoughts = inner_thoughts and message.tool_calls[0].name not in callers
    for index, call in enumerate(message.tool_calls):
        thoughts = {THOUGHTS: message.content} if inner_thoughts and message.content and not index else {}
        arguments = json.dumps(thoughts | dict(call.arguments), ensure_ascii=False, default=str)
        # A name that a model invented may have characters for which a provider refuses the whole request.
        name = re.sub(r"[^\w-]", "_", call.name)[:64] or "unknown"
        calls.append({"id": call.id, "type": "function", "function": {"name": name, "arguments": arguments}})
    content = None if inner_thoughts or not message.content else message.content
    return {"role": "assistant", "content": content, "tool_calls": calls}


def to_chat_tools(tools: Sequence[ToolSchema], inner_thoughts: bool = True) -> list[Json]:
    """The functions in the chat API's format, optionally with ``inner_thoughts`` as the first parameter.

    A function that the caller runs keeps its schema.
    """
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters)
                if tool.caller or not inner_thoughts
                else _with_thoughts(tool.parameters),
                **tool.extra,
            },
        }
        for tool in tools
    ]


def _with_thoughts(parameters: Mapping[str, Any]) -> Json:
    properties = {key: value for key, value in (parameters.get("properties") or {}).items() if key != THOUGHTS}
    required = [key for key in parameters.get("required") or () if key != THOUGHTS]
    return {
        **parameters,
        "type": "object",
        "properties": {THOUGHTS: _THOUGHTS_SCHEMA} | properties,
        "required": [THOUGHTS, *required],
    }


def read_chat_reply(
    content: Any,
    tool_calls: Any,
    tools: Sequence[ToolSchema],
    *,
    only: Collection[str] | None = None,
    reasoning: str = "",
) -> Reply:
    """A reply of the chat API as a :class:`Reply`, without usage.

    Args:
        content: the message's text: a string, None, or a list of parts.
        tool_calls: the message's calls, as objects of a client library or as dicts.
        tools: the functions that were offered. Empty: the text is the reply.
        only: names of the allowed functions; calls of others are dropped if an allowed one is there.
        reasoning: the model's reasoning, if the server sent it separately.

    Returns:
        A reply with at least one call if functions were offered. Text without a call becomes ``send_message``, if that
        was offered. Arguments that cannot be corrected give a call with ``error`` set.

    Raises:
        ModelReplyError: functions were offered and the reply calls none.
    """
    written, words = split_reasoning(clean(_words(content)).strip())
    thoughts = [clean(reasoning).strip(), written]
    if not tools:
        return Reply(text=words, inner_thoughts=_joined(thoughts))
    callers = {tool.name for tool in tools if tool.caller}
    takes_thoughts = {
        tool.name for tool in tools if tool.caller and THOUGHTS in (tool.parameters.get("properties") or {})
    }
    calls: list[ToolCall] = []
    thoughts += [words] if tool_calls else []
    for raw in tool_calls or ():
        function = _get(raw, "function") or {}
        name = str(_get(function, "name") or "")
        kind = {"own": name not in callers, "takes_thoughts": name in takes_thoughts}
        call, thought = to_call(name, _get(function, "arguments"), _get(raw, "id"), **kind)
        calls.append(call)
        thoughts.append(thought)
    if not calls:
        calls, thought = _from_words(words, tools, only)
        thoughts.append(thought)
    kept = [call for call in calls if only is None or call.name in only]
    if not kept:
        allowed = ", ".join(only or ())
        raise ModelReplyError(f"{calls[0].name} cannot be called now. Call one of: {allowed}.", text=words)
    return Reply(tool_calls=tuple(kept), inner_thoughts=_joined(thoughts))


def _joined(thoughts: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(thought for thought in thoughts if thought))


def _from_words(words: str, tools: Sequence[ToolSchema], only: Collection[str] | None) -> tuple[list[ToolCall], str]:
    """The calls that a model wrote as text, or else the text as ``send_message``."""
    try:
        return parse_calls(words, tools)
    except ModelReplyError:
        speech = next((tool.name for tool in tools if tool.is_speech and (only is None or tool.name in only)), "")
        # JSON that is not a known call is a failed attempt at one, unless it is data.
        if words and speech and (holds_data(words) or not re.match(r"(```\w*\s*)?[{\[]", words)):
            return [ToolCall(speech, {"message": words}, id="")], ""
        raise


def _words(content: Any) -> str:
    if isinstance(content, (list, tuple)):
        return "".join(str(_get(part, "text") or "") for part in content)
    return content if isinstance(content, str) else ""


def _get(source: Any, key: str) -> Any:
    return source.get(key) if isinstance(source, Mapping) else getattr(source, key, None)
