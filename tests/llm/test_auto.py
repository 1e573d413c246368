"""The wrapper ``auto``: a model's format by its server's template, by the marks in that, by the model's name."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from memgpt_autogen.config import LLMConfig
from memgpt_autogen.errors import ModelServerError
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.wrappers import WRAPPERS, by_marks, by_name, get_wrapper

from .conftest import TOOLS, Answer
from .replay import (
    KINDS,
    KOBOLDCPP,
    LLAMACPP,
    LMSTUDIO,
    OLLAMA,
    OLLAMA_PAGES,
    PREFIX,
    VLLM,
    WEBUI,
    WEBUI_LEGACY,
    Replay,
)
from .test_servers import ASK, CALL, whole

# As the models' own files have them, shortened.
JINJA = {
    "chatml": "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>'}}{% endfor %}",
    "llama3": "{% set c = '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n' + m['content'] + '<|eot_id|>' %}",
    "zephyr-7B": "{% if m['role'] == 'user' %}{{ '<|user|>\\n' + m['content'] + eos_token }}{% endif %}",
    "phi3": "{% if m['role'] == 'user' %}{{ '<|user|>\\n' + m['content'] + '<|end|>\\n' }}{% endif %}",
    "gemma": "{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}",
    "mistral": "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% endif %}",
    "deepseek": "{% if m['role'] == 'user' %}{{'<｜User｜>' + m['content']}}{% endif %}{{'<｜Assistant｜><think>\\n'}}",
    "harmony": "{{- '<|start|>user<|message|>' + m.content + '<|end|>' }}{{ '<|start|>assistant<|channel|>' }}",
    "airoboros-l2-70b-2.1": "{% if m['role'] == 'user' %}USER: {{ m['content'] }} {% else %}ASSISTANT: {% endif %}",
}
GO_ZEPHYR = "<|system|>\n{{ .System }}</s>\n<|user|>\n{{ .Prompt }}</s>\n<|assistant|>\n"


def connect(server: Replay, **fields: Any) -> CompletionModel:
    config = LLMConfig(model_endpoint_type=server.kind.name, model_endpoint=server.address, **fields)
    return CompletionModel(LLMConfig(**{**vars(config), "model_wrapper": "auto-grammar"}))


@pytest.mark.parametrize("name", JINJA)
def test_templates_show_their_format(name: str) -> None:
    assert by_marks(JINJA[name]) is WRAPPERS[name]
    # A prompt that the format itself writes shows it likewise.
    shown = WRAPPERS[name].prompt(ASK)
    assert by_marks(shown if name != "chatml-hints" else "") is WRAPPERS[name]


def test_what_is_no_known_format_is_none() -> None:
    assert by_marks(GO_ZEPHYR) is WRAPPERS["zephyr-7B"]
    assert by_marks("### Instruction:\n{{ .Prompt }}\n### Response:") is None and by_marks("") is None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen2.5-7B-Instruct", "chatml"),
        ("dolphin-2.1-mistral-7b.Q4_K_M.gguf", "chatml"),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "chatml"),
        ("zephyr-7b-beta", "zephyr-7B"),
        ("TheBloke_airoboros-l2-70b-gpt4-2.0", "airoboros-l2-70b-2.1"),
        ("llama3.1:8b", "llama3"),
        ("Meta-Llama-3-8B-Instruct", "llama3"),
        ("gemma2:2b", "gemma"),
        ("Phi-3.5-mini-instruct", "phi3"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral"),
        ("llama-2-13b-chat", "mistral"),
        ("tm05.gguf", ""),
        ("", ""),
    ],
)
def test_names_tell_the_family(model: str, name: str) -> None:
    assert by_name(model) is (WRAPPERS[name] if name else None)


SHOWN = {
    "llamacpp": {"/props": {"default_generation_settings": {"n_ctx": 4096}, "chat_template": JINJA["mistral"]}},
    "koboldcpp": {"/props": {"chat_template": JINJA["gemma"]}},
    "ollama": {"/api/show": OLLAMA_PAGES["/api/show"] | {"template": GO_ZEPHYR}},
    "webui": {"/v1/internal/chat-prompt": {"prompt": get_wrapper("llama3").prompt(ASK)}},
    "vllm": {"/tokenize": {"count": 2, "tokens": [1, 2]}, "/detokenize": {"prompt": get_wrapper("phi3").prompt(ASK)}},
}
FORMATS = {"llamacpp": "mistral", "koboldcpp": "gemma", "ollama": "zephyr-7B", "webui": "llama3", "vllm": "phi3"}


@pytest.mark.parametrize("kind", [LLAMACPP, KOBOLDCPP, OLLAMA, WEBUI, VLLM], ids=lambda kind: kind.name)
def test_each_server_is_asked_for_what_it_tells(kind: Any) -> None:
    server = Replay(kind)
    server.pages |= {path: Answer(page) for path, page in SHOWN[kind.name].items()}
    server.script = [server.say(whole(kind))]
    made = connect(server)
    assert made.wrapper.name == FORMATS[kind.name]
    assert made.complete(ASK, TOOLS).tool_calls
    asked = [request for request in server.asked if request.path in ("/tokenize", "/detokenize") and kind is VLLM]
    assert [sorted(request.body) for request in asked][:2] in ([], [["messages", "model"], ["model", "tokens"]])
    prompt = server.requests[0].body["prompt"]
    assert prompt.removesuffix(PREFIX).endswith(WRAPPERS[FORMATS[kind.name]].assistant[0])
    server.close()


def test_else_the_model_s_name_tells(caplog: pytest.LogCaptureFixture) -> None:
    server = Replay(WEBUI_LEGACY)
    info = server.rows["info", "POST"]["reply"]
    server.pages["POST /api/v1/model"] = Answer({"result": {**info["result"], "model_name": "TheBloke_zephyr-7B-GPTQ"}})
    assert connect(server).wrapper.name == "zephyr-7B" and not caplog.messages
    server.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not LMSTUDIO], ids=lambda kind: kind.name)
def test_where_nothing_tells_the_default_is_used_and_that_is_said(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = Replay(kind)
    with caplog.at_level(logging.WARNING):
        assert connect(server).wrapper == get_wrapper("chatml")
    (warned,) = [words for words in caplog.messages if "chat template" in words]
    assert server.address in warned and kind.model in warned and "chatml is used" in warned
    server.close()


def test_a_server_that_writes_the_prompt_itself_is_not_asked() -> None:
    server = Replay(LMSTUDIO)
    server.script = [server.say(whole(LMSTUDIO, CALL))]
    assert connect(server).complete(ASK, TOOLS).tool_calls
    assert {request.path for request in server.asked} <= {"/api/v0/models", "/v1/models", LMSTUDIO.path}
    server.close()


def test_a_server_that_is_down_is_told_and_not_taken_for_an_unknown_one() -> None:
    server = Replay(KOBOLDCPP)
    made = connect(server)
    server.close()
    with pytest.raises(ModelServerError, match="Cannot reach"):
        assert made.wrapper


def test_a_model_named_as_a_format_is_the_model_where_the_server_has_it() -> None:
    server = Replay(OLLAMA)
    rows = [{"name": "q05:latest"}, {"name": "llama3:latest"}]
    server.pages["/api/tags"] = Answer({"models": rows})
    server.pages["/api/ps"] = Answer({"models": rows[:1]})
    assert connect(server, model="llama3").connection.info.model == "llama3:latest"
    assert connect(server, model="zephyr-7B").connection.info.model == "q05:latest"  # an old config's format
    server.close()
