"""What a reasoning model writes before its answer is a thought: never said, never stored as speech, never run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ModelReplyError
from memgpt_autogen.llm.base import ReplyDelta
from memgpt_autogen.llm.chat_format import read_chat_reply
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.openai import OpenAIChat
from memgpt_autogen.llm.reasoning import answer_so_far, split_reasoning
from memgpt_autogen.llm.repair import parse_calls
from memgpt_autogen.llm.streaming import StreamParser
from memgpt_autogen.messages import Message
from memgpt_autogen.observers import SpeechDelta, ThoughtDelta

from .conftest import TOOLS, Answer, Loopback
from .replay import LMSTUDIO, OLLAMA, WEBUI, Kind, Replay
from .test_openai import ASK, calls, chat
from .test_streams import delta, events, flow, streamed

DRAFT = '{"function": "core_memory_append", "params": {"name": "human", "content": "SECRET"}}'
CALL = '{"function": "send_message", "params": {"message": "Hello Chad"}}'
#: How the families write reasoning (R) before an answer (A).
FORMS = {
    "DeepSeek-R1, Qwen3": "<think>\n{R}\n</think>\n\n{A}",
    "only the closing mark": "{R}\n</think>\n\n{A}",
    "on one line": "{R}</think>{A}",
    "thinking": "<thinking>{R}</thinking>\n{A}",
    "upper case": "<THINK>{R}</THINK>{A}",
    "Seed": "<seed:think>{R}</seed:think>{A}",
    "Magistral": "[THINK]{R}[/THINK]{A}",
    "Kimi": "◁think▷{R}◁/think▷{A}",
    "Command A": "<|START_THINKING|>{R}<|END_THINKING|><|START_RESPONSE|>{A}<|END_RESPONSE|>",
    "OpenThinker": "<|begin_of_thought|>{R}<|end_of_thought|><|begin_of_solution|>{A}<|end_of_solution|>",
    "an answer in marks": "<think>{R}</think>\n<answer>{A}</answer>",
    "reasoning twice": "<think>{R}</think><think>{R}</think>{A}",
    "reasoning that names the mark": "<think>{R}: write <think> first</think>{A}",
    "gpt-oss": "<|channel|>analysis<|message|>{R}<|end|><|start|>assistant<|channel|>final<|message|>{A}<|return|>",
    "gpt-oss without its tokens": "analysis{R}.assistantfinal{A}",
}


def written(form: str, answer: str) -> str:
    return form.replace("{R}", f"SECRET: should I {DRAFT}?").replace("{A}", answer)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_reasoning_is_told_apart_from_words_and_calls(form: str) -> None:
    said = written(form, "Hello Chad")
    reasoning, answer = split_reasoning(said)
    assert answer == "Hello Chad" and "SECRET" in reasoning
    reply = read_chat_reply(said, None, TOOLS)
    assert [call.arguments for call in reply.tool_calls] == [{"message": "Hello Chad"}]
    assert "SECRET" in reply.inner_thoughts
    read, thoughts = parse_calls(written(form, CALL), TOOLS)
    assert [call.name for call in read] == ["send_message"] and "SECRET" in thoughts
    assert read_chat_reply(said, None, ()).text == "Hello Chad", "a summary has no reasoning in it"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_nothing_of_it_is_told_as_speech_while_it_is_written(form: str) -> None:
    text = written(form, CALL)
    parts: list[ReplyDelta] = []
    reader = StreamParser(parts.append, TOOLS)
    for end in range(len(text) + 1):
        reader.text(text[:end])
    assert "SECRET" not in "".join(part.text for part in parts if isinstance(part, SpeechDelta))


@pytest.mark.parametrize(
    "text",
    [
        "It writes `<think>` and `</think>` around its reasoning.",
        'The closing mark is "</think>", I believe.',
        "1 < 2, and a <b>bold</b> word.",
        "analysis of the final assistant",
        json.dumps({"function": "send_message", "params": {"message": "Write </think> last."}}),
    ],
)
def test_a_mark_that_is_spoken_of_is_left_alone(text: str) -> None:
    assert split_reasoning(text) == ("", text)


def test_gpt_oss_calls_functions_in_its_commentary() -> None:
    forms = (
        '<|channel|>commentary to=functions.send_message <|constrain|>json<|message|>{"message": "hi"}<|call|>',
        '<|start|>assistant to=functions.send_message<|channel|>commentary json<|message|>{"message": "hi"}<|call|>',
        'analysisShould I?assistantcommentary to=functions.send_message json{"message": "hi"}',
    )
    for text in forms:
        (call,), _ = parse_calls(text, TOOLS)
        assert (call.name, call.arguments) == ("send_message", {"message": "hi"})


@pytest.mark.parametrize("text", ["<think>\nfor ever", "<think>R</think>", "R</think>\n", "[THINK]R"])
def test_reasoning_alone_is_no_answer(text: str) -> None:
    with pytest.raises(ModelReplyError, match="reasoning"):
        parse_calls(text, TOOLS)
    with pytest.raises(ModelReplyError):
        read_chat_reply(text, None, TOOLS)


def test_a_mark_that_has_only_begun_belongs_to_neither() -> None:
    assert answer_so_far("<thi") == ("", "") and answer_so_far("<think>a</th") == ("a", "")
    assert answer_so_far("Hello <") == ("", "Hello ")


def test_reasoning_within_the_words_of_a_call_is_a_thought() -> None:
    spoken = calls(("send_message", {"inner_thoughts": "greet", "message": "<think>SECRET</think>\nHello"}))
    reply = read_chat_reply(None, spoken, TOOLS)
    assert reply.tool_calls[0].arguments == {"message": "Hello"} and reply.inner_thoughts == "greet\nSECRET"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_a_field_of_its_own_is_a_thought(loopback: Loopback, field: str) -> None:
    spoken = calls(("send_message", {"message": "Hello"}))
    pieces = [{field: "SEC"}, {field: "RET"}, {"tool_calls": [{"index": 0, **spoken[0]}]}]
    rows = [*(delta(**piece) for piece in pieces), delta(finish_reason="tool_calls")]
    beside = {field: "SECRET"}
    loopback.script = [chat(tool_calls=spoken, **beside), chat("Hello", reason="stop", **beside), events(*rows)]
    config = LLMConfig(model="m", model_endpoint=loopback.address, api_key="key-of-the-test", timeout=5.0)
    model = OpenAIChat(config, environ={})
    parts: list[ReplyDelta] = []
    for heard in (None, None, parts.append):
        reply = model.complete(ASK, TOOLS, on_delta=heard)
        assert reply.inner_thoughts == "SECRET" and reply.tool_calls[0].arguments == {"message": "Hello"}
    assert [part.text for part in parts if isinstance(part, ThoughtDelta)] == ["SEC", "RET"]
    assert [part.text for part in parts if isinstance(part, SpeechDelta)] == ["Hello"]


@pytest.fixture
def served(kind: Kind) -> Iterator[Replay]:
    server = Replay(kind)
    yield server
    server.close()


@pytest.mark.parametrize("kind", [LMSTUDIO, OLLAMA, WEBUI], ids=lambda kind: kind.name)
@pytest.mark.parametrize("form", ["DeepSeek-R1, Qwen3", "only the closing mark", "gpt-oss"])
def test_completion_servers_run_only_what_stands_behind_it(served: Replay, kind: Kind, form: str) -> None:
    text, summary = written(FORMS[form], CALL), written(FORMS[form], "They met.")
    served.script = [served.say(text), flow(streamed(kind, text)), served.say(summary), served.say("<think>SECRET")]
    config = LLMConfig(model_endpoint_type=kind.name, model_endpoint=served.address, timeout=5.0, context_window=4096)
    model = CompletionModel(config)
    parts: list[ReplyDelta] = []
    for heard in (None, parts.append):
        reply = model.complete(ASK, TOOLS, on_delta=heard)
        assert [call.name for call in reply.tool_calls] == ["send_message"] and "SECRET" in reply.inner_thoughts
    assert "".join(part.text for part in parts if isinstance(part, SpeechDelta)) == "Hello Chad"
    assert model.complete(ASK, ()).text == "They met."
    with pytest.raises(ModelReplyError, match="wrote no answer"):
        model.complete(ASK, ())


@pytest.mark.parametrize(("kind", "place"), [(LMSTUDIO, "reasoning_content"), (OLLAMA, "thinking")])
def test_completion_servers_with_a_field_for_it(served: Replay, kind: Kind, place: str) -> None:
    body: Any = kind.reply(CALL, False)
    (body["choices"][0]["message"] if kind is LMSTUDIO else body)[place] = "SECRET"
    served.script = [Answer(body)]
    config = LLMConfig(model_endpoint_type=kind.name, model_endpoint=served.address, timeout=5.0)
    reply = CompletionModel(config).complete([*ASK, Message("user", "?")], TOOLS)
    assert reply.inner_thoughts == "SECRET" and reply.tool_calls[0].arguments == {"message": "Hello Chad"}
