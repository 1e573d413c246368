"""Which server is it, by asking."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memgpt_autogen.config import LLMConfig, Settings
from memgpt_autogen.errors import ModelServerError
from memgpt_autogen.llm import http_errors
from memgpt_autogen.llm.choose import choose_model
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.detect import DetectedServer, is_hosted_openai, is_near, local_servers, probe
from memgpt_autogen.llm.embedded import EmbeddedServer
from memgpt_autogen.llm.transport import Loading, Transport

from .conftest import Answer, Loopback
from .replay import KINDS, KOBOLDCPP, OLD_VLLM, VLLM, WEBUI, Kind, Replay

every = pytest.mark.parametrize("kind", [k for k in KINDS if k is not OLD_VLLM], ids=lambda kind: kind.name)


@pytest.fixture
def served(kind: Kind) -> Iterator[Replay]:
    server = Replay(kind)
    yield server
    server.close()


@pytest.fixture
def dead() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def chosen(address: str, **environ: str) -> tuple[str, str]:
    config = choose_model(Settings(Path("home"), {}, {"OPENAI_API_BASE": address, **environ}))
    return config.model_endpoint_type, config.model


@every
@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "/api", "/v1/chat/completions"])
def test_each_server_is_known_by_its_answers(served: Replay, kind: Kind, ending: str) -> None:
    found = probe(served.address + ending, api_key="k")
    assert found == DetectedServer(kind.name, served.address, kind.model, kind.window)
    assert all(request.headers["Authorization"] == "Bearer k" for request in served.asked)
    assert {request.method for request in served.asked} <= {"GET", "POST"} and not served.requests


@every
def test_the_type_need_not_be_given(served: Replay, kind: Kind) -> None:
    assert chosen(served.address + "/v1") == (kind.name, "")
    assert chosen(served.address, OPENAI_API_KEY="sk-any", OPENAI_MODEL="m") == (kind.name, "m")
    asked = len(served.asked)
    assert chosen(served.address, BACKEND_TYPE="openai", OPENAI_API_KEY="k")[0] == "openai"
    assert len(served.asked) == asked  # who names the type is believed


@pytest.mark.real_model
def test_the_real_server_is_known(embedded_server: EmbeddedServer) -> None:
    found = probe(embedded_server.address + "/v1")
    assert found is not None and (found.type, found.window) == ("llamacpp", 2048) and "SmolLM2" in found.model
    assert local_servers({"x": embedded_server.address}) == [found]
    assert chosen(embedded_server.address) == ("llamacpp", "")


@pytest.mark.parametrize("kind", [WEBUI], ids=lambda kind: kind.name)
def test_a_server_without_a_model_is_known_all_the_same(served: Replay) -> None:
    served.pages["/v1/internal/model/info"] = Answer({"model_name": "None", "lora_names": []})
    assert probe(served.address) == DetectedServer("webui", served.address)


@pytest.mark.parametrize("kind", [KOBOLDCPP], ids=lambda kind: kind.name)
def test_koboldcpp_is_not_taken_for_what_it_imitates(served: Replay) -> None:
    served.pages |= {
        "/props": Answer({"default_generation_settings": {"n_ctx": 4096}}),
        "/api/tags": Answer({"models": [{"name": "koboldcpp/tm05"}]}),
    }
    found = probe(served.address)
    assert found is not None and found.type == "koboldcpp"


@pytest.mark.parametrize("kind", [VLLM], ids=lambda kind: kind.name)
def test_an_openai_compatible_api_of_another_kind_stays_one(served: Replay) -> None:
    served.pages["/v1/models"] = Answer({"object": "list", "data": [{"id": "gpt-4o", "owned_by": "litellm"}]})
    del served.pages["/version"]
    assert probe(served.address) is None
    assert chosen(f"{served.address}/v1", OPENAI_API_KEY="k", OPENAI_MODEL="gpt-4o") == ("openai", "gpt-4o")
    assert chosen(f"{served.address}/v1") == ("openai", "gpt-4o")


def test_a_hosted_api_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr("memgpt_autogen.llm.detect.probe", never)
    assert chosen("https://openrouter.ai/api/v1", OPENAI_API_KEY="k")[0] == "openai"
    assert chosen("https://api.openai.com/v1")[0] == "openai"
    assert chosen("https://x.openai.azure.com", OPENAI_API_KEY="k")[0] == "openai"
    with pytest.raises(AssertionError, match="asked"):
        chosen("https://models.example.com/v1")


@pytest.mark.parametrize("page", [Answer("<html>", 200, "text/html"), Answer([1]), Answer("x", 500), Answer(None)])
def test_something_else_is_no_server(loopback: Loopback, page: Answer) -> None:
    loopback.script = [page] * 20
    assert probe(loopback.address) is None


LOADING = Answer({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, 503)


@pytest.mark.parametrize("ending", ["", "/v1", "/v1/chat/completions"])
@pytest.mark.parametrize("key", [{}, {"OPENAI_API_KEY": "sk-any"}])
def test_a_server_that_is_still_loading_is_known_and_waited_for(
    loopback: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ending: str,
    key: dict[str, str],
) -> None:
    monkeypatch.setattr(http_errors, "_POLL", 0.01)
    loopback.script = [LOADING] * 20
    assert probe(loopback.address + ending) == DetectedServer("llamacpp", loopback.address)
    assert chosen(loopback.address + ending, **key)[0] == "llamacpp", "never a hosted service"
    loopback.script = [LOADING] * 5 + [Answer({"default_generation_settings": {"n_ctx": 2048}, "model_alias": "m"})]
    config = LLMConfig(model_endpoint_type="llamacpp", model_endpoint=loopback.address)
    assert CompletionModel(config).context_window == 2048
    assert [record.message for record in caplog.records if "still loading" in record.message] == [
        f"{loopback.address} is still loading its model; waiting for it."
    ]


def test_one_that_loads_for_ever_is_told(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_errors, "_POLL", 0.01)
    loopback.script = [LOADING] * 200
    with (
        Transport(loopback.address, attempts=1, loading=0.1) as transport,
        pytest.raises(Loading, match="Loading model"),
    ):
        transport.get("/props")
    assert len(loopback.requests) > 3


@pytest.mark.parametrize("listed", [["qwen"], ["b", "a"], ["gpt-4o-mini", "a"], []])
def test_a_local_api_that_is_not_known_is_asked_for_a_model_that_it_has(loopback: Loopback, listed: list[str]) -> None:
    loopback.always["/v1/models"] = {"object": "list", "data": [{"id": name} for name in listed]}
    expected = "gpt-4o-mini" if not listed or "gpt-4o-mini" in listed else min(listed)
    assert chosen(loopback.address) == ("openai", expected)
    assert chosen(loopback.address, OPENAI_MODEL="mine") == ("openai", "mine")


@pytest.mark.parametrize("key", [{}, {"OPENAI_API_KEY": "sk-any"}])
@pytest.mark.parametrize("name", ["OPENAI_API_BASE", "OPENAI_BASE_URL"])
def test_a_local_address_where_nothing_answers_is_an_error_and_no_way_to_a_hosted_one(
    dead: str, name: str, key: dict[str, str]
) -> None:
    with pytest.raises(ModelServerError, match="set BACKEND_TYPE"):
        choose_model(Settings(Path("home"), {}, {name: f"http://{dead}/v1", **key}))


def test_nobody_there_is_told_with_what_to_do(dead: str) -> None:
    with pytest.raises(ModelServerError, match=rf"Cannot reach http://{dead}.*running.*set BACKEND_TYPE.*koboldcpp"):
        chosen(dead)
    assert local_servers({"x": f"http://{dead}"}) == []


def test_one_that_hangs_is_not_waited_for_long(loopback: Loopback) -> None:
    loopback.script = [Answer({}, delay=1.5)] * 3
    start = time.monotonic()
    with pytest.raises(ModelServerError, match=r"No answer from .* in 0\.2 s"):
        probe(loopback.address, timeout=0.2)
    assert time.monotonic() - start < 1.0


def test_near_and_far() -> None:
    near = [
        "localhost:1",
        "http://127.0.0.1/v1",
        "192.168.0.4:5000",
        "http://box:5000",
        "http://gpu.local",
        "http://[::1]:8",
    ]
    far = ["https://api.example.com/v1", "8.8.8.8:80", "https://openrouter.ai/api/v1", ""]
    assert all(map(is_near, near)) and not any(map(is_near, far))
    assert is_hosted_openai("api.openai.com") and not is_hosted_openai("http://openai.com.example.org")
