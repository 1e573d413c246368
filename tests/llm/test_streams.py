"""Replies that are told while they are written, over every way that a server sends them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ModelReplyError, ModelServerError
from memgpt_autogen.llm.base import ReplyDelta
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.embedded import EmbeddedServer
from memgpt_autogen.llm.openai import OpenAIChat
from memgpt_autogen.llm.streaming import StreamParser
from memgpt_autogen.messages import Message, Usage
from memgpt_autogen.observers import Discarded, SpeechDelta, ThoughtDelta

from .conftest import SAY, TOOLS, Answer, Loopback
from .replay import KINDS, KOBOLDCPP, LLAMACPP, LMSTUDIO, PREFIX, VLLM, WEBUI_LEGACY, Kind, Replay

ASK = [Message("system", "You are an agent."), Message("user", "Hi")]
WORDS = 'Hello "Chad" \u2028 café\n🙂'
CALL = " " + json.dumps({"function": "send_message", "params": {"inner_thoughts": "greet him", "message": WORDS}})[13:]
STREAMING = [kind for kind in KINDS if kind is not WEBUI_LEGACY]


def words(parts: list[ReplyDelta]) -> str:
    return "".join(part.text for part in parts if isinstance(part, SpeechDelta))


def thoughts(parts: list[ReplyDelta]) -> str:
    return "".join(part.text for part in parts if isinstance(part, ThoughtDelta))


def sse(*events: Any) -> list[str]:
    return [f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events]


def streamed(kind: Kind, text: str, cut: bool = False) -> list[str]:
    """A reply in pieces of three characters, as a server of this kind sends it."""
    pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
    whole = kind.reply("", cut)
    if kind.name == "ollama":
        rows = [{"response": piece, "done": False} for piece in pieces]
        return [json.dumps(row, ensure_ascii=False) + "\n" for row in [*rows, whole]]
    if kind.name == "llamacpp":
        return sse(*({"content": piece, "stop": False} for piece in pieces), {**whole, "stop": True})
    if kind.name == "koboldcpp":
        rows = [{"token": piece, "finish_reason": None} for piece in pieces]
        rows.append({"token": "", "finish_reason": "length" if cut else "stop"})
        return ["event: message\n" + event for event in sse(*rows)]
    shape: Callable[[str], Any] = lambda piece: {"text": piece}  # noqa: E731
    if kind.name == "lmstudio":
        shape = lambda piece: {"delta": {"content": piece}}  # noqa: E731
    rows = [{"choices": [{"index": 0, "finish_reason": None, **shape(piece)}]} for piece in pieces]
    end = {"choices": [{"index": 0, "finish_reason": "length" if cut else "stop", **shape("")}]}
    return [*sse(*rows, end, {"choices": [], "usage": whole["usage"]}), "data: [DONE]\n\n"]


def flow(pieces: list[str], **more: Any) -> Answer:
    return Answer(pieces, content_type="text/event-stream", **more)


@pytest.fixture
def served(kind: Kind) -> Iterator[Replay]:
    server = Replay(kind)
    yield server
    server.close()


def connect(server: Loopback, kind: Kind, **fields: Any) -> CompletionModel:
    config = LLMConfig(model_endpoint_type=kind.name, model_endpoint=server.address, **{"timeout": 5.0, **fields})
    made = CompletionModel(config)
    made.transport._backoff = 0.01
    return made


def whole(kind: Kind, text: str = CALL) -> str:
    return text if kind.form[-1] in ("grammar", "grammar_string") else PREFIX + text


every = pytest.mark.parametrize("kind", STREAMING, ids=lambda kind: kind.name + kind.variant)


# -- servers that complete prompts ----------------------------------------------------------------------------------


@every
def test_parts_join_to_the_reply(served: Replay, kind: Kind) -> None:
    served.script = [flow(streamed(kind, whole(kind)))]
    parts: list[ReplyDelta] = []
    reply = connect(served, kind).complete(ASK, TOOLS, max_tokens=300, on_delta=parts.append)
    assert reply.tool_calls[0].arguments == {"message": WORDS} and reply.inner_thoughts == "greet him"
    assert words(parts) == WORDS and thoughts(parts) == "greet him" and len(parts) > 4
    assert reply.usage.prompt_tokens and reply.usage.completion_tokens
    (request,) = served.requests
    assert request.path.endswith("/stream") if kind.name == "koboldcpp" else request.body["stream"] is True


@every
def test_without_a_listener_nothing_is_streamed(served: Replay, kind: Kind) -> None:
    served.script = [served.say(whole(kind))]
    connect(served, kind).complete(ASK, TOOLS, max_tokens=300)
    assert not served.requests[0].body.get("stream") and served.requests[0].path == kind.path


@every
def test_a_server_that_does_not_stream_answers_all_the_same(served: Replay, kind: Kind) -> None:
    served.script = [*([Answer("no such path", 404)] if kind.stream else []), served.say(whole(kind))]
    parts: list[ReplyDelta] = []
    reply = connect(served, kind).complete(ASK, TOOLS, max_tokens=300, on_delta=parts.append)
    assert reply.tool_calls[0].arguments == {"message": WORDS} and not any(isinstance(p, Discarded) for p in parts)


@every
def test_a_stream_that_breaks_is_asked_for_again_and_taken_back(served: Replay, kind: Kind) -> None:
    pieces = streamed(kind, whole(kind))
    for broken in (flow(pieces[:-4]), flow(pieces[:-4], cut=True)):
        served.script = [broken, flow(pieces)]
        parts: list[ReplyDelta] = []
        connect(served, kind).complete(ASK, TOOLS, max_tokens=300, on_delta=parts.append)
        (place,) = [index for index, part in enumerate(parts) if isinstance(part, Discarded)]
        assert WORDS.startswith(words(parts[:place])) and words(parts[place:]) == WORDS


@pytest.mark.parametrize("kind", [KOBOLDCPP, VLLM, LMSTUDIO], ids=lambda kind: kind.name)
def test_the_word_null_is_no_reason_to_end(served: Replay, kind: Kind) -> None:
    """koboldcpp 1.76 says it of unfinished pieces, and its stream ends cleanly when it is killed."""
    pieces = [
        piece.replace('"finish_reason": null', '"finish_reason": "null"') for piece in streamed(kind, whole(kind))
    ]
    assert any('"null"' in piece for piece in pieces)
    broken = [piece for piece in pieces[:-2] if '"stop"' not in piece]
    served.script = [flow(broken), flow(pieces)]
    parts: list[ReplyDelta] = []
    reply = connect(served, kind).complete(ASK, TOOLS, max_tokens=300, on_delta=parts.append)
    assert reply.tool_calls[0].arguments == {"message": WORDS} and len(served.requests) == 2
    assert any(isinstance(part, Discarded) for part in parts)


@every
def test_a_reply_cut_by_its_limit_is_taken_back(served: Replay, kind: Kind) -> None:
    served.script = [flow(streamed(kind, whole(kind)[:-8], cut=True)), flow(streamed(kind, whole(kind)))]
    parts: list[ReplyDelta] = []
    connect(served, kind).complete(ASK, TOOLS, max_tokens=300, on_delta=parts.append)
    (taken,) = [part for part in parts if isinstance(part, Discarded)]
    # koboldcpp says so of a reply that a stop string ended, too: what is cut shows by itself.
    why = "stops in the middle of a call" if kind.name == "koboldcpp" else "cut by its token limit"
    assert why in taken.why and len(served.requests) == 2


@pytest.mark.parametrize("kind", [LLAMACPP], ids=["llamacpp"])
def test_faults_of_a_stream(served: Replay, kind: Kind) -> None:
    made = connect(served, kind, timeout=0.3)
    pieces = streamed(kind, CALL)
    served.script = [flow(sse({"error": {"message": "slot unavailable", "code": 500}}))]
    with pytest.raises(ModelServerError, match="broke off: slot unavailable"):
        made.complete(ASK, TOOLS, on_delta=lambda part: None)
    served.script = [flow(pieces, pause=0.05)]  # longer in all than the time limit, which holds between pieces
    assert made.complete(ASK, TOOLS, on_delta=lambda part: None).tool_calls
    served.script = [flow(pieces[:3], pause=0.6), flow(pieces[:3], pause=0.6)]
    with pytest.raises(ModelServerError, match="No answer from .* in 0.3 s"):
        made.complete(ASK, TOOLS, on_delta=lambda part: None)
    served.script = [Answer("<html>nginx</html>", content_type="text/html")]
    with pytest.raises(ModelServerError, match="a web page instead of JSON"):
        made.complete(ASK, TOOLS, on_delta=lambda part: None)


@pytest.mark.parametrize("kind", [LLAMACPP], ids=["llamacpp"])
def test_ctrl_c_closes_the_connection(served: Replay, kind: Kind) -> None:
    def interrupt(part: ReplyDelta) -> None:
        raise KeyboardInterrupt

    served.script = [flow(streamed(kind, CALL) * 200, pause=0.02)]
    with pytest.raises(KeyboardInterrupt):
        connect(served, kind).complete(ASK, TOOLS, on_delta=interrupt)
    assert served.hung_up.wait(5)


# -- the chat API ---------------------------------------------------------------------------------------------------


def delta(**fields: Any) -> dict[str, Any]:
    reason = fields.pop("finish_reason", None)
    return {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": fields, "finish_reason": reason}],
    }


def tool(arguments: str = "", index: int = 0, **fields: Any) -> dict[str, Any]:
    named = {key: fields.pop(key) for key in ("name",) if key in fields}
    call = {"index": index, **fields, "function": {**named, "arguments": arguments}}
    return delta(tool_calls=[call])


ARGUMENTS = json.dumps({"inner_thoughts": "greet him", "message": WORDS})
USED = {
    "prompt_tokens": 90,
    "completion_tokens": 12,
    "total_tokens": 102,
    "prompt_tokens_details": {"cached_tokens": 64},
}
OPEN = [delta(role="assistant", content=None), tool(id="call_7", type="function", name="send_message")]
SPOKEN = [*OPEN, *(tool(ARGUMENTS[at : at + 5]) for at in range(0, len(ARGUMENTS), 5))]
END = [delta(finish_reason="tool_calls"), {**delta(), "choices": [], "usage": USED}]


def chat(loopback: Loopback, **fields: Any) -> OpenAIChat:
    options = {"model": "gpt-4o", "model_endpoint": loopback.address, "api_key": "sk-x", "timeout": 5.0, **fields}
    return OpenAIChat(LLMConfig(**options), environ={})


def events(*rows: Any, **more: Any) -> Answer:
    return flow([*sse(*rows), "data: [DONE]\n\n"], **more)


def test_the_chat_apis_parts_join_to_the_reply_and_usage_is_counted(loopback: Loopback) -> None:
    loopback.script = [events(*SPOKEN, *END)]
    parts: list[ReplyDelta] = []
    reply = chat(loopback).complete(ASK, TOOLS, on_delta=parts.append)
    assert reply.tool_calls[0].id == "call_7" and reply.tool_calls[0].arguments == {"message": WORDS}
    assert words(parts) == WORDS and thoughts(parts) == reply.inner_thoughts == "greet him" and len(parts) > 4
    assert reply.usage == Usage(90, 12, 64)
    body = loopback.requests[0].body
    assert body["stream"] is True and body["stream_options"] == {"include_usage": True}


def test_azure_streams_too(loopback: Loopback) -> None:
    loopback.script = [events(*SPOKEN, *END)]
    parts: list[ReplyDelta] = []
    chat(loopback, model_endpoint_type="azure").complete(ASK, TOOLS, on_delta=parts.append)
    assert words(parts) == WORDS and "/openai/deployments/gpt-4o/" in loopback.requests[0].path


@pytest.mark.parametrize("indices", [(0, 1), (0, 0)], ids=["counted", "all 0"])
def test_several_calls_are_told_apart(loopback: Loopback, indices: tuple[int, int]) -> None:
    first = tool(ARGUMENTS, indices[0], id="a", type="function", name="send_message")
    second = tool('{"message": "And', indices[1], id="b", type="function", name="send_message")
    loopback.script = [events(first, second, tool(' you?"}', indices[1]), *END)]
    parts: list[ReplyDelta] = []
    reply = chat(loopback).complete(ASK, TOOLS, on_delta=parts.append)
    assert [call.arguments["message"] for call in reply.tool_calls] == [WORDS, "And you?"]
    assert words([part for part in parts if part.call == 1]) == "And you?"  # type: ignore[union-attr]


def test_a_call_as_text_is_told_and_plain_words_are_not(loopback: Loopback) -> None:
    text = json.dumps({"name": "send_message", "arguments": {"message": "Hi Chad"}})
    loopback.script = [
        events(*(delta(content=piece) for piece in (text[:30], text[30:50], text[50:])), delta(finish_reason="stop")),
        events(delta(content="Hi"), delta(content=" you"), delta(finish_reason="stop")),
    ]
    parts: list[ReplyDelta] = []
    assert chat(loopback).complete(ASK, TOOLS, on_delta=parts.append).tool_calls[0].arguments["message"] == "Hi Chad"
    assert words(parts) == "Hi Chad"
    parts.clear()
    assert chat(loopback).complete(ASK, TOOLS, on_delta=parts.append).tool_calls[0].arguments["message"] == "Hi you"
    assert not parts


def test_a_broken_chat_stream_is_asked_for_whole(loopback: Loopback) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "send_message", "arguments": ARGUMENTS}}]}  # fmt: skip
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    at_once = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USED}
    for broken in (flow(sse(*SPOKEN[:-4])), flow(sse(*SPOKEN[:-4]), cut=True)):
        loopback.script = [broken, Answer(at_once)]
        parts: list[ReplyDelta] = []
        reply = chat(loopback).complete(ASK, TOOLS, on_delta=parts.append)
        assert reply.tool_calls[0].arguments == {"message": WORDS} and reply.usage == Usage(90, 12, 64)
        assert isinstance(parts[-1], Discarded) and not loopback.requests[-1].body.get("stream")


def test_what_a_chat_server_refuses_of_streaming_is_left_out(loopback: Loopback) -> None:
    refusal = {"error": {"message": "Unrecognized request argument supplied: stream_options", "code": ""}}
    loopback.script = [Answer(refusal, 400), events(*SPOKEN, *END[:1]), events(*SPOKEN, *END[:1])]
    made = chat(loopback)
    for _ in range(2):
        parts: list[ReplyDelta] = []
        assert made.complete(ASK, TOOLS, on_delta=parts.append).tool_calls
        assert words(parts) == WORDS
    assert ["stream_options" in request.body for request in loopback.requests] == [True, False, False]
    no_streams = {"error": {"message": "Your organization must be verified to stream this model.", "param": "stream"}}
    calls = [{"id": "c", "type": "function", "function": {"name": "send_message", "arguments": ARGUMENTS}}]
    choice = {"index": 0, "message": {"role": "assistant", "tool_calls": calls}, "finish_reason": "tool_calls"}
    loopback.script = [Answer(no_streams, 400), Answer({"id": "x", "choices": [choice]})]
    parts = []
    assert chat(loopback).complete(ASK, TOOLS, on_delta=parts.append).tool_calls and not parts
    assert not {"stream", "stream_options"} & set(loopback.requests[-1].body)


def test_a_chat_server_that_falls_silent_and_ctrl_c(loopback: Loopback) -> None:
    loopback.script = [events(*SPOKEN, pause=0.8)]
    with pytest.raises(ModelServerError, match="No answer from .* in time"):
        chat(loopback, timeout=0.3, settings={"max_retries": 0}).complete(ASK, TOOLS, on_delta=lambda part: None)
    loopback.hung_up.clear()

    def interrupt(part: ReplyDelta) -> None:
        raise KeyboardInterrupt

    loopback.script = [events(*SPOKEN * 100, pause=0.02)]
    with pytest.raises(KeyboardInterrupt):
        chat(loopback).complete(ASK, TOOLS, on_delta=interrupt)
    assert loopback.hung_up.wait(5)


def test_a_chat_reply_cut_by_its_limit(loopback: Loopback) -> None:
    loopback.script = [events(*SPOKEN[:-3], delta(finish_reason="length"))]
    with pytest.raises(ModelReplyError, match="cut by its token limit"):
        chat(loopback).complete(ASK, TOOLS, on_delta=lambda part: None)


# -- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "aloud", "thought", "said"),
    [
        (PREFIX + CALL + "\n```<|im_end|>", False, "greet him", WORDS),
        ("I greet, [so] to say.\n```json\n" + PREFIX + CALL, True, "I greet, [so] to say.", WORDS),
        ('{"name": "sendMessage", "arguments": {"message": "a {b} [c]"}}', False, "", "a {b} [c]"),
        ('{"inner_thoughts": "hm", "function": "send_message", "params": {"message": "x"}}', False, "hm", "x"),
        (
            '{"function": "core_memory_append", "params": {"inner_thoughts": "hm", "message": "no speech"',
            False,
            "hm",
            "",
        ),
        ('{"function": "launch", "params": {"inner_thoughts": "hm", "message": "no function"}}', False, "", ""),
        ("nothing at all", False, "", ""),
    ],
)
def test_what_is_read_of_a_growing_text(text: str, aloud: bool, thought: str, said: str) -> None:
    parts: list[ReplyDelta] = []
    reader = StreamParser(parts.append, TOOLS, aloud=aloud)
    for end in range(len(text) + 1):
        reader.text(text[:end])
    assert (thoughts(parts), words(parts)) == (thought, said)


@pytest.mark.real_model
def test_the_real_server_tells_what_it_writes(embedded_server: EmbeddedServer) -> None:
    config = LLMConfig(model_endpoint_type="embedded", context_window=2048)
    made = CompletionModel(config, environ={}, message_limit=120)
    parts: list[ReplyDelta] = []
    reply = made.complete(ASK, [SAY], max_tokens=200, on_delta=parts.append)
    assert words(parts) == reply.tool_calls[0].arguments["message"] and thoughts(parts) == reply.inner_thoughts
    assert len(parts) > 5 and reply.usage.completion_tokens > 5
    again = made.complete(ASK, [SAY], max_tokens=200, on_delta=parts.append)
    assert again.usage.cached_tokens > 20
