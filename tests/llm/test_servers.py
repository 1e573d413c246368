"""What holds for every server. Recorded and documented ones on the loopback; llama.cpp is the real one."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.config import DEFAULT_ENDPOINTS, LLMConfig, Settings
from memgpt_autogen.errors import ConfigError, ModelError, ModelReplyError, ModelRequestError, ModelServerError
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.llm.choose import build_model, choose_model, with_sampling
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.embedded import EmbeddedServer
from memgpt_autogen.messages import Message, Usage
from memgpt_autogen.servers import SERVERS
from memgpt_autogen.servers.vllm import is_legacy

from .conftest import SAY, TOOLS, Answer, Loopback
from .replay import (
    KINDS,
    KOBOLDCPP,
    LLAMACPP,
    LMSTUDIO,
    OLD_VLLM,
    OLLAMA,
    PREFIX,
    VLLM,
    WEBUI,
    WEBUI_LEGACY,
    Kind,
    Replay,
)

ASK = [Message("system", "You are an agent."), Message("user", "Hi")]
CALL = ' "send_message", "params": {"inner_thoughts": "greet", "message": "Hello"}}'
ONE_MORE = [*ASK, Message("assistant", "", tool_calls=()), Message("tool", "OK"), Message("user", "And?")]
Make = Callable[..., CompletionModel]

every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name + kind.variant)


@pytest.fixture
def served(kind: Kind) -> Iterator[Replay]:
    server = Replay(kind)
    yield server
    server.close()


def connect(server: Loopback, kind: Kind, address: str = "", **fields: Any) -> CompletionModel:
    options = {"temperature": 0.1, "timeout": 5.0} | fields
    config = LLMConfig(model_endpoint_type=kind.name, model_endpoint=address or server.address, **options)
    made = CompletionModel(config)
    made.transport._backoff = 0.01
    return made


def whole(kind: Kind, text: str = CALL) -> str:
    """A reply as this server writes it: after the start that it was given, or all of it."""
    form = kind.form[-1]
    return text if form in ("grammar", "grammar_string") else PREFIX + text


# -- the contract ---------------------------------------------------------------------------------------------------


@every
def test_a_prompt_goes_out_held_to_a_call_and_the_call_comes_back(served: Replay, kind: Kind) -> None:
    served.script = [served.say(whole(kind))]
    made = connect(served, kind, api_key="secret")
    reply = made.complete(ASK, TOOLS, max_tokens=300)
    assert [(call.name, dict(call.arguments)) for call in reply.tool_calls] == [("send_message", {"message": "Hello"})]
    assert reply.inner_thoughts == "greet" and reply.usage.prompt_tokens > 0 and reply.usage.completion_tokens > 0
    (request,) = served.requests
    body = request.body
    assert (request.method, request.path) == ("POST", kind.path)
    assert kind.sampling(body)[kind.limit] == 300 and kind.sampling(body)["temperature"] == 0.1
    held = kind.held(body)
    assert "core_memory_append" in (held if isinstance(held, str) else json.dumps(held))
    assert "sentence" not in json.dumps(held)
    if kind is LMSTUDIO:
        assert [turn["role"] for turn in body["messages"]] == ["system", "user"]
        assert "send_message(" in body["messages"][0]["content"] and "<|im_start|>" not in json.dumps(body["messages"])
    else:
        start = PREFIX if isinstance(held, str) else ""
        assert body["prompt"].endswith("<|im_start|>assistant\n" + start)
        stop = None if SERVERS[kind.name].rejects_bad_grammar else ["<|im_end|>", "<|im_start|>"]
        assert kind.sampling(body).get(kind.stop) == stop
    for asked in served.asked:
        assert asked.headers["Authorization"] == "Bearer secret" and asked.headers["X-API-Key"] == "secret"
    assert {asked.body["model"] for asked in served.asked if asked.body and "model" in asked.body} <= {kind.model}


@every
def test_model_and_window_are_what_the_server_says(served: Replay, kind: Kind) -> None:
    made = connect(served, kind)
    assert made.connection.info.model == kind.model
    assert made.context_window == (kind.window or 4096)
    assert connect(served, kind, context_window=1000).context_window == 1000
    if kind.count:
        assert made.count_tokens("Hello sailing") == 2
        served.script = [served.say(whole(kind))]
        connect(served, kind, context_window=1000).complete(ASK, TOOLS)
        told = kind.sampling(served.requests[-1].body)
        assert {told.get(key, 1000) for key in ("truncation_length", "max_context_length", "num_ctx")} == {1000}


@every
@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "whole"])
def test_an_address_works_however_it_is_written(served: Replay, kind: Kind, ending: str) -> None:
    served.prefix = "/box/3"
    address = served.address + "/box/3" + (kind.path if ending == "whole" else ending)
    served.script = [served.say(whole(kind))]
    assert connect(served, kind, address).complete(ASK, TOOLS).tool_calls
    assert served.requests[0].path == kind.path


@every
def test_only_and_plain_text(served: Replay, kind: Kind) -> None:
    last = ' "Hello"}}' if kind.form[-1].startswith("grammar") else '{"function": "send_message", "params": %s'
    served.script = [
        served.say(
            last % '{"inner_thoughts": "x", "message": "Hello"}}' if "%" in last else ' "x", "message": "Hello"}}'
        )
    ]
    made = connect(served, kind)
    assert made.complete(ONE_MORE, TOOLS, only={"send_message"}).tool_calls[0].arguments == {"message": "Hello"}
    held = kind.held(served.requests[0].body)
    assert "core_memory_append" not in json.dumps(held)
    served.script = [served.say(" A summary, cut", True)]
    assert made.complete(ASK, [], max_tokens=64).text == "A summary, cut"
    assert kind.held(served.requests[1].body) is None


@every
def test_a_reply_cut_by_the_limit_is_asked_for_again_and_then_named(served: Replay, kind: Kind) -> None:
    long = whole(kind, ' "send_message", "params": {"inner_thoughts": "' + "word " * 100)
    served.script = [served.say(long, True), served.say(whole(kind))]
    made = connect(served, kind)
    assert made.complete(ASK, TOOLS, max_tokens=100).tool_calls
    served.script = [served.say(long, True)] * 2
    with pytest.raises(ModelReplyError, match="cut by its token limit"):
        made.complete(ASK, TOOLS, max_tokens=100)


@every
def test_a_prompt_that_does_not_fit_is_never_sent(served: Replay, kind: Kind) -> None:
    made = connect(served, kind, context_window=600)
    with pytest.raises(ModelRequestError, match=r"prompt has \d+ tokens.*window of 600 tokens of .*127\.0\.0\.1"):
        made.complete([*ASK, Message("user", "word " * 800)], TOOLS)
    assert served.requests == []


# -- what goes wrong ------------------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[Answer, type[ModelError], str]] = {
    "web page": (
        Answer("<html>hi</html>", 200, "text/html"),
        ModelServerError,
        "web page instead of JSON.*BACKEND_TYPE",
    ),
    "404": (Answer({"detail": "Not Found"}, 404), ModelRequestError, "404: Not Found.*right address.*BACKEND_TYPE"),
    "401": (Answer({"error": {"message": "bad key"}}, 401), ModelRequestError, "401: bad key.*OPENAI_API_KEY"),
    "hanging": (Answer({}, delay=1.0), ModelServerError, r"No answer from .* in 0\.3 s.*Raise the timeout"),
    "500 in plain text": (Answer("Internal Server Error", 500, "text/plain"), ModelServerError, "500: Internal.*log"),
    "nothing": (Answer("", 200), ModelServerError, "200 with nothing in it.*(log|console)"),
    "dropped": (Answer({"text": "half"}, cut=True), ModelServerError, "Cannot reach.*Is the server running"),
    "another shape": (Answer({"hello": 1}), ModelServerError, "unknown shape.*BACKEND_TYPE"),
}


@every
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_a_message_with_address_and_next_step(served: Replay, kind: Kind, fault: str) -> None:
    answer, error, words = FAULTS[fault]
    served.script = [answer] * 9
    made = connect(served, kind, timeout=0.3 if fault == "hanging" else 5.0)
    with pytest.raises(error, match=words) as caught:
        made.complete(ASK, TOOLS)
    assert served.address in str(caught.value)


@every
def test_an_empty_text_is_a_fault_that_is_named(served: Replay, kind: Kind) -> None:
    served.script = [served.say(""), served.say(whole(kind))]
    if kind.name in ("webui", "webui-legacy", "lmstudio", "ollama"):
        served.script[1] = served.say(CALL if kind is not LMSTUDIO else PREFIX + CALL)
    made = connect(served, kind)
    assert made.complete(ASK, TOOLS).tool_calls
    served.script = [served.say("")] * 2
    with pytest.raises(ModelReplyError, match=r"answered with an empty text\. \w+") as caught:
        made.complete(ASK, TOOLS)
    assert served.address in str(caught.value)


@every
def test_nobody_there(kind: Kind) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    made = CompletionModel(LLMConfig(model_endpoint_type=kind.name, model_endpoint=address))
    made.transport._backoff = 0.01
    with pytest.raises(ModelServerError, match=rf"Cannot reach {address}: .*running.* To start it: \w+"):
        made.complete(ASK, TOOLS)


@every
def test_a_form_that_is_ignored_is_noted_once_and_survived(
    served: Replay, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    fenced = "\n```json\n" + PREFIX + CALL + "\n```"
    served.script = [served.say(fenced), served.say("Sure! Hello there."), served.say(fenced)]
    made = connect(served, kind)
    with caplog.at_level(logging.WARNING):
        assert made.complete(ASK, TOOLS).tool_calls[0].arguments == {"message": "Hello"}
        assert made.complete(ASK, TOOLS).tool_calls[0].arguments == {"message": "Hello"}
    noted = [record for record in caplog.messages if "did not enforce" in record]
    assert len(noted) == 1 and served.address in noted[0]


# -- as they were recorded ------------------------------------------------------------------------------------------

RECORDED = [
    (KOBOLDCPP, "grammar", "message"),
    (WEBUI, "grammar_string", "message"),
    (WEBUI_LEGACY, "GPT2 tokenizer class: grammar_string, letters and +", "message"),
]


@pytest.mark.parametrize(("kind", "note", "key"), RECORDED, ids=lambda value: getattr(value, "name", None))
def test_a_recorded_reply_is_read(served: Replay, kind: Kind, note: str, key: str) -> None:
    served.script = [served.replay(note)]
    made = CompletionModel(
        LLMConfig(model_endpoint_type=kind.name, model_endpoint=served.address), inner_thoughts=False
    )
    reply = made.complete(ASK, TOOLS)
    assert reply.tool_calls[0].name == "send_message" and "Chad" in reply.tool_calls[0].arguments[key]
    assert reply.usage.prompt_tokens > 30 and 5 < reply.usage.completion_tokens < 40


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        (KOBOLDCPP, "bad grammar, ignored"),
        (KOBOLDCPP, "too long, truncated"),
        (WEBUI_LEGACY, "too long, truncated"),
        (VLLM, "guided_json, ignored"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_recorded_nonsense_is_asked_for_again(served: Replay, kind: Kind, note: str) -> None:
    served.script = [served.replay(note), served.say(whole(kind) if kind is not VLLM else CALL)]
    assert connect(served, kind).complete(ASK, TOOLS).tool_calls
    assert len(served.requests) == 2


@pytest.mark.parametrize("kind", [LLAMACPP], ids=lambda kind: kind.name)
def test_a_prompt_that_llama_cpp_cut_is_told_even_where_the_reply_could_be_read(served: Replay, kind: Kind) -> None:
    cut = served.say(CALL)
    served.script = [Answer(cut.body | {"truncated": True})]
    with pytest.raises(
        ModelRequestError, match=rf"{served.address} left out a part of the prompt of \d+ tokens\. Set cont"
    ):
        connect(served, kind).complete(ASK, TOOLS)
    assert len(served.requests) == 1
    served.script = [served.replay("too long")]
    with pytest.raises(ModelRequestError, match="exceeds the available context size.*larger context, or set context_w"):
        connect(served, kind).complete(ASK, TOOLS)
    served.script = [served.replay("bad grammar"), served.say(CALL)]
    assert connect(served, kind).complete(ASK, TOOLS).tool_calls  # on without the grammar
    assert kind.held(served.requests[-1].body) is None


@pytest.mark.parametrize("kind", [WEBUI], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "note", ["bad grammar", "Transformers loader: bad grammar", "Transformers loader: grammar_string", "no prompt"]
)
def test_webui_goes_on_without_a_grammar_that_its_loader_cannot_read(
    served: Replay, kind: Kind, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = connect(served, kind)
    served.script = [served.replay(note), served.say(CALL)]
    assert made.complete(ASK, TOOLS).tool_calls
    first, second = served.requests
    assert kind.held(first.body) and kind.held(second.body) is None
    served.script = [served.replay(note), served.say(CALL)] if note == "bad grammar" else [served.say(CALL)]
    assert made.complete(ASK, TOOLS).tool_calls
    served.script = [served.say(CALL)]
    assert made.complete(ASK, TOOLS).tool_calls and kind.held(served.requests[-1].body) is None
    assert len([words for words in caplog.messages if "does not take a grammar" in words]) == 1


@pytest.mark.parametrize("kind", [WEBUI_LEGACY], ids=lambda kind: kind.name)
def test_the_old_webui_says_nothing_at_all_where_it_fails(served: Replay, kind: Kind) -> None:
    made = connect(served, kind)
    served.script = [served.replay("bad grammar"), served.say(CALL)]
    assert made.complete(ASK, TOOLS).tool_calls
    served.script = [served.replay("no prompt")]
    with pytest.raises(ModelServerError, match=r"generate answered 200 with nothing in it\. .*console"):
        made.complete(ASK, TOOLS)
    served.script = [served.replay("temperature 0"), served.say(CALL)]
    cold = connect(served, kind, temperature=0)
    assert cold.complete(ASK, TOOLS).tool_calls
    assert served.requests[-1].body["do_sample"] is False


@pytest.mark.parametrize("kind", [WEBUI], ids=lambda kind: kind.name)
def test_an_empty_reply_of_webui_says_what_it_may_mean(served: Replay, kind: Kind) -> None:
    served.script = [served.replay("slightly too long")] * 2
    with pytest.raises(ModelReplyError, match="longer than its context.*context_window"):
        connect(served, kind).complete(ASK, TOOLS)


@pytest.mark.parametrize("kind", [VLLM, OLD_VLLM], ids=lambda kind: kind.name + kind.variant)
def test_vllm_goes_over_to_a_grammar_where_white_space_ran_into_the_limit(served: Replay, kind: Kind) -> None:
    served.script = [served.replay("json schema", False), served.say(CALL)]
    assert connect(served, kind).complete(ASK, TOOLS, max_tokens=100).tool_calls
    body = served.requests[1].body
    field = body["guided_grammar"] if kind is OLD_VLLM else body["structured_outputs"]["grammar"]
    assert field.startswith("root ::= ") and "structured_outputs" not in (body if kind is OLD_VLLM else {})


@pytest.mark.parametrize("kind", [VLLM], ids=lambda kind: kind.name)
def test_refusals_of_vllm(served: Replay, kind: Kind) -> None:
    with pytest.raises(ModelRequestError, match=r"vLLM at .* has no model 'absent'\. It has: q05\. Set OPENAI_MODEL"):
        connect(served, kind, model="absent").complete(ASK, TOOLS)
    served.script = [served.replay("model not loaded")]
    with pytest.raises(ModelRequestError, match=r"404.*Valid aliases: q05\. Set OPENAI_MODEL"):
        connect(served, kind, model="q05").complete(ASK, TOOLS)
    served.script = [served.replay("bad grammar"), served.say(CALL)]
    assert connect(served, kind).complete(ASK, TOOLS).tool_calls
    served.script = [served.replay("too long")]
    with pytest.raises(ModelRequestError, match="maximum context length is 4096"):
        connect(served, kind).complete(ASK, TOOLS)


def test_versions_of_vllm() -> None:
    assert [is_legacy(version) for version in ("0.11.2", "0.6.3.post1", "v0.9", "0.10.0rc1")] == [True] * 4
    assert [is_legacy(version) for version in ("0.12.0", "0.32.0", "1.0", "0.0.1.dev1", "dev")] == [False] * 5


@pytest.mark.parametrize("kind", [KOBOLDCPP], ids=lambda kind: kind.name)
@pytest.mark.parametrize("stop", ["<|im_end|>", "\n", "five"])
def test_koboldcpp_says_length_of_a_reply_that_a_stop_string_ended(served: Replay, kind: Kind, stop: str) -> None:
    """As recorded with 1.76: {"text": "One two three four ", "finish_reason": "length"} to the stop string "five"."""
    made = connect(served, kind, settings={"stop_sequence": [stop]})
    served.script = [served.say(CALL, True), served.say("One two three four ", True), served.say("word " * 100, True)]
    assert made.complete(ASK, TOOLS, max_tokens=100).tool_calls[0].arguments == {"message": "Hello"}
    assert made.complete(ASK, (), max_tokens=100).text == "One two three four"
    served.script += [served.say("word " * 100, True)]
    with pytest.raises(ModelReplyError, match="cut by its token limit"):
        made.complete(ASK, TOOLS, max_tokens=100)


@pytest.mark.parametrize("kind", [OLLAMA], ids=lambda kind: kind.name)
def test_an_estimate_learns_from_the_replies(served: Replay, kind: Kind) -> None:
    made = connect(served, kind)
    text = "word " * 400
    before = made.count_tokens(text)
    reply = served.say(PREFIX + CALL)
    served.script = [Answer(reply.body | {"prompt_eval_count": 900})] * 4
    for _ in range(4):
        made.complete([*ASK, Message("user", text)], TOOLS)
    after = made.count_tokens(text)
    assert after > before * 1.3
    served.script = [Answer(reply.body | {"prompt_eval_count": 3})]  # the rest was in its cache
    assert made.complete([*ASK, Message("user", text)], TOOLS).usage.prompt_tokens == 3
    assert made.count_tokens(text) == after


@pytest.mark.parametrize(
    ("kind", "pages", "words"),
    [
        (WEBUI, {"/v1/internal/model/info": {"model_name": "None", "lora_names": []}}, "Model tab"),
        (WEBUI_LEGACY, {"POST /api/v1/model": {"result": {"model_name": "None"}}}, "Model tab"),
        (KOBOLDCPP, {"/api/v1/model": {"result": "inactive"}}, "--model"),
        (OLLAMA, {"/api/tags": {"models": []}}, "ollama pull"),
        (LMSTUDIO, {"/api/v0/models": {"data": []}}, "lms load"),
        (VLLM, {"/v1/models": {"data": []}}, "vllm serve"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_model_that_is_not_loaded(served: Replay, kind: Kind, pages: dict[str, Any], words: str) -> None:
    served.pages |= {path: Answer(page) for path, page in pages.items()}
    with pytest.raises(ModelRequestError, match=rf"{served.address} has no model loaded\. .*{words}"):
        connect(served, kind).complete(ASK, TOOLS)


@pytest.mark.parametrize("kind", [KOBOLDCPP, VLLM], ids=lambda kind: kind.name)
def test_the_wrong_type_is_told(served: Replay, kind: Kind) -> None:
    with pytest.raises(ModelRequestError, match=r"is not of the type 'webui'.*Set BACKEND_TYPE"):
        connect(served, WEBUI).complete(ASK, TOOLS)


@pytest.mark.parametrize("kind", [KOBOLDCPP], ids=lambda kind: kind.name)
def test_a_server_without_a_tokenizer_is_estimated(served: Replay, kind: Kind) -> None:
    made = connect(served, kind)
    served.kind = OLLAMA  # an older version: no such path
    served.pages |= {"/api/v1/model": Answer({"result": "koboldcpp/tm05"})}
    assert 2 <= made.count_tokens("Hello sailing") <= 6


@pytest.mark.parametrize("kind", [LMSTUDIO], ids=lambda kind: kind.name)
def test_chat_servers_get_turns_that_any_template_takes(served: Replay, kind: Kind) -> None:
    served.script = [served.say(PREFIX + CALL)]
    log = [
        *ASK,
        Message("user", "Again"),
        Message("assistant", "a thought"),
        Message("tool", "OK"),
        Message("user", "?"),
    ]
    connect(served, kind, model_wrapper="chatml-hints").complete(log, [SAY])
    turns = served.requests[0].body["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert "FUNCTION RETURN:\nOK" in turns[-1]["content"] and turns[1]["content"].endswith("Again")
    schema = kind.held(served.requests[0].body)
    assert schema["type"] == "object" and schema["additionalProperties"] is False


# -- settings -------------------------------------------------------------------------------------------------------


def test_settings_files_do_not_leak_from_one_server_to_another(tmp_path: Path) -> None:
    folder = tmp_path / "completions"
    folder.mkdir()
    servers = {kind.name: Replay(kind) for kind in KINDS if kind is not OLD_VLLM}
    for name, server in servers.items():
        filed = {f"of_{name}": 1, server.kind.stop: [f"###{name}"], "temperature": 0.25, "top_k": 7}
        (folder / f"{name}.json").write_text(json.dumps(filed))
    settings = Settings(tmp_path)
    for _ in range(2):
        for name, server in servers.items():
            kind = server.kind
            config = LLMConfig(model_endpoint_type=name, model_endpoint=server.address, settings={"top_k": 3})
            server.script = [server.say(whole(kind))]
            build_model(config, settings).complete(ASK, TOOLS)
            body = kind.sampling(server.requests[-1].body)
            assert (body[f"of_{name}"], body["temperature"], body["top_k"]) == (1, 0.25, 3)
            assert [key for key in body if key.startswith("of_")] == [f"of_{name}"]
            assert [stop for stop in body[kind.stop] if stop.startswith("###")] == [f"###{name}"]
            assert len(body[kind.stop]) == len(set(body[kind.stop]))
            config = LLMConfig(model_endpoint_type=name, model_endpoint=server.address, temperature=0.5)
            assert with_sampling(config, settings).temperature == 0.5
            server.script = [server.say(whole(kind))]
            build_model(config, Settings(tmp_path / "empty")).complete(ASK, TOOLS)
            assert f"of_{name}" not in json.dumps(server.requests[-1].body)
    for server in servers.values():
        server.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "llamacpp.json is not JSON"),
        ("[1]", "one JSON object"),
        ('{"stream": true}', "sets stream, which the program decides"),
        ('{"temperature": "hot"}', "temperature must be a number"),
    ],
)
def test_a_settings_file_that_cannot_be_is_told_with_its_path(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "completions").mkdir()
    (tmp_path / "completions" / "llamacpp.json").write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        build_model(LLMConfig(model_endpoint_type="llamacpp"), Settings(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert build_model(LLMConfig(model_endpoint_type="koboldcpp"), Settings(tmp_path))
    with pytest.raises(ConfigError, match="prompt cannot be set for webui"):
        CompletionModel(LLMConfig(model_endpoint_type="webui", settings={"prompt": "x"}))


def test_every_type_has_a_row_and_an_address() -> None:
    assert set(SERVERS) | {"openai", "azure"} == set(DEFAULT_ENDPOINTS)
    for name, row in SERVERS.items():
        assert row.name == name
        settings = Settings(Path("home"), {}, {"BACKEND_TYPE": name.upper(), "OPENAI_API_KEY": "k"})
        chosen = choose_model(settings)
        assert chosen.model_endpoint_type == name
        assert name == "embedded" or chosen.address.startswith("http://127.0.0.1:")
        assert chosen.api_key == ""  # OpenAI's, for all that is said


# -- the real one ---------------------------------------------------------------------------------------------------


def real(kind: str, server: EmbeddedServer, ending: str = "") -> ChatModel:
    address = "" if kind == "embedded" else server.address + ending
    model = "" if kind != "openai" else "smollm2"
    config = LLMConfig(
        model, kind, address, context_window=2048 if kind != "llamacpp" else None, temperature=0.1, api_key="any"
    )
    return build_model(config, Settings(Path("home")), inner_thoughts=kind != "openai")


@pytest.mark.real_model
@pytest.mark.parametrize("kind", ["llamacpp", "embedded"])
def test_the_real_server_keeps_the_contract(embedded_server: EmbeddedServer, kind: str) -> None:
    made = real(kind, embedded_server)
    assert made.context_window == 2048 and made.count_tokens("Hello sailing") in (2, 3, 4)
    reply = made.complete(ASK, TOOLS, max_tokens=200)
    assert reply.tool_calls[0].name in {tool.name for tool in TOOLS} and reply.inner_thoughts
    held = made.complete(ASK, TOOLS, only={"archival_memory_search"}, max_tokens=150)
    assert [call.name for call in held.tool_calls] == ["archival_memory_search"]
    assert made.complete(ASK, [], max_tokens=12).text
    assert reply.usage != Usage() and reply.usage.completion_tokens <= 200
    with pytest.raises(ModelRequestError, match="does not fit the window of 2048"):
        made.complete([*ASK, Message("user", "word " * 3000)], TOOLS)


@pytest.mark.real_model
@pytest.mark.parametrize("ending", ["", "/v1"])
def test_the_real_server_as_an_openai_compatible_one(embedded_server: EmbeddedServer, ending: str) -> None:
    made = real("openai", embedded_server, ending)
    assert made.context_window == 2048
    assert made.complete(ASK, [], max_tokens=12).text
    reply = made.complete(ASK, [SAY], max_tokens=100)
    assert [call.name for call in reply.tool_calls] == ["send_message"]
