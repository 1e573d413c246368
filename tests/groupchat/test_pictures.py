"""Pictures in messages: described to every model, and shown to one that looks at them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.translate import images_of
from memgpt_autogen.llm.images import IMAGE_TOKENS

from ..llm.conftest import Answer, Loopback
from .members import group, heard, llm_config, log, member, open_memgpt, say, shown, talker

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("pictures")]

DATA = "data:image/png;base64," + base64.b64encode(b"\x89PNG" * 5000).decode()
PICTURE = {"type": "image_url", "image_url": {"url": DATA}}
LOOK = {"content": [{"type": "text", "text": "Look:"}, PICTURE]}


def parts(request: Any) -> list[Any]:
    """The pictures in a request."""
    listed = [message["content"] for message in request.body["messages"] if isinstance(message["content"], list)]
    return [part for content in listed for part in content if part["type"] == "image_url"]


def test_a_model_is_shown_the_picture_and_its_words_in_order(tmp_path: Path, loopback: Loopback) -> None:
    loopback.script = [say("A tree."), say("Still a tree."), say("A tree, I said.")]
    home = open_memgpt(tmp_path, tmp_path / "memory.db")
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=home)
    talker("ann", ["And now?"]).initiate_chat(sam, message=LOOK, max_turns=2, silent=True)
    first, second = loopback.requests
    assert parts(first) == parts(second) == [PICTURE]
    content = next(message["content"] for message in first.body["messages"] if isinstance(message["content"], list))
    assert content[0]["text"].endswith("]: Look:\n[image attached]")
    assert heard(sam)[0] == ("ann", "Look:\n[image attached]") and log(sam)[0].images == (DATA,)
    home.close()
    again = open_memgpt(tmp_path, tmp_path / "memory.db")  # kept with the message
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=again)
    talker("bob").initiate_chat(sam, message="What was it?", max_turns=1, silent=True)
    assert parts(loopback.requests[2]) == [PICTURE]
    again.close()


def test_a_picture_is_not_counted_as_text(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("A tree.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address, context_window=8192), memgpt=memgpt)
    talker("ann").initiate_chat(sam, message=LOOK, max_turns=1, silent=True)
    assert IMAGE_TOKENS <= sam.core.model.count(log(sam)[:1]) < IMAGE_TOKENS + 100


def test_more_pictures_than_fit_are_only_told_of(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("Trees.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address, context_window=8192), memgpt=memgpt)
    talker("ann").initiate_chat(sam, message={"content": [PICTURE] * 20}, max_turns=1, silent=True)
    assert 1 <= len(parts(loopback.requests[0])) <= 4 and heard(sam)[0][1].count("[image attached]") == 20


def test_a_model_that_cannot_look_is_asked_without(memgpt: MemGPT, loopback: Loopback) -> None:
    refusal = Answer({"error": {"message": "Invalid content type. image_url is only supported by some models."}}, 400)
    loopback.script = [refusal, say("I cannot see it."), say("No.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    result = talker("ann", [LOOK]).initiate_chat(sam, message=LOOK, max_turns=2, silent=True)
    assert result.chat_history[1]["content"] == "I cannot see it." and result.summary == "No."
    assert [len(parts(request)) for request in loopback.requests] == [1, 0, 0]
    assert "[image attached]" in str(loopback.requests[1].body)


def test_a_model_of_our_own_reads_the_words(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["A tree."])
    talker("ann").initiate_chat(sam, message=LOOK, max_turns=1, silent=True)
    assert "Look:\n[image attached]" in shown(model.calls[0]) and "base64" not in shown(model.calls[0])


def test_a_picture_in_a_group_chat_has_its_speaker(memgpt: MemGPT, loopback: Loopback) -> None:
    loopback.script = [say("A tree.")]
    sam = MemGPTAgent("sam", llm_config=llm_config(loopback.address), memgpt=memgpt)
    bob = talker("bob")
    bob.initiate_chat(group([bob, sam], 2), message=LOOK, silent=True)
    if "<image>" in heard(sam)[0][1]:
        pytest.skip("this AutoGen's manager puts <image> in place of every picture")
    assert heard(sam) == [("bob", "Look:\n[image attached]")] and parts(loopback.requests[0]) == [PICTURE]


def test_the_forms_that_pictures_come_in() -> None:
    class Pil:
        def save(self, file: Any, format: str) -> None:
            file.write(b"png")

    url = "https://example.test/tree.png"
    forms = [url, {"url": url}, {"url": Pil()}, {"url": None}, None]
    content = [{"type": "text", "text": "x"}, *({"type": "image_url", "image_url": form} for form in forms), "y"]
    assert images_of(content) == [url, url, "data:image/png;base64,cG5n"]
    assert images_of("text") == [] and images_of(None) == [] and images_of(lambda context: "x") == []
