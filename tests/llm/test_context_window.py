"""Windows: looked up, told by a server, learned from a refusal; else assumed to be large."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from memgpt_autogen import events
from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ModelRequestError, PromptTooLong
from memgpt_autogen.llm.context_window import (
    ASSUMED_WINDOW,
    ContextWindow,
    context_window_of,
    is_too_long,
    reply_reserve_of,
    served_window,
    stated_limit,
)
from memgpt_autogen.llm.openai import OpenAIChat
from memgpt_autogen.messages import Message

from .conftest import Answer, Loopback

_names = (f"model-{number}" for number in itertools.count())
TEXT = "word " * 4000


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("gpt-4", 8_192),
        ("openai/gpt-4.1-nano", 1_047_576),
        ("ft:gpt-3.5-turbo-0613:acme::x", 4_096),
        ("grok-3", 131_072),
        ("deepseek-chat", 64_000),
        ("claude-sonnet-4-5", 200_000),
        ("my-deployment", None),
        ("", None),
    ],
)
def test_windows_of_well_known_models(model: str, tokens: int | None) -> None:
    assert context_window_of(model) == tokens


KEYWORD = "Completions.create() got an unexpected keyword argument 'context_window'"
REFUSALS = [
    ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", 8192),
    ("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4500 in the", 4096),
    ("prompt is too long: 208310 tokens > 200000 maximum", 200_000),
    ("input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000, decrease input length", 200_000),
    ("The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).", 1_048_576),
    ("Prompt contains 40,000 tokens, too large for model with 32,768 maximum context length", 32_768),
    ("This model's maximum prompt length is 131072 but the request contains 200000 tokens.", 131_072),
    ("too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000", 4_081),
    ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs`", 4_097),
    ("Range of input length should be [1, 30720]", 30_720),
    ("request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it", 4_096),
    ("Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.", 272_000),
    ("Please reduce the length of the messages or completion.", None),
    ("Input is too long for requested model.", None),
]


@pytest.mark.parametrize(("words", "limit"), REFUSALS, ids=[words[:30] for words, _ in REFUSALS])
def test_the_limit_is_read_from_the_provider_s_words(words: str, limit: int | None) -> None:
    assert is_too_long(words) and stated_limit(words) == limit
    window = ContextWindow(next(_names), 2_000_000)
    assert window.refused(words, 1000) and window.tokens == (limit or 750)


@pytest.mark.parametrize(
    "words",
    [
        "Invalid value for max_tokens",
        "Rate limit reached: limit 30000 tokens a minute",
        "temperature must be <= 2",
        "",
        KEYWORD,
    ],
)
def test_other_refusals_teach_nothing(words: str) -> None:
    window = ContextWindow(next(_names))
    assert not window.refused(words, 1000) and window.tokens == ASSUMED_WINDOW


def test_a_window_that_is_refused_again_goes_on_shrinking() -> None:
    window = ContextWindow(next(_names), 8192)
    seen = []
    for _ in range(3):
        window.refused("maximum context length is 8192 tokens", window.tokens)
        seen.append(window.tokens)
    assert 8192 > seen[0] > seen[1] > seen[2] > 2000


def test_what_is_learned_is_that_server_s_alone() -> None:
    name = next(_names)
    one, other = ContextWindow(name, address="http://a"), ContextWindow(name, address="http://b")
    one.refused("maximum context length is 4096 tokens", 5000)
    assert (one.tokens, other.tokens) == (4096, ASSUMED_WINDOW)
    assert ContextWindow(name, address="http://a").tokens == 4096


@pytest.mark.parametrize(
    ("rows", "tokens"),
    [
        ([{"id": "m", "max_model_len": 4096}], 4096),
        ([{"id": "x", "context_length": 1}, {"id": "m", "context_length": 32768}], 32768),
        ([{"id": "m", "context_window": 131072}], 131072),
        ([{"id": "/models/other.gguf", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}}], 2048),
        ([{"id": "m", "meta": {"n_ctx_train": 8192}}], None),
        ([{"id": "x", "context_length": 1}, {"id": "y"}], None),
        ([{"id": "m", "context_length": "many"}], None),
        ([], None),
    ],
)
def test_servers_tell_the_window_in_their_list_of_models(rows: list[Mapping[str, Any]], tokens: int | None) -> None:
    assert served_window(rows, "m") == tokens


@pytest.mark.parametrize(
    ("model", "reserve"),
    [("gpt-5-mini", 128_000), ("o3-mini", 25_000), ("deepseek-reasoner", 25_000), ("gpt-4o", None)],
)
def test_models_that_reason_get_room_for_it(model: str, reserve: int | None) -> None:
    assert reply_reserve_of(model) == reserve


def chat(loopback: Loopback, **given: Any) -> OpenAIChat:
    loopback.script = []
    return OpenAIChat(LLMConfig(model=next(_names), model_endpoint=loopback.address, api_key="k", **given), environ={})


@pytest.mark.parametrize("status", [400, 413])
def test_our_own_client_learns_too(loopback: Loopback, status: int) -> None:
    model = chat(loopback, context_window=100_000)
    told = {"error": {"message": "This model's maximum context length is 4096 tokens.", "type": "x"}}
    loopback.script = [Answer(told, status)]
    with pytest.raises(PromptTooLong) as caught:
        model.complete([Message("user", TEXT)], [])
    assert model.context_window == 4096 and isinstance(caught.value, ModelRequestError)


@pytest.mark.parametrize(("key", "tokens"), [("max_tokens", 500), ("max_completion_tokens", 3000)])
def test_our_own_client_keeps_the_user_s_limit_of_a_reply_free(loopback: Loopback, key: str, tokens: int) -> None:
    assert chat(loopback, settings={key: tokens}).reply_tokens == tokens


def test_events_are_shown_whole_in_a_window_that_holds_them() -> None:
    assert len(events.user_message(TEXT).content) == len(TEXT)
