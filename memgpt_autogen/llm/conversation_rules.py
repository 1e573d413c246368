"""Requirements that providers of the chat API have beyond OpenAI's own.

Each rule is a pure function that makes a list of chat messages comply, with a pattern of the error message by which
servers refuse a list that does not. :mod:`.provider_form` decides which rules a provider needs. A new requirement is a
new row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Messages = list[Json]

#: The assistant message inserted between a result and the next message.
ACKNOWLEDGED = "Done."
#: The user message inserted at the start or the end.
GO_ON = "Go on."
#: Replaces empty content.
FILLER = "."
#: Ids that all but the strictest providers accept; OpenAI's limit is 40 characters.
_USUAL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_MISTRAL_ID = re.compile(r"[A-Za-z0-9]{9}")


@dataclass(frozen=True)
class Rule:
    """One requirement.

    Attributes:
        name: for logs.
        refusal: matches the error message of a server that refuses a conversation for it.
        apply: returns compliant messages; the same list if it complies.
        costly: the model loses something by it, so that it is not tried on suspicion.
    """

    name: str
    refusal: re.Pattern[str]
    apply: Callable[[Messages], Messages]
    costly: bool = False


def usual_ids(messages: Messages) -> Messages:
    """Call ids of at most 40 letters, digits, ``_`` and ``-``. Applied for every provider."""
    return _with_ids(messages, _USUAL_ID)


def nine_character_ids(messages: Messages) -> Messages:
    """Ids of exactly nine letters and digits, as Mistral requires."""
    return _with_ids(messages, _MISTRAL_ID)


def _with_ids(messages: Messages, fits: re.Pattern[str]) -> Messages:
    def fitted(call_id: Any) -> str:
        if isinstance(call_id, str) and fits.fullmatch(call_id):
            return call_id
        # Deterministic, so that a call and its result keep the same id and the prompt keeps its prefix.
        return hashlib.sha256(str(call_id).encode("utf-8", "replace")).hexdigest()[:9]

    made = []
    for message in messages:
        if message.get("tool_calls"):
            calls = [{**call, "id": fitted(call["id"])} for call in message["tool_calls"]]
            message = {**message, "tool_calls": calls}
        elif message["role"] == "tool":
            message = {**message, "tool_call_id": fitted(message["tool_call_id"])}
        made.append(message)
    return made


def one_call_each(messages: Messages) -> Messages:
    """No assistant message with several calls: each call is a message, followed by its result."""
    made: Messages = []
    results = {message["tool_call_id"]: message for message in messages if message["role"] == "tool"}
    taken: set[str] = set()
    for message in messages:
        calls = message.get("tool_calls") or ()
        if message["role"] == "tool" and message["tool_call_id"] in taken:
            continue
        if len(calls) < 2:
            made.append(message)
            continue
        for index, call in enumerate(calls):
            made.append({**message, "content": None if index else message["content"], "tool_calls": [call]})
            if call["id"] in results:
                made.append(results[call["id"]])
                taken.add(call["id"])
    return made


def named_results(messages: Messages) -> Messages:
    """Results with the function's name, as Gemini's API requires."""
    names = {call["id"]: call["function"]["name"] for one in messages for call in one.get("tool_calls") or ()}
    return [
        {**message, "name": names.get(message["tool_call_id"], "unknown")} if message["role"] == "tool" else message
        for message in messages
    ]


def system_at_the_start(messages: Messages) -> Messages:
    """System messages only at the start; later ones become user messages."""
    return [
        {**message, "role": "user"} if message["role"] == "system" and index else message
        for index, message in enumerate(messages)
    ]


def no_system(messages: Messages) -> Messages:
    """No system role: system messages become part of the user message that follows."""
    return alternating([{**one, "role": "user"} if one["role"] == "system" else one for one in messages])


def assistant_after_results(messages: Messages) -> Messages:
    """An assistant message between a result and the next user message, as Mistral requires."""
    made: Messages = []
    for message in messages:
        if message["role"] in ("user", "system") and made and made[-1]["role"] == "tool":
            made.append({"role": "assistant", "content": ACKNOWLEDGED})
        made.append(message)
    return made


def alternating(messages: Messages) -> Messages:
    """Alternating user and assistant messages, starting with user, not ending with assistant; neighbours are merged.

    Calls and their results do not count.
    """
    made: Messages = []
    for message in assistant_after_results(messages):
        last = made[-1] if made else None
        role = message["role"]
        if last and role == last["role"] and role in ("user", "assistant") and not last.get("tool_calls"):
            made[-1] = {**message, "content": _joined(last["content"], message["content"])}
            continue
        if role == "assistant" and (last is None or last["role"] in ("system", "assistant")):
            made.append({"role": "user", "content": GO_ON})
        made.append(message)
    if made and made[-1]["role"] == "assistant":
        made.append({"role": "user", "content": GO_ON})
    return made


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, list) or isinstance(second, list):
        return [*_parts(first), *_parts(second)]
    return "\n\n".join(text for text in (first, second) if text)


def _parts(content: Any) -> Sequence[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content or FILLER}]


def content_as_text(messages: Messages) -> Messages:
    """No message without content: an empty string in place of null."""
    return [{**one, "content": ""} if one.get("content") is None else one for one in messages]


def content_filled(messages: Messages) -> Messages:
    """No message with empty content."""
    return [one if one.get("content") else {**one, "content": FILLER} for one in messages]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


#: In the order in which they are applied, and looked for in a refusal.
RULES: tuple[Rule, ...] = (
    Rule(
        "calls one at a time",
        _words(r"(single|one|multiple|parallel) (function|tool)[ -_]?calls?|only one (tool|function|call)"),
        one_call_each,
    ),
    Rule(
        "results with the function's name",
        _words(
            r"function_?response\.name|tool.{0,30}\bname\b.{0,40}(required|missing|empty)|(missing|required).{0,40}\bname\b"
        ),
        named_results,
    ),
    Rule(
        "no system role",
        _words(
            r"system.{0,40}(not support|unsupported|not allowed|unknown|not recogni[sz]ed)|not support.{0,30}system"
        ),
        no_system,
        costly=True,
    ),
    Rule(
        "the system's words first",
        _words(r"system.{0,80}(beginning|first|start|begin|only)|(after|role|unexpected).{0,20}system"),
        system_at_the_start,
    ),
    Rule(
        "the assistant's words after a result",
        _words(r"user.{0,30}after.{0,30}tool|(after|follow).{0,30}tool.{0,60}(assistant|user)|tool.{0,40}followed by"),
        assistant_after_results,
    ),
    Rule(
        "user and assistant in turn",
        _words(r"alternat|consecutive|same role|in a row|(first|last|start|end).{0,40}(user|assistant|role|message)"),
        alternating,
    ),
    Rule(
        "ids of nine letters and digits",
        _words(r"length of 9|nine|9 char|alphanumeric|a-z, ?A-Z|tool.?call.{0,3}ids?\b|call_?id\b|\.id\b"),
        nine_character_ids,
    ),
    Rule(
        "content that is text",
        _words(r"content.{0,60}(null|nil|none|string|str\b|text|missing|required)|(null|nil|none).{0,40}content"),
        content_as_text,
    ),
    Rule(
        "content that is not empty",
        _words(r"(empty|blank|at least (1|one) char|min.?length|too short)"),
        content_filled,
    ),
)
