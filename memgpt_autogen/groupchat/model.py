"""The core's model, called through the AutoGen agent's own client: any provider, failover, cache and cost count."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..config import LLMConfig
from ..llm.chat_format import read_chat_reply, to_chat_messages, to_chat_tools
from ..llm.tokens import DEFAULT_WINDOW, TokenCounter, context_window_of
from ..messages import Message, Reply, ToolSchema, Usage

#: Providers whose clients in AutoGen know ``tool_choice``.
_KNOW_TOOL_CHOICE = ("", "openai", "azure")


class AutoGenModel:
    """A :class:`memgpt_autogen.llm.base.ChatModel` over an AutoGen agent's ``client``.

    Args:
        agent: the AutoGen agent; its client is looked up at every call, since AutoGen rebuilds it.
        hint: what the config entry says of the model and its window.
    """

    def __init__(self, agent: Any, hint: LLMConfig) -> None:
        self._agent = agent
        self._hint = hint
        self._counter = TokenCounter(hint.model)
        self._refused_tool_choice = False

    @property
    def name(self) -> str:
        """The model's name in the first config entry."""
        return self._hint.model or "autogen"

    @property
    def context_window(self) -> int:
        """What the entry says, or what is known of a model of that name."""
        return self._hint.context_window or context_window_of(self.name) or DEFAULT_WINDOW

    def count_tokens(self, text: str) -> int:
        """Tokens in a text."""
        return self._counter.count(text)

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens that messages and functions take in a prompt."""
        return self._counter.count_messages(messages, tools)

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        cache: Any = None,
        max_tokens: int | None = None,
    ) -> Reply:
        """One call. See the contract for arguments; errors are the provider's own, as AutoGen's users know them."""
        client = _without_tools(self._agent.client)
        offered = [tool for tool in tools if only is None or tool.name in only]
        request: dict[str, Any] = {"messages": to_chat_messages(messages), "cache": cache, "agent": self._agent}
        if offered:
            request["tools"] = to_chat_tools(offered)
            if self._takes_tool_choice():
                request["tool_choice"] = "required"
        counting = self._agent.client
        client.total_usage_summary = copy.deepcopy(counting.total_usage_summary)
        client.actual_usage_summary = copy.deepcopy(counting.actual_usage_summary)
        response = self._create(client, request)
        counting.total_usage_summary = client.total_usage_summary
        counting.actual_usage_summary = client.actual_usage_summary
        content, calls = _parts(client.extract_text_or_completion_object(response)[0])
        usage = _usage(response)
        self._counter.learn(self.count(messages, offered), usage.prompt_tokens)
        return replace(read_chat_reply(content, calls, offered, only=only), usage=usage)

    def _create(self, client: Any, request: dict[str, Any]) -> Any:
        try:
            return client.create(**request)
        except Exception as error:  # each provider has its own; what it says is the only sign
            if "tool_choice" not in request or "tool_choice" not in str(error):
                raise
            self._refused_tool_choice = True
            return client.create(**{key: value for key, value in request.items() if key != "tool_choice"})

    def _takes_tool_choice(self) -> bool:
        if self._refused_tool_choice:
            return False
        config = self._agent.llm_config
        entries = config.get("config_list", [config])
        return all((dict(entry).get("api_type") or "") in _KNOW_TOOL_CHOICE for entry in entries)


def _without_tools(client: Any) -> Any:
    """The same client, its entries without AutoGen's tools: AutoGen would put them in place of what we offer."""
    clone = copy.copy(client)
    drop = ("tools", "functions", "tool_choice", "parallel_tool_calls")
    clone._config_list = [
        {key: value for key, value in entry.items() if key not in drop} for entry in client._config_list
    ]
    return clone


def _parts(extracted: Any) -> tuple[str, list[Mapping[str, Any]]]:
    """Text and tool calls of what AutoGen's client extracted: a string, a message object or a dict."""
    if isinstance(extracted, str) or extracted is None:
        return extracted or "", []
    message = extracted.model_dump() if hasattr(extracted, "model_dump") else dict(extracted)
    return message.get("content") or "", list(message.get("tool_calls") or [])


def _usage(response: Any) -> Usage:
    usage = getattr(response, "usage", None)
    return Usage(
        prompt_tokens=int(getattr(usage, "prompt_tokens", 0) or 0),
        completion_tokens=int(getattr(usage, "completion_tokens", 0) or 0),
        cost=float(getattr(response, "cost", 0) or 0),
    )
