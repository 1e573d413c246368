"""The memory agent's model, called through AutoGen's client: any provider, failover, cache and cost tracking."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from autogen import OpenAIWrapper

from ..config import LLMConfig
from ..errors import PromptTooLong
from ..llm.base import OnDelta
from ..llm.chat_format import read_chat_reply
from ..llm.context_window import REPLY_LIMITS, ContextWindow, asked_of
from ..llm.openai_errors import error_message
from ..llm.provider_form import ProviderForm
from ..llm.tokens import TokenCounter
from ..messages import Message, Reply, ToolCall, ToolSchema, Usage
from .client_overlay import with_errors_raised
from .response_format import TEXT_REPLY_NOTE, chosen_tools, for_function_calls, for_text_reply, has_response_format
from .streaming import with_streaming

#: Providers whose clients in AutoGen know ``tool_choice``.
_KNOW_TOOL_CHOICE = ("", "openai", "azure")


class AutoGenModel:
    """A :class:`memgpt_autogen.llm.base.ChatModel` over an AutoGen agent's ``client``.

    The conversation goes out in the form that the provider takes, as far as it is known or was learned.

    Args:
        agent: the AutoGen agent. Its client is looked up at every call, because AutoGen rebuilds it.
        hint: model name and window from the config entry.
    """

    def __init__(self, agent: Any, hint: LLMConfig) -> None:
        self._agent = agent
        self._hint = hint
        self._counter = TokenCounter(hint.model)
        self._form = ProviderForm(hint.model, hint.model_endpoint)
        self._forms: WeakKeyDictionary[Any, ProviderForm] = WeakKeyDictionary()  # of other clients
        place = str(_first_entry(agent.llm_config).get("base_url") or "")
        self._window = ContextWindow(hint.model, hint.context_window, address=place, ask=self._asked)
        self._client: Any = None
        self._message: dict[str, Any] | None = None

    def through(self, client: Any) -> AutoGenModel:
        """The same model, called through another client than the agent's."""
        clone = copy.copy(self)
        clone._client = client
        clone._form = self._forms.setdefault(client, ProviderForm(self._hint.model))
        return clone

    @property
    def name(self) -> str:
        """The model's name in the first config entry."""
        return self._hint.model or "autogen"

    @property
    def context_window(self) -> int:
        """What the entry says, or what is known of the model: see :mod:`memgpt_autogen.llm.context_window`."""
        return self._window.tokens

    @property
    def reply_tokens(self) -> int | None:
        """Tokens to keep for the reply, where the config or the kind of model says so."""
        config = self._agent.llm_config or {}
        given = [source.get(key) for source in (_first_entry(config), config) for key in REPLY_LIMITS]
        return next((int(limit) for limit in given if limit), self._window.reply_tokens)

    def _asked(self) -> int | None:
        """What the first server in the config tells of the model, where it speaks OpenAI's API and is not Azure."""
        clients = getattr(self._client or self._agent.client, "_clients", None)
        inner = getattr(clients[0], "_oai_client", None) if clients else None
        return asked_of(inner, self._hint.model) if type(inner).__name__ == "OpenAI" else None

    def count_tokens(self, text: str) -> int:
        """Tokens in a text."""
        return self._counter.count(text)

    def count(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens that messages and functions take in a prompt."""
        return self._counter.count_messages(messages, tools) + self._form.tokens(messages)

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema],
        *,
        only: Collection[str] | None = None,
        cache: Any = None,
        max_tokens: int | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """See :class:`memgpt_autogen.llm.base.ChatModel`. Errors are the provider's own."""
        given = self._client or self._agent.client
        own = isinstance(given, OpenAIWrapper)  # else a replacement by the user, of which nothing is known
        offered = [tool for tool in tools if only is None or tool.name in only]
        offered, choice = chosen_tools(_tool_choice(given) if own else None, offered, held=only is not None)
        speech = next((tool.name for tool in offered if tool.is_speech), "")
        words = own and bool(speech) and has_response_format(given)
        called = [tool for tool in offered if not tool.is_speech] if words else offered
        client = given
        if own:
            client = with_errors_raised((for_text_reply if words else for_function_calls)(given, called))
        request: dict[str, Any] = {"cache": cache, "agent": self._agent}
        if called and self._takes_tool_choice() and not words:
            request["tool_choice"] = choice
        if own and on_delta:
            client = with_streaming(client, called, on_delta)
        sent = [*messages, Message(role="system", content=TEXT_REPLY_NOTE)] if words else messages
        response = self._create(client, request, sent, called)
        if own:
            given.total_usage_summary = client.total_usage_summary
            given.actual_usage_summary = client.actual_usage_summary
        content, calls = self._parts(client.extract_text_or_completion_object(response)[0])
        usage = _usage(response)
        if not self._form.shows_pictures(messages):
            self._counter.learn(self.count(sent, called), usage.prompt_tokens)
        if words and content and not calls:
            return Reply((ToolCall(speech, {"message": content}, id=""),), usage=usage)
        return replace(read_chat_reply(content, calls, offered, only=only), usage=usage)

    def as_given(self, reply: str | dict[str, Any]) -> str | dict[str, Any]:
        """The reply in the form that the client gave.

        Calls come with every field of its message object; text as that object, if it holds exactly this text.
        """
        message = self._message or {}
        if isinstance(reply, dict):
            calls: dict[str, Any] = {key: None for key in ("function_call", "tool_calls") if key in message}
            return {**message, **calls, **reply}
        return message if reply and str(message.get("content")).strip() == reply else reply

    def _parts(self, extracted: Any) -> tuple[str, list[Mapping[str, Any]]]:
        """Text and tool calls of what AutoGen's client extracted: a string, a message object or a dict."""
        self._message = None
        if isinstance(extracted, str) or extracted is None:
            return extracted or "", []
        message = extracted.model_dump() if hasattr(extracted, "model_dump") else dict(extracted)
        self._message = message
        return message.get("content") or "", list(message.get("tool_calls") or [])

    def _create(
        self, client: Any, request: Mapping[str, Any], messages: Sequence[Message], called: Sequence[ToolSchema]
    ) -> Any:
        """The response; asked for again in another form where the provider refuses this one."""
        while True:
            made = {**request, **_fresh(self._form.request(messages, called))}
            if "tools" not in made or not self._form.tool_choice:
                made.pop("tool_choice", None)
            try:
                return client.create(**made)
            except Exception as error:  # each provider has its own; what it says is the only sign
                status = getattr(error, "status_code", None)
                if self._window.refused(error_message(error), self.count(messages, called)):
                    raise PromptTooLong(str(error)) from error
                if not self._form.refused(messages, made, error_message(error), status):
                    raise

    def _takes_tool_choice(self) -> bool:
        config = self._agent.llm_config
        entries = config.get("config_list", [config])
        return all((dict(entry).get("api_type") or "") in _KNOW_TOOL_CHOICE for entry in entries)


def _first_entry(llm_config: Any) -> dict[str, Any]:
    config = llm_config or {}
    return dict((config.get("config_list") or [config])[0])


def _tool_choice(client: Any) -> Any:
    """The user's ``tool_choice``, in the first entry that has one."""
    return next((entry["tool_choice"] for entry in client._config_list if entry.get("tool_choice")), None)


def _fresh(data: Any) -> Any:
    """A deep copy without shared objects: AutoGen's cache pickles it, and shared objects change the key."""
    return json.loads(json.dumps(data))


def _usage(response: Any) -> Usage:
    usage = getattr(response, "usage", None)
    return Usage(
        prompt_tokens=int(_number(usage, "prompt_tokens")),
        completion_tokens=int(_number(usage, "completion_tokens")),
        cost=float(_number(response, "cost")),
    )


def _number(source: Any, key: str) -> float:
    value = getattr(source, key, None)
    return value if isinstance(value, (int, float)) else 0
