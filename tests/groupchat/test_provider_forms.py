"""Strict providers, asked through AutoGen's own client: each form is learned, and kept for the agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.llm import openai_errors

from ..llm.conftest import Answer, Loopback
from ..llm.strict_servers import Strict, mistral_ids, mistral_order
from ..llm.test_provider_forms import FORMS, WITHOUT_CALLS
from .members import MemGPTAgent, completion, llm_config, say, user

pytestmark = pytest.mark.groupchat

DOCS = Path(__file__).parents[2] / "docs" / "autogen.md"
CHECKS = {name: checks for name, (checks, _) in FORMS.items()} | {name: (one,) for name, one in WITHOUT_CALLS.items()}
#: Ids as the Responses API makes them.
LONG = "fc_" + "x" * 50


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Strict]:
    strict = Strict(*CHECKS[request.param], says=answer)
    yield strict
    strict.close()


def answer(body: dict[str, Any]) -> Answer:
    if not body.get("tools"):
        return completion(text='{"function": "send_message", "params": {"message": "Hello."}}').body
    search = ("archival_memory_search", {"inner_thoughts": "?", "query": "boat"})
    if body["messages"][-1]["role"] != "tool" and "search" in str(body["messages"][-1]["content"]):
        return renamed(completion(search, search), LONG)
    return renamed(say("Hello."), LONG)


def renamed(reply: Answer, call_id: str) -> Any:
    for index, call in enumerate(reply.body["choices"][0]["message"]["tool_calls"]):
        call["id"] = f"{call_id}{index}"
    return reply.body


def rows() -> dict[str, int]:
    page = DOCS.read_text(encoding="utf-8").partition("## Providers that are stricter")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:3]] for line in page.splitlines() if line.startswith("| ")]
    return {name: int(count) for name, count in cells[1:]}


@pytest.mark.parametrize(("server", "name"), [(name, name) for name in CHECKS], indirect=["server"])
def test_three_turns_with_a_strict_provider(memgpt: MemGPT, server: Strict, name: str) -> None:
    sam = MemGPTAgent("sam", llm_config=llm_config(server.address), memgpt=memgpt)
    ann = user()
    for text in ("Hello", "search", "Bye"):
        chat = ann.initiate_chat(sam, message=text, max_turns=1, silent=True, clear_history=False)
        assert chat.chat_history[-1]["content"] == "Hello."
    assert len(server.refusals) == rows()[name], "the table in docs/autogen.md tells how often"
    assert "search" in str(server.taken[-1]["messages"]), "what was said is still there"


def test_a_client_given_with_the_call_learns_for_itself(memgpt: MemGPT) -> None:
    from autogen import OpenAIWrapper

    strict = Strict(mistral_order, mistral_ids, says=answer)
    try:
        other = OpenAIWrapper(**llm_config(strict.address))
        sam = MemGPTAgent("sam", llm_config=llm_config("http://127.0.0.1:9"), memgpt=memgpt)
        for text in ("one", "two", "three"):
            said = sam.generate_oai_reply([{"role": "user", "content": text}], sender=user(), config=other)
            assert said == (True, "Hello.")
        assert len(strict.refusals) == 2
    finally:
        strict.close()


@pytest.mark.parametrize(
    "error", [{"message": "Rate limit exceeded", "code": 429}, {"message": "Upstream down"}, "busy"]
)
def test_an_error_with_status_200_is_raised_in_the_provider_s_words(
    memgpt: MemGPT, loopback: Loopback, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    openai = pytest.importorskip("openai")
    monkeypatch.setattr(openai_errors, "_BACKOFF", 0.01)
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    loopback.script = [Answer({"error": error}), say("Hello.")]
    assert user().initiate_chat(sam, message="a", max_turns=1, silent=True).summary == "Hello."
    loopback.script = [Answer({"error": error})] * 4
    with pytest.raises(openai.APIStatusError, match=error if isinstance(error, str) else error["message"]):
        user().initiate_chat(sam, message="b", max_turns=1, silent=True)
