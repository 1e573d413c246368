"""Conversations in the form that strict providers take: learned from one refusal, and kept from then on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ModelRequestError
from memgpt_autogen.llm.openai import OpenAIChat
from memgpt_autogen.llm.provider_form import ProviderForm
from memgpt_autogen.messages import Message, ToolCall

from . import strict_servers as strict
from .conftest import TOOLS
from .strict_servers import Check, Strict
from .test_openai import calls, chat

pytest.importorskip("openai")

SPEAK = chat(tool_calls=calls(("send_message", {"message": "Hello"}))).body
IN_TEXT = chat('{"function": "send_message", "params": {"message": "Hello"}}', reason="stop").body

#: Provider or template, what it demands, how often it refuses before all is learned; the table in docs/local-models.md
#: has these rows.
FORMS: dict[str, tuple[tuple[Check, ...], int]] = {
    "Mistral's API": ((strict.mistral_order, strict.mistral_ids, strict.system_first), 3),
    "Ollama, Open WebUI": ((strict.text_content,), 1),
    "a proxy that validates": ((strict.required_content,), 1),
    "Anthropic by way of a proxy": ((strict.anthropic_ids, strict.filled_content), 1),
    "templates of Mistral, Gemma, Llama 2": ((strict.alternating,), 2),
    "an API of turns": ((strict.neighbours, strict.system_first), 2),
    "templates of Qwen 3.5": ((strict.system_first,), 1),
    "templates without a system": ((strict.no_system,), 1),
    "o1-mini": ((strict.no_developer_or_system,), 1),
    "templates of Llama 3": ((strict.single_calls,), 1),
    "Gemini's OpenAI door": ((strict.named_results,), 1),
    "OpenAI": ((strict.openai_ids,), 0),
    "an unknown demand": ((strict.unknown_words,), 1),
}
WITHOUT_CALLS: dict[str, Check] = {
    "Ollama": strict.ollama_without_tools,
    "vLLM without a tool parser": strict.vllm_without_tools,
    "OpenRouter": strict.openrouter_without_tools,
    "a template without tools": strict.no_tool_role,
}


def conversation() -> list[Message]:
    """All that an agent's log may come to hold: others' ids, several calls at once, two speakers, alerts."""
    several = (
        ToolCall("archival_memory_search", {"query": "x"}, "x" * 53),
        ToolCall("send_message", {"message": "hm"}, "7"),
    )
    odd = ToolCall("send_message", {"message": "b"}, "chatcmpl-tool:0 é")
    return [
        Message("system", "You are an agent."),
        Message("user", "one"),
        Message("user", "two, by another"),
        Message("assistant", "thinking", tool_calls=several),
        Message("tool", "nothing", call_id="x" * 53),
        Message("tool", "OK", call_id="7"),
        Message("user", "three"),
        Message("assistant", "", tool_calls=(odd,)),
        Message("tool", "OK", call_id="chatcmpl-tool:0 é"),
        Message("system", "Be brief."),
        Message("user", "four"),
    ]


@pytest.fixture
def served() -> Iterator[list[Strict]]:
    made: list[Strict] = []
    yield made
    for server in made:
        server.close()


def connected(served: list[Strict], *checks: Check, model: str = "m", says: Any = SPEAK, **options: Any) -> OpenAIChat:
    served.append(Strict(*checks, says=says, **options))
    config = LLMConfig(model=model, model_endpoint=served[-1].address, timeout=5.0, settings={"max_retries": 0})
    return OpenAIChat(config, environ={})


@pytest.mark.parametrize("name", FORMS)
def test_a_conversation_takes_the_form_that_a_provider_wants(served: list[Strict], name: str) -> None:
    checks, refusals = FORMS[name]
    model = connected(served, *checks)
    for _ in range(3):
        assert model.complete(conversation(), TOOLS).tool_calls[0].arguments == {"message": "Hello"}
    server = served[0]
    assert len(server.refusals) <= refusals, "a form is learned once"
    assert server.taken[0] == server.taken[-1], "the prefix of the prompt stays the same"
    sent = json.dumps(server.taken[-1]["messages"])
    for words in ("one", "two, by another", "three", "four", "Be brief.", "nothing", "thinking"):
        assert words in sent, "nothing is lost"


@pytest.mark.parametrize("name", WITHOUT_CALLS)
def test_functions_are_called_in_the_text_where_a_model_has_none(served: list[Strict], name: str) -> None:
    model = connected(served, WITHOUT_CALLS[name], says=IN_TEXT)
    for _ in range(2):
        assert model.complete(conversation(), TOOLS).tool_calls[0].arguments == {"message": "Hello"}
    server = served[0]
    assert len(server.refusals) <= 2 and not {"tools", "tool_choice"} & set(server.taken[-1])
    sent = json.dumps(server.taken[-1]["messages"])
    assert "core_memory_append" in sent and '\\"function\\": \\"send_message\\"' in sent


@pytest.mark.parametrize(("model", "refusals"), [("mistral-large-latest", 0), ("open-mixtral-8x7b", 0), ("m", 2)])
def test_a_known_provider_is_never_refused(served: list[Strict], model: str, refusals: int) -> None:
    asked = connected(served, strict.mistral_order, strict.mistral_ids, model=model)
    asked.complete([one for one in conversation() if one.content != "Be brief."], TOOLS)
    assert len(served[0].refusals) == refusals


@pytest.mark.parametrize("status", [422, 500])
def test_a_template_that_fails_with_another_status(served: list[Strict], status: int) -> None:
    model = connected(served, strict.alternating, status=status)
    assert model.complete(conversation(), TOOLS).tool_calls


@pytest.mark.parametrize(
    ("words", "status", "most"),
    [
        ("The seed is out of range", 400, 1),
        ("Malformed message list (E1047)", 400, 2),
        ("role 'tool' is rate limited", 429, 1),
        ("This model's maximum context length is 8192 tokens, your messages have 9000", 400, 1),
        ("no access to messages", 403, 1),
    ],
)
def test_what_no_form_mends_is_told_soon(served: list[Strict], words: str, status: int, most: int) -> None:
    model = connected(served, lambda body: words, status=status)
    with pytest.raises(Exception, match=re.escape(words) if status not in (403,) else "API key"):
        model.complete(conversation(), TOOLS)
    assert len(served[0].refusals) <= most
    assert not model.form._suspected, "a suspicion that did not help is dropped"


def test_ids_stay_pairs_and_the_same_in_every_request() -> None:
    form = ProviderForm("mistral-small")
    first, again = form.request(conversation(), TOOLS), form.request([*conversation(), Message("user", "five")], TOOLS)
    assert again["messages"][: len(first["messages"])] == first["messages"]
    assert strict.paired(first) is None and strict.mistral_ids(first) is None
    usual = ProviderForm("gpt-4o").request(conversation(), TOOLS)
    assert [one["id"] for one in strict.calls(usual)][1] == "7", "an id that fits stays as it is"


def test_words_that_are_put_in_are_counted(served: list[Strict]) -> None:
    plain, strict_one = ProviderForm("m"), ProviderForm("mistral-small")
    assert plain.tokens(conversation()) == 0 < strict_one.tokens(conversation())


def test_an_error_names_the_server_and_its_words(served: list[Strict]) -> None:
    model = connected(served, lambda body: "The seed is out of range")
    with pytest.raises(ModelRequestError, match=r"answered 400: The seed is out of range"):
        model.complete(conversation(), TOOLS)


def test_the_table_in_the_documentation_has_every_form() -> None:
    page = (Path(__file__).parents[2] / "docs" / "local-models.md").read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip() for row in page.splitlines() if row.startswith("| ")}
    assert {*FORMS, *WITHOUT_CALLS} <= rows
