"""What providers of the chat API demand of a conversation, as checks of a request: None, or the words of a refusal.

Each is worded as the provider (or the chat template behind a local server) words it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .conftest import Answer, Loopback

Body = dict[str, Any]
Check = Callable[[Body], str | None]


def messages(body: Body) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["messages"]
    return found


def calls(body: Body) -> list[dict[str, Any]]:
    return [call for message in messages(body) for call in message.get("tool_calls") or ()]


def roles(body: Body) -> list[str]:
    return [message["role"] for message in messages(body)]


def mistral_order(body: Body) -> str | None:
    pairs = pairwise(roles(body))
    wrong = next((role for before, role in pairs if before == "tool" and role in ("user", "system")), None)
    return f"Unexpected role '{wrong}' after role 'tool'" if wrong else None


def mistral_ids(body: Body) -> str | None:
    for call in calls(body):
        if not re.fullmatch("[a-zA-Z0-9]{9}", str(call["id"])):
            return f"Tool call id was {call['id']} but must be a-z, A-Z, 0-9, with a length of 9."
    return None


def openai_ids(body: Body) -> str | None:
    for at, call in enumerate(calls(body)):
        if not isinstance(call["id"], str):
            return f"Invalid type for 'messages[{at}].tool_calls[0].id': expected a string, but got an integer."
        if len(call["id"]) > 40:
            return (
                f"Invalid 'messages[{at}].tool_calls[0].id': string too long. Expected a string with maximum length 40."
            )
    return None


def anthropic_ids(body: Body) -> str | None:
    wrong = [call["id"] for call in calls(body) if not re.fullmatch("[a-zA-Z0-9_-]+", str(call["id"]))]
    return "messages.1.content.1.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'" if wrong else None


def text_content(body: Body) -> str | None:
    null = any(message.get("content") is None for message in messages(body))
    return "invalid message content type: <nil>" if null else None


def required_content(body: Body) -> str | None:
    null = any(message.get("content") is None for message in messages(body))
    return "body.messages.2.content: Input should be a valid string, input: null" if null else None


def filled_content(body: Body) -> str | None:
    empty = any(not message.get("content") for message in messages(body))
    return "messages: text content blocks must be non-empty" if empty else None


def alternating(body: Body) -> str | None:
    """The template of Mistral's models, of Gemma and of Llama 2, which counts words and no calls."""
    told = "After the optional system message, conversation roles must alternate user/assistant/user/assistant/..."
    turns = [one["role"] for one in messages(body) if one["role"] != "tool" and not one.get("tool_calls")]
    turns = turns[1:] if turns[:1] == ["system"] else turns
    expected = [("user", "assistant")[at % 2] for at in range(len(turns))]
    return None if turns == expected and roles(body)[-1] in ("user", "tool") else f"Jinja Exception: {told}"


def neighbours(body: Body) -> str | None:
    """An API that takes no two messages of one role in a row."""
    wrong = any(one == other != "tool" for one, other in pairwise(roles(body)))
    return "messages: roles must alternate, but found multiple messages of the same role in a row" if wrong else None


def system_first(body: Body) -> str | None:
    return "System message must be at the beginning." if "system" in roles(body)[1:] else None


def no_system(body: Body) -> str | None:
    return "System role not supported" if "system" in roles(body) else None


def no_developer_or_system(body: Body) -> str | None:
    found = "system" in roles(body)
    return "Unsupported value: 'messages[0].role' does not support 'system' with this model." if found else None


def single_calls(body: Body) -> str | None:
    several = any(len(message.get("tool_calls") or ()) > 1 for message in messages(body))
    return "This model only supports single tool-calls at once!" if several else None


def named_results(body: Body) -> str | None:
    unnamed = any(message["role"] == "tool" and not message.get("name") for message in messages(body))
    return "contents[2].parts[0].function_response.name: Name cannot be empty." if unnamed else None


def ollama_without_tools(body: Body) -> str | None:
    return "registry.ollama.ai/library/gemma3:4b does not support tools" if body.get("tools") else None


def vllm_without_tools(body: Body) -> str | None:
    if body.get("tools"):
        return '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    return None


def openrouter_without_tools(body: Body) -> str | None:
    return "No endpoints found that support tool use." if body.get("tools") else None


def no_tool_role(body: Body) -> str | None:
    return "Unknown role: tool" if "tool" in roles(body) or body.get("tools") else None


def unknown_words(body: Body) -> str | None:
    """A demand of which nobody has heard, in words of which nobody has heard either."""
    return "Malformed message list (E1047)" if alternating(body) or mistral_ids(body) else None


def paired(body: Body) -> str | None:
    """What every provider demands: each call has its result behind it, and no result is without its call."""
    waiting: list[str] = []
    for message in messages(body):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            return f"An assistant message with 'tool_calls' must be followed by tool messages: {waiting}"
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
        for call in message.get("tool_calls") or ():
            json.loads(call["function"]["arguments"])
    return f"no results for {waiting}" if waiting else None


class Strict(Loopback):
    """A server that refuses what breaks one of its checks, and answers the rest from ``says``.

    Attributes:
        refusals: the words of each refusal, in order.
        taken: the requests that it took.
    """

    def __init__(self, *checks: Check, says: Any, status: int = 400) -> None:
        self.checks, self.says, self.status = (*checks, paired), says, status
        self.refusals: list[str] = []
        self.taken: list[Body] = []
        super().__init__()

    def answer(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        refusal = next((words for words in (check(body) for check in self.checks) if words), None)
        if refusal:
            self.refusals.append(refusal)
            return Answer({"error": {"message": refusal, "type": "invalid_request_error"}}, self.status)
        self.taken.append(body)
        return Answer(self.says(body) if callable(self.says) else self.says)
