"""The contract of servers on real ones that are too heavy for every run: ``make test-servers``.

Each is started with the Python of its own environment, and asked with our grammars and schemas: llama-cpp-python on the
bundled model, vLLM, which takes no GGUF file, on the folder of a model in ``MEMGPT_TEST_HF_MODEL``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from memgpt_autogen.config import LLMConfig, Settings
from memgpt_autogen.errors import ConfigError, ModelReplyError, ModelRequestError
from memgpt_autogen.llm.base import ChatModel, ReplyDelta
from memgpt_autogen.llm.choose import build_model
from memgpt_autogen.llm.detect import probe
from memgpt_autogen.llm.embedded import find_model
from memgpt_autogen.messages import Message, Usage

from .conftest import SAY, TOOLS
from .test_openai import ASK

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
WINDOW = 2048
#: Seconds that a server may take to start: vLLM compiles.
START = 240
#: Times that a reply must be a call that fits.
TRIES = 10


@dataclass(frozen=True)
class Started:
    """A running server: its name, the type that we ask it as, and its address."""

    name: str
    type: str
    address: str


#: name: (the type that we ask it as, the words behind ``python -m``).
COMMANDS = {
    "vllm": (
        "vllm",
        "vllm.entrypoints.openai.api_server --model {folder} --max-model-len 2048 --served-model-name small",
    ),
    "llama-cpp-python": ("openai", "llama_cpp.server --model {gguf} --n_ctx 2048 --model_alias small"),
}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    name: str = request.param
    kind, command = COMMANDS[name]
    python = ROOT / ".venv" / name / "bin" / "python"
    if not (python.parent.parent / ".ready").exists():
        pytest.skip(f"{name} is not installed: make test-servers")
    model = os.environ.get("MEMGPT_TEST_HF_MODEL", "")
    if name == "vllm" and not model:
        pytest.skip("MEMGPT_TEST_HF_MODEL names no folder of a model")
    try:
        gguf = find_model()
    except ConfigError as error:
        pytest.skip(str(error))
    port, log = free_port(), tmp_path_factory.mktemp(name) / "log"
    arguments = ["-m", *command.format(gguf=gguf, folder=model).split(), "--host", "127.0.0.1", "--port", str(port)]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    environ.pop("PYTHONPATH", None)
    with log.open("wb") as written:
        process = subprocess.Popen([python, *arguments], stdout=written, stderr=subprocess.STDOUT, env=environ)
    try:
        until = time.monotonic() + START
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{name} did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(1)
        yield Started(name, kind, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def connected(server: Started) -> ChatModel:
    config = LLMConfig("small", server.type, server.address, context_window=WINDOW, temperature=0.1, api_key="any")
    return build_model(config, Settings(Path("home")), inner_thoughts=server.type != "openai")


def test_it_is_detected(server: Started) -> None:
    found = probe(server.address)
    assert (found.type if found else "openai") == server.type


def test_replies_under_our_constraints_are_calls_that_fit(server: Started) -> None:
    model = connected(server)
    tools = TOOLS if server.type != "openai" else [SAY]
    unparseable = 0
    for number in range(TRIES):
        try:
            reply = model.complete(
                [*ASK[:1], Message("user", f"Hello, this is message {number}.")], tools, max_tokens=200
            )
            assert reply.tool_calls[0].name in {tool.name for tool in tools}
            assert reply.usage != Usage() and reply.usage.completion_tokens <= 2 * 200
        except ModelReplyError:
            unparseable += 1
    assert not unparseable


def test_a_reply_is_held_to_one_function(server: Started) -> None:
    only = "archival_memory_search" if server.type != "openai" else "send_message"
    reply = connected(server).complete(ASK, TOOLS, only={only}, max_tokens=150)
    assert [call.name for call in reply.tool_calls] == [only]


def test_plain_text_and_a_stream(server: Started) -> None:
    model = connected(server)
    assert model.complete(ASK, [], max_tokens=12).text
    parts: list[ReplyDelta] = []
    assert model.complete(ASK, [SAY], max_tokens=120, on_delta=parts.append).tool_calls
    assert parts


def test_a_prompt_that_does_not_fit_is_refused(server: Started) -> None:
    with pytest.raises(ModelRequestError):
        connected(server).complete([*ASK, Message("user", "word " * 3000)], TOOLS)
