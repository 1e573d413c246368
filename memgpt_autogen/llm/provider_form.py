"""Adapts requests to what one provider of the chat API accepts, as known or as learned from its errors.

Shared by our own client and the models of AutoGen's and agentchat's clients. A request that is refused for the form of
its conversation is built again in another form, which is kept from then on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..messages import Message, ToolSchema
from .chat_format import Json, to_chat_messages, to_chat_tools
from .chat_prompt import alternating_messages, without_markers
from .conversation_rules import RULES, assistant_after_results, nine_character_ids, system_at_the_start, usual_ids
from .images import ImageSupport
from .wrappers import get_wrapper

log = logging.getLogger(__name__)

#: Providers with known requirements, recognised by address or model name.
_KNOWN: tuple[tuple[re.Pattern[str], tuple[Any, ...]], ...] = (
    (
        re.compile(r"mistral|mixtral|codestral|devstral|pixtral", re.IGNORECASE),
        (system_at_the_start, assistant_after_results, nine_character_ids),
    ),
)
#: Statuses of requests refused for their content; llama.cpp's server sends 500 if its template fails.
_FORM_STATUSES = (400, 404, 422, 500, 501)
#: Statuses for keys, limits and temporary failures, whatever the message.
_OTHER_STATUSES = (401, 402, 403, 408, 409, 413, 429, 502, 503, 504)
_NO_TOOLS = re.compile(
    r"not support.{0,40}(tool|function)|support tool use|(tool|function).{0,30}(not supported|unsupported|not enabled)|"
    r"enable-auto-tool-choice|requires? --jinja|(unknown|invalid|unexpected|unsupported) role\W{0,4}tool",
    re.IGNORECASE | re.DOTALL,
)
_TOOL_CHOICE = re.compile(r"tool.?choice|tool.{0,60}required|required.{0,60}tool", re.IGNORECASE | re.DOTALL)
#: Matches an error message about the conversation that no rule recognises.
_CONVERSATION = re.compile(r"message|\brole|content|conversation|template|jinja|tool.?call", re.IGNORECASE)
_TOO_LONG = re.compile(r"context|too long|maximum.{0,20}tokens|token limit", re.IGNORECASE)
#: Tokens of an inserted assistant message.
_PUT_IN = 6


class ProviderForm:
    """The request format of one provider. Starts from what is known and learns from errors.

    Args:
        model: the model's name.
        address: of the provider; empty: unknown.
        calls: whether the provider supports functions; if not, they are described and called in the text.
        pictures: whether images are sent, until it refuses one.

    Attributes:
        calls: as above; false once the provider has refused functions.
        tool_choice: whether it supports ``tool_choice``.
    """

    def __init__(self, model: str = "", address: str = "", *, calls: bool = True, pictures: bool = True) -> None:
        self.calls = calls
        self.tool_choice = True
        self._model = model
        self._images = ImageSupport(pictures)
        known = [apply for pattern, functions in _KNOWN if pattern.search(f"{model} {address}") for apply in functions]
        self._rules = {rule.name for rule in RULES if rule.apply in known}
        self._suspected: set[str] = set()

    def request(self, messages: Sequence[Message], tools: Sequence[ToolSchema], *, inner_thoughts: bool = True) -> Json:
        """``messages`` of a request, and ``tools`` if there are some and the provider supports them."""
        if tools and not self.calls:
            wrapper = replace(without_markers(get_wrapper()), inner_thoughts=inner_thoughts)
            return {"messages": self._fitted(alternating_messages(wrapper, messages, tools))}
        callers = {tool.name for tool in tools if tool.caller}
        shown = to_chat_messages(messages, inner_thoughts, images=self._images.shown, callers=callers)
        made: Json = {"messages": self._fitted(shown)}
        return made | ({"tools": to_chat_tools(tools, inner_thoughts)} if tools else {})

    def tokens(self, messages: Sequence[Message]) -> int:
        """Approximate tokens of these messages besides their text: images that are sent, messages that are inserted."""
        put_in = sum(message.role == "tool" for message in messages) if _adds_words(self._rules) else 0
        return self._images.tokens(messages) + _PUT_IN * put_in

    def shows_pictures(self, messages: Sequence[Message]) -> bool:
        """Whether images of these messages are sent to the model."""
        return self._images.tokens(messages) > 0

    def refused(
        self, messages: Sequence[Message], request: Mapping[str, Any], words: str, status: int | None = None
    ) -> str:
        """Learn from an error.

        Args:
            messages: those of the request.
            request: as it was sent; ``messages``, ``tools`` and ``tool_choice`` are read.
            words: the error message.
            status: of the response; None: unknown.

        Returns:
            What is changed from now on; empty: nothing is known to help.
        """
        # The model's name in the message means nothing: "pixtral-vision" is not about images.
        told = re.sub(rf"(?<!\w){re.escape(self._model)}(?!\w)", "", words) if self._model else words
        if status in _OTHER_STATUSES or (status is not None and status not in (*_FORM_STATUSES, 415)):
            return ""
        learned = self._learn(messages, request, told, status)
        if learned:
            log.info("%s: %s, from now on. It said: %s", self._model or "The provider", learned, words[:300])
        else:
            self._rules -= self._suspected
            self._suspected = set()
        return learned

    def _learn(self, messages: Sequence[Message], request: Mapping[str, Any], words: str, status: int | None) -> str:
        if self.tool_choice and request.get("tool_choice") not in (None, "auto") and _TOOL_CHOICE.search(words):
            self.tool_choice = False
            return "no call is required"
        if request.get("tools") and _NO_TOOLS.search(words):
            self.calls = False
            return "functions are described and called in the text"
        sent: list[Json] = list(request["messages"])
        for rule in RULES:
            if rule.name not in self._rules and rule.refusal.search(words) and rule.apply(sent) != sent:
                self._rules.add(rule.name)
                return rule.name
        if self._images.refused(messages, words):
            return "pictures are only told of"
        if status in (400, 422) and _CONVERSATION.search(words) and not _TOO_LONG.search(words):
            return self._suspect(sent)
        return ""

    def _suspect(self, sent: list[Json]) -> str:
        """Enable every rule that would change the conversation and is not costly."""
        more = {rule.name for rule in RULES if not rule.costly} - self._rules
        if _applied(sent, more) == sent:
            return ""
        self._rules |= more
        self._suspected |= more
        return "the strictest form"

    def _fitted(self, messages: list[Json]) -> list[Json]:
        return _applied(usual_ids(messages), self._rules)


def _applied(messages: list[Json], names: set[str]) -> list[Json]:
    for rule in RULES:
        if rule.name in names:
            messages = rule.apply(messages)
    return messages


def _adds_words(names: set[str]) -> bool:
    return any(rule.name in names and rule.apply is assistant_after_results for rule in RULES)
