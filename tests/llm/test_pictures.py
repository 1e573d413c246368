"""Pictures over the OpenAI chat API: shown, counted, and described to a model whose server refuses them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import MemGPT, Settings
from memgpt_autogen import events as happening
from memgpt_autogen.errors import ModelRequestError
from memgpt_autogen.llm.base import ReplyDelta
from memgpt_autogen.llm.images import IMAGE_TOKENS
from memgpt_autogen.messages import Message

from .conftest import TOOLS, Answer, Loopback, Request
from .test_openai import SPEAK, refusal
from .test_streams import END, SPOKEN, WORDS, chat, events, words

pytest.importorskip("openai")

DATA = "data:image/png;base64," + base64.b64encode(b"\x89PNG" * 5000).decode()
PICTURE = {"type": "image_url", "image_url": {"url": DATA}}
LOOK = happening.user_message("Look:\n[image attached]", images=[DATA])
ASK = [Message("system", "You are an agent."), LOOK]
NO_IMAGES = refusal("Invalid content type. image_url is only supported by certain models.")


def parts(request: Request) -> list[Any]:
    """The pictures in a request."""
    listed = [message["content"] for message in request.body["messages"] if isinstance(message["content"], list)]
    return [part for content in listed for part in content if part["type"] == "image_url"]


def test_a_picture_is_sent_beside_its_words_and_counted_as_one(loopback: Loopback) -> None:
    loopback.script = [SPEAK, SPEAK]
    model = chat(loopback)
    for kind in ("openai", "azure"):
        chat(loopback, model_endpoint_type=kind).complete(ASK, TOOLS)
        text, picture = loopback.requests[-1].body["messages"][1]["content"]
        assert text == {"type": "text", "text": LOOK.content} and picture == PICTURE
    without = model.count([happening.user_message("Look:\n[image attached]", at=LOOK.created_at)])
    assert model.count([LOOK]) == without + IMAGE_TOKENS and without < 100


@pytest.mark.parametrize(
    "refused",
    [
        NO_IMAGES,
        refusal("Failed to deserialize the JSON body: unknown variant `image_url`, expected `text`", 422),
        refusal("Unsupported content part", 415),
        refusal("'messages.1' : for 'role:user' the following must be satisfied[('content' : value must be a string)]"),
        refusal("No endpoints found that support image input", 404),
        Answer({"error": "this model cannot take image input"}, 400),
        Answer({"detail": [{"loc": ["body", "messages", 1, "content"], "msg": "Input should be a valid string"}]}, 422),
    ],
)
def test_a_model_that_cannot_look_is_told_and_not_shown_again(loopback: Loopback, refused: Answer) -> None:
    loopback.script = [refused, SPEAK, SPEAK]
    model = chat(loopback)
    assert model.count([LOOK]) > IMAGE_TOKENS
    assert [model.complete(ASK, TOOLS).tool_calls[0].name for _ in range(2)] == ["send_message"] * 2
    assert [len(parts(request)) for request in loopback.requests] == [1, 0, 0]
    assert all("[image attached]" in request.body["messages"][1]["content"] for request in loopback.requests[1:])
    assert loopback.requests[1].body["tool_choice"] == "required"  # nothing else was left out
    assert model.count([LOOK]) < 100


def test_llama_cpp_refuses_a_picture_as_a_fault_of_its_own(loopback: Loopback) -> None:
    loopback.script = [refusal("image input is not supported - you may need to provide the mmproj", 500), SPEAK]
    assert chat(loopback, settings={"max_retries": 0}).complete(ASK, TOOLS).tool_calls
    assert [len(parts(request)) for request in loopback.requests] == [1, 0]


def test_a_streamed_reply_to_a_picture_and_a_refusal_of_one(loopback: Loopback) -> None:
    loopback.script = [events(*SPOKEN, *END), NO_IMAGES, events(*SPOKEN, *END)]
    model = chat(loopback)
    for _ in range(2):
        told: list[ReplyDelta] = []
        assert model.complete(ASK, TOOLS, on_delta=told.append).tool_calls[0].arguments == {"message": WORDS}
        assert words(told) == WORDS
    assert [len(parts(request)) for request in loopback.requests] == [1, 1, 0]
    assert all(request.body["stream"] is True for request in loopback.requests)


def test_other_refusals_are_told_and_pictures_go_on_being_shown(loopback: Loopback) -> None:
    model = chat(loopback, model="my-vision")
    for fault in (refusal("The model my-vision does not exist", 404), refusal("Your prompt was flagged.")):
        loopback.script = [fault, SPEAK]
        with pytest.raises(ModelRequestError):
            model.complete(ASK, TOOLS)
        assert model.complete(ASK, TOOLS).tool_calls and len(parts(loopback.requests[-1])) == 1


def test_a_refusal_after_the_pictures_is_told_at_once(loopback: Loopback) -> None:
    loopback.script = [NO_IMAGES, NO_IMAGES, SPEAK]
    with pytest.raises(ModelRequestError, match="Invalid content type"):
        chat(loopback).complete(ASK, TOOLS)
    assert len(loopback.requests) == 2


def test_an_agent_shows_its_model_as_many_as_fit(tmp_path: Path, loopback: Loopback) -> None:
    loopback.script = [SPEAK, SPEAK]
    memgpt = MemGPT(Settings(home=tmp_path, environ={}), embedder=None)
    agent = memgpt.create_agent("sam", model=chat(loopback, context_window=8192))
    turn = agent.run([happening.user_message("[image attached]" * 20, images=[DATA] * 20)], must_speak=True)
    assert turn.said == ("Hello",) and 1 <= len(parts(loopback.requests[0])) <= 4
    assert memgpt.ask(agent, "And now?") == "Hello" and parts(loopback.requests[1]) == parts(loopback.requests[0])
