"""The example on a server of one's own, and the addresses that AutoGen's plain agents get."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT
from memgpt_autogen.config import AgentConfig, LLMConfig, Settings
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.llm.embedded import EmbeddedServer
from memgpt_autogen.messages import Message, ToolCall
from memgpt_autogen.prompts.presets import SMALLEST
from tests.llm.conftest import SAY
from tests.llm.replay import KINDS, OLD_VLLM, WEBUI_LEGACY, Kind, Replay

pytest.importorskip("autogen")
from memgpt_autogen import MemGPTAgent, plain_config_list
from memgpt_autogen.groupchat.model import AutoGenModel

pytestmark = pytest.mark.groupchat

ROOT = Path(__file__).parents[2]
#: One round of the example.
SHORT = "import sys, agent_groupchat as example; example.ROUNDS = 3; sys.argv[1:] = ['Say hello.']; example.main()"


@pytest.mark.real_model
@pytest.mark.parametrize("ending", ["/v1", pytest.param("", marks=pytest.mark.long)])
def test_the_example_runs_on_a_server_named_by_two_variables(
    embedded_server: EmbeddedServer, tmp_path: Path, ending: str
) -> None:
    local = LLMConfig(model_endpoint_type="llamacpp", model_endpoint=embedded_server.address)
    home = MemGPT(settings=Settings(tmp_path))  # the example finds its agent there, with fewer steps to wait for
    made = home.create_agent(AgentConfig("MemGPT_coder", max_steps=2), entry=local)
    assert made.preset.name == SMALLEST  # as the server tells that its model is a small one
    home.close()
    given = {"BACKEND_TYPE": "llamacpp", "OPENAI_API_BASE": embedded_server.address + ending}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI")}
    environ |= given | {
        "MEMGPT_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "examples")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SHORT],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Product_manager (to chat_manager)" in done.stdout
    assert "MemGPT_coder (to chat_manager)" in done.stdout


@pytest.mark.real_model
def test_autogen_s_own_client_calls_functions_on_llama_cpp(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    """A plain ``llm_config``: the core asks llama.cpp's /v1 through AutoGen's client, with ``tools``."""
    entry = {"model": "small", "base_url": f"{embedded_server.address}/v1", "api_key": "any", "context_window": 2048}
    config = {"config_list": [entry], "cache_seed": None, "max_tokens": 100, "temperature": 0.1}
    home = MemGPT(settings=Settings(tmp_path, {}, {}), embedder=None)
    sam = MemGPTAgent("sam", llm_config=config, memgpt=home)
    assert isinstance(sam.core.model, AutoGenModel)
    hello = [Message("system", "You are an agent."), Message("user", "Say hello.")]
    done = ToolCall("send_message", {"message": "Hello."}, "chatcmpl-tool-" + "x" * 40)
    log = [*hello, Message("assistant", "", tool_calls=(done,)), Message("tool", "OK", call_id=done.id)]
    for messages in (hello, [*log, Message("user", "And once more.")]):
        reply = sam.core.model.complete(messages, [SAY])
        assert [call.name for call in reply.tool_calls] == ["send_message"]
        assert reply.usage.prompt_tokens > 10
    home.close()


@pytest.mark.parametrize("kind", [k for k in KINDS if k is not OLD_VLLM], ids=lambda kind: kind.name)
@pytest.mark.parametrize("typed", [True, False], ids=["typed", "detected"])
def test_plain_agents_are_sent_to_the_same_server(tmp_path: Path, kind: Kind, typed: bool) -> None:
    server = Replay(kind)
    try:
        environ = {"OPENAI_API_BASE": f"{server.address}/v1", "OPENAI_API_KEY": "k"}
        settings = Settings(tmp_path, {}, environ | ({"BACKEND_TYPE": kind.name} if typed else {}))
        if kind is WEBUI_LEGACY:
            with pytest.raises(ConfigError, match="no OpenAI-compatible address"):
                plain_config_list(settings)
            return
        (entry,) = plain_config_list(settings)
        assert (entry["base_url"], entry["api_key"]) == (f"{server.address}/v1", "k")
        assert entry["model"] == (kind.model if kind.name in ("vllm", "ollama", "lmstudio") else "local")
    finally:
        server.close()


def test_a_local_type_without_an_address_never_means_openai(tmp_path: Path) -> None:
    (entry,) = plain_config_list(Settings(tmp_path, {}, {"BACKEND_TYPE": "llamacpp"}))
    assert entry["base_url"] == "http://127.0.0.1:8080/v1"
    (entry,) = plain_config_list(Settings(tmp_path, {}, {"OPENAI_API_KEY": "sk-x"}))
    assert "base_url" not in entry
