"""The completion model against a server that answers as llama.cpp does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ConfigError, ModelReplyError, ModelRequestError, ModelServerError
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.messages import Message, Usage

from .conftest import REMEMBER, TOOLS, Answer, Loopback

ASK = [Message("system", "You are an agent."), Message("user", "Hi")]
Make = Callable[..., CompletionModel]


def wrote(content: str, stop_type: str = "eos") -> Answer:
    figures = {"tokens_evaluated": 40, "tokens_predicted": 9, "timings": {"cache_n": 30}}
    return Answer({"content": content, "stop_type": stop_type, "truncated": False} | figures)


SPEAK = wrote(' "send_message", "params": {"inner_thoughts": "greet", "message": "Hello"}}')
LAST = wrote(' "Hello"}}')


@pytest.fixture
def model(loopback: Loopback) -> Make:
    """A tokenizer that counts words, and a window of 400."""
    loopback.always = {
        "/props": {"default_generation_settings": {"n_ctx": 400}},
        "/tokenize": lambda body: {"tokens": body["content"].split()},
    }

    def make(window: int | None = None, settings: Any = None, **options: Any) -> CompletionModel:
        config = LLMConfig(
            model_endpoint_type="llamacpp",
            model_endpoint=loopback.address + "/v1",
            context_window=window,
            temperature=0.1,
            timeout=5.0,
            settings=settings or {},
        )
        return CompletionModel(config, **options)

    return make


def test_a_prompt_goes_out_and_a_call_comes_back(loopback: Loopback, model: Make) -> None:
    loopback.script = [SPEAK]
    reply = model(settings={"repeat_penalty": 1.2}).complete(ASK, TOOLS, max_tokens=70)
    assert [(c.name, dict(c.arguments)) for c in reply.tool_calls] == [("send_message", {"message": "Hello"})]
    assert reply.inner_thoughts == "greet" and reply.usage == Usage(40, 9, 30)
    request = loopback.requests[0]
    assert request.path == "/completion"
    body = request.body
    assert body["prompt"].endswith('<|im_start|>assistant\n{"function":') and "send_message(" in body["prompt"]
    assert body["grammar"].startswith("root ::= ") and "stop" not in body
    assert (body["n_predict"], body["cache_prompt"]) == (70, True)
    assert (body["temperature"], body["repeat_penalty"]) == (0.1, 1.2)


def test_only_is_held_by_the_grammar_and_leaves_the_prompt_as_it_was(loopback: Loopback, model: Make) -> None:
    loopback.script = [SPEAK, LAST]
    made = model(inner_thoughts=False)
    made.complete(ASK, TOOLS)
    reply = made.complete(ASK, TOOLS, only={"send_message"})
    assert reply.tool_calls[0].arguments == {"message": "Hello"}
    free, held = (request.body for request in loopback.requests)
    assert held["prompt"].endswith('{"function": "send_message", "params": {"message":')
    assert held["prompt"].startswith(free["prompt"])  # what the server has in its cache still serves
    assert "core_memory_append" in free["grammar"] and "core_memory_append" not in held["grammar"]


def test_plain_text_without_functions(loopback: Loopback, model: Make) -> None:
    loopback.script = [wrote(" A summary, cut", "limit")]
    assert model().complete(ASK, [], max_tokens=20).text == "A summary, cut"
    body = loopback.requests[0].body
    assert "grammar" not in body and body["prompt"].endswith("<|im_start|>assistant\n")


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (wrote(" Hello there!"), "middle of a call"),
        (wrote(" 1}"), "no function call"),
        (wrote(' "nope", "params": {}}'), "no function 'nope'"),
        (wrote(' "core_memory_append", "params": {"name": "human"}}'), "lacks content"),
    ],
)
def test_an_unreadable_reply_is_asked_for_once_more(loopback: Loopback, model: Make, bad: Answer, fault: str) -> None:
    loopback.script = [bad, SPEAK]
    reply = model().complete(ASK, TOOLS, max_tokens=70)
    assert reply.tool_calls and reply.usage == Usage(80, 18, 60)
    second = loopback.requests[1].body["prompt"]
    assert fault in second and bad.body["content"].strip() in second
    loopback.script = [bad, bad]
    with pytest.raises(ModelReplyError, match=fault) as caught:
        model().complete(ASK, TOOLS)
    assert caught.value.text == '{"function":' + bad.body["content"]


def test_a_cut_reply_is_asked_for_again_within_limits_that_fit(loopback: Loopback, model: Make) -> None:
    cut = wrote(' "send_message", "params": {"inner_thoughts": "a", "message": "b"}}', "limit")
    loopback.script = [cut, SPEAK]
    assert model().complete(ASK, TOOLS, max_tokens=100).tool_calls[0].arguments == {"message": "Hello"}
    first, second = (request.body for request in loopback.requests)
    assert first["prompt"] == second["prompt"] and first["grammar"] != second["grammar"]
    loopback.script = [cut, cut]
    with pytest.raises(ModelReplyError, match="cut by its token limit"):
        model().complete(ASK, TOOLS)


def test_calls_outside_only_are_no_answer(loopback: Loopback, model: Make) -> None:
    loopback.script = [wrote('\n{"function": "core_memory_append", "params": {"name": "human", "content": "x"}}')] * 2
    with pytest.raises(ModelReplyError):
        model().complete(ASK, TOOLS, only={"send_message"})


def test_an_empty_text_is_a_fault(loopback: Loopback, model: Make) -> None:
    loopback.script = [wrote(" ")]
    with pytest.raises(ModelReplyError, match="empty text"):
        model().complete(ASK, [])
    loopback.script = [wrote(""), SPEAK]
    assert model().complete(ASK, TOOLS).tool_calls


def test_a_prompt_that_does_not_fit_is_never_sent(loopback: Loopback, model: Make) -> None:
    long = [*ASK, Message("user", "word " * 400)]
    with pytest.raises(ModelRequestError, match=r"prompt has \d{3} tokens.*window of 400"):
        model().complete(long, TOOLS)
    assert loopback.requests == []
    loopback.script = [SPEAK]
    model().complete([*ASK, Message("user", "word " * 200)], TOOLS, max_tokens=300)
    assert loopback.requests[0].body["n_predict"] < 200  # what is left, where that is less than was asked for


def test_the_servers_own_refusal_has_its_figures(loopback: Loopback, model: Make) -> None:
    words = "request (9001 tokens) exceeds the available context size (4096 tokens), try increasing it"
    loopback.script = [Answer({"error": {"type": "exceed_context_size_error", "message": words}}, 400)]
    with pytest.raises(ModelRequestError, match=r"9001 tokens.*4096 tokens.*larger context"):
        model().complete(ASK, TOOLS)


def test_another_kind_of_server_is_recognised(loopback: Loopback, model: Make) -> None:
    loopback.script = [Answer({"results": []})]
    with pytest.raises(ModelServerError, match=r"unknown shape.*llamacpp"):
        model().complete(ASK, TOOLS)


def test_the_window_is_the_smaller_of_both(model: Make) -> None:
    assert (model().context_window, model(300).context_window, model(9000).context_window) == (400, 300, 400)


def test_counts_add_up_to_the_prompt(model: Make) -> None:
    made = model()
    apart = sum(made.count([message]) for message in ASK) + made.count([], TOOLS)
    assert made.count(ASK, TOOLS) == apart
    assert abs(apart - made.count_tokens(made.wrapper.prompt(ASK, TOOLS))) <= 4
    assert made.count_tokens("one two") == 2 and made.count_tokens("") == 0


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="does not complete prompts"):
        CompletionModel(LLMConfig())
    with pytest.raises(ConfigError, match="Unknown model wrapper"):
        CompletionModel(LLMConfig(model_endpoint_type="llamacpp", model_wrapper="nope"))
    with pytest.raises(ValueError, match="nope"):
        CompletionModel(LLMConfig(model_endpoint_type="llamacpp")).complete(ASK, [REMEMBER], only={"nope"})
