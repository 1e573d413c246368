"""Proxies of the environment, and keys and addresses as people paste them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from memgpt_autogen.config import EmbeddingConfig, LLMConfig, Settings
from memgpt_autogen.config.http_client import http_client, is_loopback
from memgpt_autogen.config.pasted import Environment, bare
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.errors import ConfigError, MissingDependency, ModelServerError
from memgpt_autogen.llm.choose import choose_model
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.openai import OpenAIChat

from .conftest import TOOLS, Loopback
from .test_openai import ASK, SPEAK

KEY = "sk-proj-key-of-the-test"
PROXIES = {
    "http": {"HTTP_PROXY": "http://127.0.0.1:9"},
    "small letters": {"http_proxy": "http://127.0.0.1:9"},
    "all": {"ALL_PROXY": "http://127.0.0.1:9"},
    "socks": {"ALL_PROXY": "socks5://127.0.0.1:9"},
    "socks by name": {"all_proxy": "socks5h://127.0.0.1:9", "NO_PROXY": "127.0.0.1"},
    "nonsense": {"HTTP_PROXY": "htp//nowhere"},
}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# -- proxies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variables", PROXIES.values(), ids=PROXIES)
def test_this_machine_is_never_asked_by_way_of_a_proxy(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    loopback.script = [SPEAK]
    loopback.always["/props"] = {"default_generation_settings": {"n_ctx": 2048}}
    loopback.always["/v1/embeddings"] = lambda body: {
        "data": [{"index": i, "embedding": [1.0]} for i in range(len(body["input"]))]
    }
    config = LLMConfig(model="m", model_endpoint=loopback.address, timeout=5.0)
    assert OpenAIChat(config, environ={}).complete(ASK, TOOLS).tool_calls
    served = LLMConfig(model_endpoint_type="llamacpp", model_endpoint=loopback.address)
    assert CompletionModel(served).context_window == 2048
    embedder = build_embedder(EmbeddingConfig("openai", "e", loopback.address))
    assert embedder is not None and embedder.embed(["x"]).shape == (1, 1)


@pytest.mark.parametrize("address", ["https://api.example.com", "http://box.example.com:8080", "http://192.0.2.7"])
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks4://me:secret@127.0.0.1:9"])
def test_a_socks_proxy_is_named_with_what_it_needs(monkeypatch: pytest.MonkeyPatch, address: str, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises((MissingDependency, ConfigError), match=r"ALL_PROXY=socks.*(httpx\[socks\]|Correct)") as caught:
        http_client(address, timeout=1.0)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_no_client_can_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:9")
    with pytest.raises(ConfigError, match="HTTPS_PROXY=gopher"):
        http_client("https://api.example.com", timeout=1.0)


def test_a_dead_proxy_is_named_where_nothing_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    config = LLMConfig(model="m", model_endpoint="http://model.example.com", settings={"max_retries": 0}, timeout=2.0)
    for model in (
        OpenAIChat(config, environ={}),
        CompletionModel(LLMConfig("m", "llamacpp", "http://model.example.com")),
    ):
        with pytest.raises(ModelServerError, match=r"proxy http://127\.0\.0\.1:9: is that right\? NO_PROXY"):
            model.complete(ASK, TOOLS)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("localhost:1234", True),
        ("http://my.localhost", True),
        ("http://[::1]:11434", True),
        ("http://127.8.9.1", True),
        ("http://0.0.0.0:5000", True),
        ("http://localhost.example.com", False),
        ("http://192.168.1.4", False),
        ("https://api.openai.com", False),
    ],
)
def test_what_this_machine_is(address: str, here: bool) -> None:
    assert is_loopback(address) is here


# -- as they are pasted -----------------------------------------------------------------------------------------------

AROUND = [" {}", "{}\r", "{}\r\n", '"{}"', "'{}'", "“{}”", "\ufeff{}", "\u00a0{}\t", "„{}“", "\"'{}' \"", "`{}`"]


@pytest.mark.parametrize("around", AROUND)
def test_blanks_and_quotes_are_taken_off(around: str) -> None:
    address = "http://127.0.0.1:8080/v1"
    environ = {
        "OPENAI_API_KEY": around.format(KEY),
        "OPENAI_API_BASE": around.format(address),
        "BACKEND_TYPE": around.format("openai"),
        "OPENAI_MODEL": around.format("gpt-4o"),
    }
    found = choose_model(Settings(Path("home"), {}, environ))
    assert (found.model, found.model_endpoint, str.__str__(found.api_key)) == ("gpt-4o", address, KEY)
    made = LLMConfig(model="m", model_endpoint=around.format(address), api_key=around.format(KEY))
    assert (made.model_endpoint, str.__str__(made.api_key)) == (address, KEY)
    assert EmbeddingConfig("openai", endpoint=around.format(address)).endpoint == address
    assert bare(around.format("x")) == "x"


@pytest.mark.parametrize("dash", "‐‑‒–—−")
def test_an_editor_s_dashes_are_hyphens(dash: str) -> None:
    assert Environment({"OPENAI_API_KEY": KEY.replace("-", dash)})["OPENAI_API_KEY"] == KEY
    assert LLMConfig(model_endpoint=f"http://my{dash}box:8080").model_endpoint == "http://my-box:8080"


@pytest.mark.parametrize("sign", ["é", "…", "\t", "\n", "\u200b", "密"])
@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"])
def test_what_no_key_can_have_is_named_with_its_variable(name: str, sign: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} has a sign in it that cannot be there: .*, at place 7") as caught:
        Environment({name: f"secret{sign}secret"})[name]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["OPENAI_API_BASE", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"])
@pytest.mark.parametrize("address", ["http://my box:8080", "http://a\tb", "http://a\x00b", "http://a\r\nHost: b"])
def test_what_no_address_can_have_is_named_with_its_variable(name: str, address: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Environment({name: address})[name]


def test_other_variables_are_left_as_they_are() -> None:
    environ = Environment({"PATH": ' "a" ', "OPENAI_API_KEY": ""})
    assert environ["PATH"] == ' "a" ' and environ.get("OPENAI_API_KEY") == "" and environ.get("GONE") is None
    assert dict(environ) == {"PATH": ' "a" ', "OPENAI_API_KEY": ""}
