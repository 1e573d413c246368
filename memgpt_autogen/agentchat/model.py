"""The core's model, called through one of autogen's ``ChatCompletionClient``."""

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

from ..llm.chat_format import read_chat_reply, to_chat_messages, to_chat_tools
from ..llm.tokens import DEFAULT_WINDOW, TokenCounter, context_window_of
from ..messages import Message, Reply, ToolSchema, Usage

T = TypeVar("T")


class ClientModel:
    """A :class:`memgpt_autogen.llm.base.ChatModel` over a ``ChatCompletionClient``.

    Args:
        client: any of autogen's.
        context_window: tokens; None: what the client says, or what is known of the model.

    Attributes:
        loop: the event loop that the client lives in; None: each call gets one of its own.
        cancellation_token: cancels the call that is going on.
    """

    def __init__(self, client: ChatCompletionClient, context_window: int | None = None) -> None:
        self._client = client
        self._counter = TokenCounter(self.name)
        self._window = context_window
        self._refused_tool_choice = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.cancellation_token: CancellationToken | None = None

    @property
    def name(self) -> str:
        """The model's name if the client's config has it, else its family."""
        try:
            named = self._client.dump_component().config.get("model")
        except Exception:  # not every client can be written down
            named = None
        return str(named or self._client.model_info.get("family") or "model")

    @property
    def context_window(self) -> int:
        """What was given, what the client says, or what is known of a model of that name."""
        if self._window is None:
            try:
                self._window = self._client.remaining_tokens([])
            except Exception:  # clients fail in ways of their own where they do not know the model
                self._window = context_window_of(self.name) or DEFAULT_WINDOW
        return self._window

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
        **_: Any,
    ) -> Reply:
        """One call, from a thread that is not the loop's. See the contract; errors are the client's own."""
        offered = [tool for tool in tools if only is None or tool.name in only]
        request: dict[str, Any] = {"messages": to_llm_messages(messages)}
        if offered and self._client.model_info["function_calling"]:
            request["tools"] = [tool["function"] for tool in to_chat_tools(offered)]
            if not self._refused_tool_choice:
                request["tool_choice"] = "required"
        result = self._create(request)
        words, calls = _parts(result)
        usage = Usage(result.usage.prompt_tokens, result.usage.completion_tokens)
        self._counter.learn(self.count(messages, offered), usage.prompt_tokens)
        reply = read_chat_reply(words, calls, offered, only=only)
        thoughts = reply.inner_thoughts or (result.thought or "" if calls else "")
        return replace(reply, usage=usage, inner_thoughts=thoughts)

    def _create(self, request: dict[str, Any]) -> CreateResult:
        try:
            return self._wait(self._client.create(**request, cancellation_token=self.cancellation_token))
        except Exception as error:  # each provider has its own; what it says is the only sign
            if "tool_choice" not in request or "tool_choice" not in str(error):
                raise
            self._refused_tool_choice = True
            del request["tool_choice"]
            return self._wait(self._client.create(**request, cancellation_token=self.cancellation_token))

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        if self.loop is None:
            return asyncio.run(call)
        waiting = asyncio.run_coroutine_threadsafe(call, self.loop)
        if self.cancellation_token:  # for clients that do not heed it
            self.cancellation_token.add_callback(lambda: _give_up(waiting))
        return waiting.result()


def _give_up(waiting: Future[Any]) -> None:
    waiting.cancel()


def to_llm_messages(messages: Sequence[Message]) -> list[LLMMessage]:
    """Our messages in autogen's shapes: results that follow one another are one message."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    made: list[LLMMessage] = []
    for message in to_chat_messages(messages):
        role, content = message["role"], message["content"]
        if role == "system":
            made.append(SystemMessage(content=content))
        elif role == "user":
            made.append(UserMessage(content=content, source="user"))
        elif role == "assistant":
            made.append(AssistantMessage(content=_calls(message) or content or "", thought=content, source="assistant"))
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
    """Words and calls of a result."""
    if isinstance(result.content, str):
        return result.content, []
    return "", [
        {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}} for call in result.content
    ]


def function_call(call_id: str, name: str, arguments: Mapping[str, Any]) -> FunctionCall:
    """One of our calls as autogen shows it."""
    return FunctionCall(id=call_id, name=name, arguments=json.dumps(dict(arguments), ensure_ascii=False, default=str))
