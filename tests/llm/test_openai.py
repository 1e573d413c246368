"""The OpenAI chat API against a loopback server, through the real ``openai`` package."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ConfigError, ModelReplyError, ModelRequestError, ModelServerError
from memgpt_autogen.llm import http_errors, openai_errors
from memgpt_autogen.llm.chat_format import read_chat_reply, to_chat_messages, to_chat_tools
from memgpt_autogen.llm.openai import OpenAIChat
from memgpt_autogen.messages import Message, ToolCall

from .conftest import SAY, TOOLS, Answer, Loopback, Request

pytest.importorskip("openai")

SECRET = "sk-very-secret-1234"
ASK = [Message("system", "You are an agent."), Message("user", "Hi")]
Make = Callable[..., OpenAIChat]


@pytest.fixture
def model(loopback: Loopback) -> Make:
    def make(**options: Any) -> OpenAIChat:
        thoughts = options.pop("inner_thoughts", True)
        environ = options.pop("environ", {})
        defaults: dict[str, Any] = {"model": "gpt-4o", "model_endpoint": loopback.address, "timeout": 5.0}
        config = LLMConfig(**({"api_key": SECRET} | defaults | options))
        return OpenAIChat(config, inner_thoughts=thoughts, environ=environ)

    return make


def calls(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for i, (name, args) in enumerate(pairs)
    ]


def chat(content: Any = None, tool_calls: Any = None, reason: str = "tool_calls", **more: Any) -> Answer:
    message = {
        "role": "assistant",
        "content": content,
        **({"tool_calls": tool_calls} if tool_calls else {}),
        **more,
    }
    usage = {
        "prompt_tokens": 90,
        "completion_tokens": 12,
        "total_tokens": 102,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    choice = {"index": 0, "message": message, "finish_reason": reason}
    base = {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    return Answer(base | {"choices": [choice], "usage": usage})


SPEAK = chat(tool_calls=calls(("send_message", {"inner_thoughts": "greet", "message": "Hello"})))


def headers(request: Request) -> dict[str, str]:
    return {key.lower(): value for key, value in request.headers.items()}


def refusal(message: str, status: int = 400, code: str = "") -> Answer:
    return Answer({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)


def test_a_call_comes_back_with_thoughts_and_usage(loopback: Loopback, model: Make) -> None:
    loopback.script = [SPEAK]
    reply = model(temperature=0.2, settings={"seed": 7}).complete(ASK, TOOLS, max_tokens=50)
    assert reply.tool_calls == (ToolCall("send_message", {"message": "Hello"}, "call_0"),)
    assert reply.inner_thoughts == "greet"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cached_tokens) == (
        90,
        12,
        64,
    )
    request = loopback.requests[0]
    assert request.path == "/v1/chat/completions" and headers(request)["authorization"] == f"Bearer {SECRET}"
    body = request.body
    assert (body["model"], body["tool_choice"], body["max_tokens"]) == ("gpt-4o", "required", 50)
    assert (body["temperature"], body["seed"]) == (0.2, 7)
    parameters = body["tools"][0]["function"]["parameters"]
    assert list(parameters["properties"]) == ["inner_thoughts", "message"] and len(body["tools"]) == 3
    assert parameters["required"] == ["inner_thoughts", "message"]


def test_messages_in_the_chat_apis_shape() -> None:
    done = ToolCall("send_message", {"message": "é"}, "call_1")
    odd = ToolCall("what is this?", {}, "call_2", error="broken")
    log = [
        *ASK,
        Message("assistant", "think", tool_calls=(done, odd)),
        Message("tool", "OK", call_id="call_1"),
    ]
    shown = to_chat_messages(log)
    assert shown[:2] == [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": "Hi"},
    ]
    first, second = shown[2]["tool_calls"]
    assert shown[2]["content"] is None and first["id"] == "call_1"
    assert first["function"] == {
        "name": "send_message",
        "arguments": '{"inner_thoughts": "think", "message": "é"}',
    }
    assert second["function"] == {"name": "what_is_this_", "arguments": "{}"}
    assert shown[3] == {"role": "tool", "tool_call_id": "call_1", "content": "OK"}
    plain = to_chat_messages(log, inner_thoughts=False)[2]
    assert plain["content"] == "think" and "think" not in plain["tool_calls"][0]["function"]["arguments"]
    assert "inner_thoughts" not in json.dumps(to_chat_tools(TOOLS, False))
    assert list(SAY.parameters["properties"]) == ["message"]


def test_only_narrows_what_is_offered(loopback: Loopback, model: Make) -> None:
    loopback.script = [SPEAK, SPEAK]
    model().complete(ASK, TOOLS, only=["send_message"])
    model().complete(ASK, TOOLS, only={"send_message", "core_memory_append"})
    one, several = (request.body for request in loopback.requests)
    assert one["tool_choice"] == {"type": "function", "function": {"name": "send_message"}}
    assert several["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in several["tools"]] == ["send_message", "core_memory_append"]
    with pytest.raises(ValueError, match="nope"):
        model().complete(ASK, TOOLS, only={"nope"})


def test_what_a_server_refuses_is_left_out_from_then_on(loopback: Loopback, model: Make) -> None:
    loopback.script = [
        refusal("tool_choice 'required' is not supported"),
        refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        refusal("'temperature' does not support 0.2"),
        SPEAK,
        SPEAK,
    ]
    fussy = model(temperature=0.2)
    fussy.complete(ASK, TOOLS, max_tokens=9)
    fussy.complete(ASK, TOOLS, max_tokens=9)
    assert len(loopback.requests) == 5
    for request in loopback.requests[3:]:
        assert request.body["tool_choice"] == "auto"
        assert not {"max_tokens", "temperature"} & set(request.body)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Just talking.", "Just talking."),
        ('{"name": "send_message", "arguments": {"message": "hi"}}', "hi"),
        ('```json\n{"function": "send_message", "params": {"message": "hi"}}\n```', "hi"),
    ],
)
def test_words_without_a_call_are_speech(loopback: Loopback, model: Make, words: str, said: str) -> None:
    loopback.script = [chat(words, reason="stop")]
    reply = model().complete(ASK, TOOLS)
    assert [dict(call.arguments) for call in reply.tool_calls] == [{"message": said}] and reply.inner_thoughts == ""


@pytest.mark.parametrize(
    ("answer", "tools", "only"),
    [
        (chat("Just talking.", reason="stop"), TOOLS[1:], None),
        (chat('{"name": "nope", "arguments": {}}', reason="stop"), TOOLS, None),
        (chat("", reason="content_filter"), TOOLS, None),
        (chat(tool_calls=calls(("send_message", '{"message": "ha')), reason="length"), TOOLS, None),
        (chat(tool_calls=calls(("core_memory_append", {"content": "x"}))), TOOLS, ["send_message"]),
        (chat("", reason="stop"), [], None),
    ],
)
def test_replies_that_are_no_calls(loopback: Loopback, model: Make, answer: Answer, tools: Any, only: Any) -> None:
    loopback.script = [answer]
    with pytest.raises(ModelReplyError):
        model().complete(ASK, tools, only=only)


def test_broken_arguments_are_mended_or_told(loopback: Loopback, model: Make) -> None:
    broken = calls(("send_message", "{'message': 'hi',}"), ("send_message", "nonsense"), ("send_message", ""))
    loopback.script = [chat("So:", tool_calls=broken)]
    reply = model().complete(ASK, TOOLS)
    first, second, third = reply.tool_calls
    assert first.arguments == {"message": "hi"} and first.error is None
    assert second.error and second.arguments == {} and third.error is None
    assert reply.inner_thoughts == "So:"


def test_a_call_that_only_rules_out_is_dropped_beside_an_allowed_one() -> None:
    both = calls(("core_memory_append", {}), ("send_message", {"message": "hi"}))
    reply = read_chat_reply(None, both, TOOLS, only=["send_message"])
    assert [call.name for call in reply.tool_calls] == ["send_message"]
    assert len(read_chat_reply([{"type": "text", "text": "x"}], both, TOOLS).tool_calls) == 2


def test_plain_text_without_functions(loopback: Loopback, model: Make) -> None:
    loopback.script = [chat(" A summary. ", reason="length")]
    reply = model().complete(ASK, [])
    assert (reply.text, reply.tool_calls) == ("A summary.", ())
    assert not {"tools", "tool_choice"} & set(loopback.requests[0].body)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            refusal(f"Incorrect API key provided: {SECRET}", 401),
            ModelRequestError,
            "does not accept the API key",
        ),
        (refusal("The model does not exist", 404), ModelRequestError, "knows no model 'gpt-4o'"),
        (refusal("Slow down", 429), ModelServerError, "limits the rate"),
        (
            refusal("You exceeded your quota", 429, "insufficient_quota"),
            ModelRequestError,
            "quota is used up",
        ),
        (refusal("too many", 400, "context_length_exceeded"), ModelRequestError, "too long"),
        (refusal(f"bad thing {SECRET}", 422), ModelRequestError, r"422: bad thing \*\*\*"),
        (Answer({"error": {"message": "boom"}}, 500), ModelServerError, "answered 500"),
        (Answer("<html>hi</html>", content_type="text/html"), ModelServerError, "OpenAI-compatible"),
        (Answer({"hello": 1}), ModelServerError, "OpenAI-compatible"),
        (Answer("{not json"), ModelServerError, "OpenAI-compatible"),
    ],
)
def test_faults_say_whose_they_are(
    loopback: Loopback, model: Make, answer: Answer, kind: type[Exception], words: str
) -> None:
    loopback.script = [answer]
    with pytest.raises(kind, match=words) as caught:
        model(settings={"max_retries": 0}).complete(ASK, TOOLS)
    assert SECRET not in str(caught.value)
    if kind is ModelServerError and answer.status >= 400:
        assert caught.value.retry  # type: ignore[attr-defined]


def test_timeouts_and_dead_servers(loopback: Loopback, model: Make) -> None:
    loopback.script = [Answer({}, delay=0.5)]
    with pytest.raises(ModelServerError, match="in time"):
        model(timeout=0.1, settings={"max_retries": 0}).complete(ASK, TOOLS)
    with pytest.raises(ModelServerError, match="Cannot reach") as caught:
        model(model_endpoint="http://127.0.0.1:9", settings={"max_retries": 0}).complete(ASK, TOOLS)
    assert caught.value.retry


def test_the_client_retries_passing_faults(loopback: Loopback, model: Make) -> None:
    loopback.script = [Answer({}, 503, headers={"retry-after-ms": "10"}), SPEAK]
    assert model().complete(ASK, TOOLS).tool_calls


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("http://h:1/v1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("http://h/openai/v1", "http://h/openai/v1"),
        ("http://h/v1beta/openai/", "http://h/v1beta/openai"),
        ("", "https://api.openai.com/v1"),
    ],
)
def test_addresses(model: Make, given: str, used: str) -> None:
    assert model(model_endpoint=given).address == used


def test_keys_and_names_are_asked_for() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        OpenAIChat(LLMConfig(model="gpt-4o"), environ={})
    with pytest.raises(ConfigError, match="Which model"):
        OpenAIChat(LLMConfig(api_key="x"), environ={})
    with pytest.raises(ConfigError, match="AZURE_OPENAI_ENDPOINT"):
        OpenAIChat(LLMConfig(model="d", model_endpoint_type="azure", api_key="x"), environ={})
    OpenAIChat(LLMConfig(model="local", model_endpoint="http://127.0.0.1:1"), environ={})  # needs none
    assert OpenAIChat(LLMConfig(model="gpt-4o"), environ={"OPENAI_API_KEY": "x"}).context_window == 128_000


def test_azure(loopback: Loopback) -> None:
    loopback.script = [SPEAK, SPEAK]
    environ = {"AZURE_OPENAI_ENDPOINT": loopback.address, "AZURE_OPENAI_API_KEY": SECRET}
    config = LLMConfig(model="my-deployment", model_endpoint_type="azure")
    OpenAIChat(config, environ=environ | {"OPENAI_API_VERSION": "2024-06-01"}).complete(ASK, TOOLS)
    OpenAIChat(config, environ=environ).complete(ASK, TOOLS)
    first, second = loopback.requests
    assert first.path == "/openai/deployments/my-deployment/chat/completions?api-version=2024-06-01"
    assert headers(first)["api-key"] == SECRET
    assert "api-version=" in second.path


def test_a_window_that_is_not_known(model: Make) -> None:
    assert model(model="my-own").context_window == 128_000  # a large one: see test_context_window.py
    assert model(model="my-own", context_window=2000).context_window == 2000
    assert model().count(ASK * 2) == 2 * model().count(ASK)


@pytest.mark.parametrize(
    ("error", "kind", "words", "asked"),
    [
        ({"message": "Rate limit exceeded: free-models-per-min", "code": 429}, ModelServerError, "limits the rate", 2),
        ({"message": "Provider returned error", "code": 502}, ModelServerError, "answered 502: Provider returned", 2),
        ({"message": "Internal failure"}, ModelServerError, "Internal failure", 2),
        ("overloaded", ModelServerError, "overloaded", 2),
        ({"message": "No such seed", "code": "400"}, ModelRequestError, "answered 400: No such seed", 1),
        ({"message": "Key disabled", "code": 401}, ModelRequestError, "does not accept the API key", 1),
    ],
)
def test_an_error_that_comes_with_status_200(
    loopback: Loopback, model: Make, monkeypatch: pytest.MonkeyPatch, error: Any, kind: Any, words: str, asked: int
) -> None:
    monkeypatch.setattr(openai_errors, "_BACKOFF", 0.01)
    loopback.script = [Answer({"error": error})] * 2
    with pytest.raises(kind, match=words):
        model(settings={"max_retries": 1}).complete(ASK, TOOLS)
    assert len(loopback.requests) == asked
    loopback.script = [Answer({"error": error}), SPEAK]
    if asked == 2:
        assert model(settings={"max_retries": 1}).complete(ASK, TOOLS).tool_calls, "it has passed"


def test_a_server_that_is_still_loading_is_waited_for(
    loopback: Loopback, model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_errors, "_POLL", 0.01)
    loading = Answer({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, 503)
    loopback.script = [loading] * 3 + [SPEAK]
    assert model(settings={"max_retries": 0}).complete(ASK, TOOLS).tool_calls


@pytest.mark.parametrize("key", ["ollama", "x", "none", "lm-studio", "not-needed", "EMPTY"])
def test_a_word_that_stands_in_for_a_key_is_not_masked(loopback: Loopback, model: Make, key: str) -> None:
    words = f"registry.ollama.ai: x tokens, none of {key}: lm-studio not-needed"
    loopback.script = [refusal(words)]
    with pytest.raises(ModelRequestError, match=words):
        model(api_key=key).complete(ASK, TOOLS)
