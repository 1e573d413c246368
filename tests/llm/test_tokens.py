"""Counting tokens with tiktoken, without it, and with one that hangs."""

from __future__ import annotations

import sys
import time
import types
from typing import Any

import pytest

from memgpt_autogen.llm import tokens
from memgpt_autogen.llm.tokens import TokenCounter
from memgpt_autogen.messages import Message, ToolCall

from .conftest import TOOLS


def stand_in(monkeypatch: pytest.MonkeyPatch, get_encoding: Any) -> None:
    """A tiktoken whose download does what the test says."""

    def encoding_name_for_model(model: str) -> str:
        return {"gpt-4o": "o200k_base"}[model]

    package, inner = types.ModuleType("tiktoken"), types.ModuleType("tiktoken.model")
    package.get_encoding, inner.encoding_name_for_model = get_encoding, encoding_name_for_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tiktoken", package)
    monkeypatch.setitem(sys.modules, "tiktoken.model", inner)
    monkeypatch.setattr(tokens, "_encodings", {})


def test_exact_where_the_encoding_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    class Words:
        def encode(self, text: str, disallowed_special: Any) -> list[str]:
            return text.split()

    stand_in(monkeypatch, lambda name: Words())
    counter = TokenCounter("openai/gpt-4o")
    assert counter.count("one two three <|endoftext|>") == 4
    counter.learn(100, 200)
    assert counter.count("one two three") == 3


def test_a_failing_download_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def fail(name: str) -> None:
        tried.append(name)
        raise OSError("no network")

    stand_in(monkeypatch, fail)
    assert [TokenCounter("gpt-4o").count("a" * 40) for _ in range(3)] == [10, 10, 10]
    assert tried == ["o200k_base"]


def test_a_hanging_download_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, lambda name: time.sleep(5))
    monkeypatch.setattr(tokens, "LOAD_TIMEOUT", 0.2)
    start = time.monotonic()
    assert TokenCounter("gpt-4o").count("a" * 40) == 10 and TokenCounter("gpt-4o").count("a" * 40) == 10
    assert time.monotonic() - start < 1.0


def test_the_estimate_learns() -> None:
    counter = TokenCounter("my-own-model")
    text = "some words in a row " * 50
    true = 400
    assert counter.count(text) == 250
    for _ in range(8):
        counter.learn(counter.count(text), true)
    assert abs(counter.count(text) - true) < 10
    for _ in range(20):
        counter.learn(1000, 1)
    assert counter.count(text) >= 60  # a server's nonsense figures do not make text free
    assert counter.count("") == 0 and counter.count("x") == 1


@pytest.mark.parametrize("reported", ["grown", "half", "random", "nothing"])
@pytest.mark.parametrize("density", [1.0, 1.6])
def test_figures_without_the_cached_part_never_let_a_prompt_outgrow_the_window(reported: str, density: float) -> None:
    """A window is filled to its last token by the estimate, and the server reports only what was not in its cache."""
    counter = TokenCounter("my-own-model")
    before, window = 0.0, 4096
    for turn in range(60):
        size = min(400 * (turn + 1), 4 * window)  # bytes that the prompt would like to have
        while counter.count("x" * size) > window:
            size -= 40
        true = density * size / 4
        shares = {"grown": true - before, "half": true / (1 + turn % 2), "random": true * (0.2 + turn * 37 % 80 / 100)}
        counter.learn(counter.count("x" * size), round(shares.get(reported, 0)) if turn else round(true))
        before = true
        if turn > 8:
            assert true <= window * 1.15


def test_messages_add_up() -> None:
    counter = TokenCounter()
    log = [
        Message("user", "Hello there"),
        Message("assistant", "hm", tool_calls=(ToolCall("f", {"a": "b" * 80}),)),
    ]
    assert counter.count_messages(log) == sum(counter.count_messages([m]) for m in log)
    assert counter.count_messages(log, TOOLS) > counter.count_messages(log) + 100
