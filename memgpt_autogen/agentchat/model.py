"""The memory agent's model, called through an autogen ``ChatCompletionClient``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)

from ..llm.chat_format import Json, read_chat_reply
from ..llm.context_window import ASSUMED_WINDOW, context_window_of
from ..llm.conversation_rules import FILLER
from ..llm.openai_errors import error_message
from ..llm.provider_form import ProviderForm
from ..llm.tokens import TokenCounter
from ..messages import Message, Reply, ToolSchema, Usage

T = TypeVar("T")


class ClientModel:
    """A :class:`memgpt_autogen.llm.base.ChatModel` over a ``ChatCompletionClient``.

    Args:
        client: the client.
        context_window: tokens; None: as the client reports, or as known of the model.

    Attributes:
        loop: the client's event loop; None: a new one for each call.
        cancellation_token: cancels the current call.
    """

    def __init__(self, client: ChatCompletionClient, context_window: int | None = None) -> None:
        self._client = client
        self._counter = TokenCounter(self.name)
        self._window = context_window
        self._form = ProviderForm(self.name, calls=bool(client.model_info["function_calling"]), pictures=False)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.cancellation_token: CancellationToken | None = None

    @property
    def name(self) -> str:
        """The model's name if the client's config has it, else its family."""
        try:
            named = self._client.dump_component().config.get("model")
        except Exception:  # not every client can be serialised
            named = None
        return str(named or self._client.model_info.get("family") or "model")

    @property
    def context_window(self) -> int:
        """The given window, the one that the client reports, or the known one of a model of that name."""
        if self._window is None:
            try:
                self._window = self._client.remaining_tokens([])
            except Exception:  # clients raise anything for an unknown model
                self._window = context_window_of(self.name) or ASSUMED_WINDOW
        return self._window

    @property
    def reply_tokens(self) -> int | None:
        """As the window's policy has it."""
        return None

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
        **_: Any,
    ) -> Reply:
        """See :class:`memgpt_autogen.llm.base.ChatModel`. Not for the loop's thread. Errors are the client's own."""
        offered = [tool for tool in tools if only is None or tool.name in only]
        result = self._create(messages, offered)
        words, calls = _parts(result)
        usage = Usage(result.usage.prompt_tokens, result.usage.completion_tokens)
        self._counter.learn(self.count(messages, offered), usage.prompt_tokens)
        reply = read_chat_reply(words, calls, offered, only=only)
        thoughts = reply.inner_thoughts or (result.thought or "" if calls else "")
        return replace(reply, usage=usage, inner_thoughts=thoughts)

    def _create(self, messages: Sequence[Message], offered: Sequence[ToolSchema]) -> CreateResult:
        """The result; the request is repeated in another form if the provider refuses this one."""
        while True:
            made = self._form.request(messages, offered)
            if "tools" in made and self._form.tool_choice:
                made["tool_choice"] = "required"
            sent = {**made, "messages": to_llm_messages(made["messages"])}
            if "tools" in made:
                sent["tools"] = [tool["function"] for tool in made["tools"]]
            try:
                return self._wait(self._client.create(**sent, cancellation_token=self.cancellation_token))
            except Exception as error:  # each provider raises its own; the message is the only evidence
                status = getattr(error, "status_code", None)
                if not self._form.refused(messages, made, error_message(error), status):
                    raise

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        if self.loop is None:
            return asyncio.run(call)
        waiting = asyncio.run_coroutine_threadsafe(call, self.loop)
        if self.cancellation_token:  # for clients that ignore it
            self.cancellation_token.add_callback(lambda: _give_up(waiting))
        return waiting.result()


def _give_up(waiting: Future[Any]) -> None:
    waiting.cancel()


def to_llm_messages(messages: Sequence[Json]) -> list[LLMMessage]:
    """Chat API messages as autogen's types; consecutive results become one message."""
    names = {call.id: call.name for message in messages for call in _calls(message)}
    made: list[LLMMessage] = []
    for message in messages:
        role, content = message["role"], message["content"]
        if role == "system":
            made.append(SystemMessage(content=content))
        elif role == "user":
            made.append(UserMessage(content=content, source="user"))
        elif role == "assistant":
            # autogen's clients send what is empty as null; a provider that refused that gets a sign.
            thought = FILLER if content == "" else content
            made.append(AssistantMessage(content=_calls(message) or thought or "", thought=thought, source="assistant"))
        else:
            call_id = message["tool_call_id"]
            result = FunctionExecutionResult(content=content, name=names.get(call_id, "unknown"), call_id=call_id)
            if made and isinstance(made[-1], FunctionExecutionResultMessage):
                made[-1].content.append(result)
            else:
                made.append(FunctionExecutionResultMessage(content=[result]))
    return made


def _calls(message: Mapping[str, Any]) -> list[FunctionCall]:
    return [
        FunctionCall(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    ]


def _parts(result: CreateResult) -> tuple[str, list[dict[str, Any]]]:
    """Text and calls of a result."""
    if isinstance(result.content, str):
        return result.content, []
    return "", [
        {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}} for call in result.content
    ]


def function_call(call_id: str, name: str, arguments: Mapping[str, Any]) -> FunctionCall:
    """A call as autogen's type."""
    return FunctionCall(id=call_id, name=name, arguments=json.dumps(dict(arguments), ensure_ascii=False, default=str))
