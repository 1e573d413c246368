"""No message is cut in silence: windows of models that nobody has listed, and what is told where a cut must be."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.groupchat.agent import MemGPTAgent

from ..llm.conftest import Answer, Loopback
from .members import accepted, autogen, llm_config, say, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("windows")]

_names = (f"deployment-{number}" for number in itertools.count())
LONG = "The quick brown fox jumps over the lazy dog. " * 450 + "LAST QUESTION?"
TOO_LONG = "This model's maximum context length is 4096 tokens. However, your messages resulted in 6002 tokens."


def asked(memgpt: MemGPT, loopback: Loopback, text: str = LONG, entry: Any = None, **given: Any) -> Any:
    """The last prompt that a new agent sends about a message."""
    name = next(_names)
    config = {"model": name, **(entry or {})}
    agent = MemGPTAgent(name, llm_config=llm_config(loopback.address, **config), memgpt=memgpt, **given)
    user().initiate_chat(agent, message=text, max_turns=1, silent=True)
    posted = [request for request in loopback.requests if request.method == "POST"]
    return str(posted[-1].body["messages"])


@pytest.mark.parametrize("listed", [{"data": [{"id": "another"}, {"id": "one"}]}, {"data": []}, {}, "no JSON", [1]])
def test_a_long_message_reaches_a_model_that_nobody_has_listed(memgpt: MemGPT, loopback: Loopback, listed: Any) -> None:
    loopback.always["/v1/models"] = listed
    loopback.script = [say("ok")] * 3
    assert "LAST QUESTION?" in asked(memgpt, loopback)


def test_the_server_is_asked_once_how_large_its_window_is(memgpt: MemGPT, loopback: Loopback) -> None:
    questions: list[Any] = []
    served = {"data": [{"id": "served", "max_model_len": 4096}]}
    loopback.always["/v1/models"] = lambda body: questions.append(body) or served
    loopback.script = [say("ok")] * 4
    for _ in range(2):
        assert "(cut: " in asked(memgpt, loopback, entry={"model": "served"})
    assert len(questions) == 1


def test_a_limit_is_learned_from_the_refusal_and_told_once(
    memgpt: MemGPT, loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.always["/v1/models"] = {}
    loopback.script = [Answer({"error": {"message": TOO_LONG, "type": "x", "code": None}}, 400), *[say("ok")] * 3]
    with caplog.at_level(logging.WARNING):
        asked(memgpt, loopback)
    prompt = str(loopback.requests[1].body["messages"])
    assert prompt.count("quick brown") < 450 and "conversation_search finds the rest)" in prompt
    told = [record.getMessage() for record in caplog.records]
    assert sum("did not fit" in one for one in told) == 1 and sum("can search for the rest" in one for one in told) == 1


def test_a_provider_that_refuses_every_length_gives_its_own_error(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.always["/v1/models"] = {}
    loopback.script = [Answer({"error": {"message": "Input is too long.", "type": "x", "code": None}}, 400)] * 10
    with pytest.raises(Exception, match="too long"):
        asked(memgpt, loopback, entry={"context_window": 30_000})
    assert sum(request.method == "POST" for request in loopback.requests) == 3


@pytest.mark.parametrize("form", ["dict", "object", "constructor over entry"])
def test_the_agent_itself_is_told_how_large_the_window_is(memgpt: MemGPT, loopback: Loopback, form: str) -> None:
    loopback.script = [say("ok")] * 3
    if form == "object" and not hasattr(autogen, "LLMConfig"):
        pytest.skip("this AutoGen has no LLMConfig")
    config: Any = llm_config(loopback.address, model="m", **({"context_window": 64_000} if form[0] == "c" else {}))
    if form == "object":
        config = (
            autogen.LLMConfig(**config)
            if autogen.__version__.startswith("0.9.")
            else autogen.LLMConfig(config["config_list"][0])
        )
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt, context_window=4096)
    user().initiate_chat(sam, message=LONG, max_turns=1, silent=True)
    assert sam.core.model.context_window == 4096 and "(cut: " in str(loopback.requests[0].body)


@pytest.mark.parametrize("window", ["many", -5, 1.5])
def test_a_window_that_cannot_be_is_an_error(memgpt: MemGPT, window: Any) -> None:
    with pytest.raises(ConfigError, match="context_window is a number"):
        MemGPTAgent("sam", llm_config=llm_config("http://127.0.0.1:9"), memgpt=memgpt, context_window=window)


@pytest.mark.parametrize(
    ("given", "reserve"),
    [({"max_tokens": 3000}, 3000), ({"max_completion_tokens": 3000}, 3000), ({"model": "o3-mini"}, 25_000), ({}, 1024)],
)
def test_room_is_kept_for_the_reply_that_the_config_allows(memgpt: MemGPT, given: dict[str, Any], reserve: int) -> None:
    accepted(llm_config("http://127.0.0.1:9", **given))
    config = llm_config("http://127.0.0.1:9", context_window=100_000, **given)
    sam = MemGPTAgent("sam", llm_config=config, memgpt=memgpt)
    policy = sam.core._parts.context.policy
    assert policy.reply_tokens(100_000, sam.core.model.reply_tokens) == reserve


def test_a_message_that_fits_the_room_is_not_cut(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("ok")] * 3
    assert "LAST QUESTION?" in asked(memgpt, loopback, entry={"model": "gpt-4"})  # 4,500 of 8,192 tokens
