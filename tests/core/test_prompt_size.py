"""What an agent costs before anything is said, in tokens of cl100k."""

from __future__ import annotations

import json

import bpe_openai
import pytest

from memgpt_autogen.llm.chat_format import to_chat_messages, to_chat_tools

from .conftest import Build, Script, say


@pytest.mark.parametrize(("preset", "most"), [("memgpt_chat", 1000), ("memgpt_docs", 1000), ("memgpt_compact", 500)])
def test_the_first_prompt_is_small(build: Build, script: Script, preset: str, most: int) -> None:
    model = script("Hello.")
    say(build(model, preset=preset), "Hi")
    prompt = model.calls[0]
    contents = [message["content"] for message in to_chat_messages(prompt.messages)]
    sent = [*contents, json.dumps(to_chat_tools(prompt.tools))]
    encoding = bpe_openai.get_encoding("cl100k_base")
    tokens = sum(len(encoding.encode(text)) for text in sent)
    assert len(prompt.messages) == 2
    assert tokens <= most
