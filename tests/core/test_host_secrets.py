"""A secret goes to the host that it was given for: judged where it is sent, by requests that never leave."""

from __future__ import annotations

import copy
import logging
import os
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from memgpt_autogen.config import AgentConfig, EmbeddingConfig, LLMConfig, Settings, to_dict
from memgpt_autogen.config.host_secrets import SendSecrets, account_of, bound, split_address, unsealed_for
from memgpt_autogen.config.secrets import key_in_environment, store_key, store_login, stored_accounts, stored_login
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.errors import ConfigError, MemGPTError
from memgpt_autogen.llm.choose import ModelRequest, build_model, choose_model
from memgpt_autogen.redaction import redact

KEY = "mk_51f0c9e2_of_no_known_form"
PASSWORD = "hunter2-and-more"
OPENAI = "https://api.openai.com/v1"
ELSEWHERE = (
    "https://evil.example/v1",
    "http://api.openai.com/v1",  # the same name, without encryption
    "https://api.openai.com:8443/v1",
    "https://api.openai.com.evil.example/v1",
    "https://api.openai.com@evil.example/v1",
    "http://127.0.0.1:9/v1",
)


def headers(send: SendSecrets, url: str, **given: str) -> dict[str, str]:
    request = httpx.Request("POST", url, headers=given)
    send(request)
    return {**request.headers, "url": str(request.url)}


def carries(send: SendSecrets, url: str, secret: str = KEY) -> bool:
    return secret in str(headers(send, url))


@pytest.mark.parametrize("other", ELSEWHERE)
def test_a_key_that_is_copied_to_another_address_is_not_sent_there(other: str) -> None:
    config = LLMConfig("m", model_endpoint=OPENAI, api_key=KEY)
    moved = replace(config, model_endpoint=other)
    assert carries(SendSecrets(config.address, config.api_key), f"{OPENAI}/chat/completions")
    send = SendSecrets(moved.address, moved.api_key)
    assert not carries(send, f"{split_address(moved.address)[0]}/chat/completions")
    assert "given for api.openai.com" in send.withheld


@pytest.mark.parametrize("other", ELSEWHERE)
def test_the_environments_key_goes_to_the_environments_address(tmp_path: Path, other: str) -> None:
    settings = Settings(tmp_path, {}, {"OPENAI_API_KEY": KEY})
    assert choose_model(settings, ModelRequest(argument=LLMConfig("m", model_endpoint=OPENAI))).api_key == KEY
    assert choose_model(settings, ModelRequest(argument=LLMConfig("m", model_endpoint=other))).api_key == ""
    based = Settings(tmp_path, {}, {"OPENAI_API_KEY": KEY, "OPENAI_API_BASE": "https://mine.example/v1"})
    assert (
        choose_model(based, ModelRequest(argument=LLMConfig("m", model_endpoint="https://mine.example/v1"))).api_key
        == KEY
    )
    assert choose_model(based, ModelRequest(argument=LLMConfig("m", model_endpoint=OPENAI))).api_key == ""
    filed = Settings(tmp_path, {"model": {"model_endpoint": "https://mine.example/v1"}}, {"OPENAI_API_KEY": KEY})
    assert (
        choose_model(filed).api_key == KEY
        and choose_model(filed, ModelRequest(argument=LLMConfig(model_endpoint=other))).api_key == ""
    )


def test_azures_key_goes_to_azures_endpoint() -> None:
    environ = {"AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com"}
    assert key_in_environment("azure", "https://mine.openai.azure.com", environ)[0] == KEY
    assert key_in_environment("azure", "https://evil.openai.azure.com", environ) == ("", "")
    assert key_in_environment("azure", "https://mine.openai.azure.com", {"AZURE_OPENAI_API_KEY": KEY}) == ("", "")


@pytest.mark.parametrize("kind", ["openai", "azure", "llamacpp", "vllm", "ollama", "koboldcpp", "lmstudio", "webui"])
def test_every_model_is_built_without_the_key_of_another_host(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    environ = {"OPENAI_API_KEY": KEY, "AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_ENDPOINT": "https://mine.example"}
    settings = Settings(tmp_path, {}, environ)
    store_key("https://mine.example", KEY, tmp_path, place="file")
    config = choose_model(settings, ModelRequest(argument=LLMConfig("m", kind, "https://evil.example")))
    assert config.api_key == ""
    if kind == "azure":  # takes nobody without one
        with pytest.raises(ConfigError, match="needs an API key"):
            build_model(config, settings)
        return
    assert KEY not in str(vars(build_model(config, settings)))
    mine = choose_model(settings, ModelRequest(argument=LLMConfig("m", kind, "https://mine.example")))
    assert mine.api_key == KEY and mine.api_key.host == "mine.example"  # type: ignore[attr-defined]


def test_an_embedder_is_treated_like_a_model(tmp_path: Path) -> None:
    for other in ELSEWHERE:
        config = EmbeddingConfig("openai", "m", other)
        built = build_embedder(config, {"OPENAI_API_KEY": KEY}, tmp_path)
        assert built is not None and not carries(built._secrets, f"{split_address(other)[0]}/embeddings")  # type: ignore[attr-defined]
    given = replace(EmbeddingConfig("openai", "m", OPENAI, KEY), endpoint="https://evil.example")
    built = build_embedder(given, {}, tmp_path)
    assert built is not None and not carries(built._secrets, "https://evil.example/v1/embeddings")  # type: ignore[attr-defined]


def test_no_secret_follows_a_redirect() -> None:
    send = SendSecrets(OPENAI, KEY, headers=("Authorization", "X-API-Key", "api-key"))
    for other in ELSEWHERE:
        found = headers(send, other, **{"X-Own-Api-Key": KEY, "Cookie": KEY, "X-Title": "mine"})
        assert KEY not in str(found) and found["x-title"] == "mine"
    assert headers(send, OPENAI)["api-key"] == KEY


def test_what_stands_in_an_address_is_taken_out_of_it_and_sent_to_its_host() -> None:
    given = f"http://me:{PASSWORD}@127.0.0.1:1/v1?api-key={KEY}&n=1"
    config = LLMConfig("m", model_endpoint=given)
    assert config.model_endpoint == "http://127.0.0.1:1/v1"
    for shown in (repr(config), str(to_dict(config)), repr(AgentConfig("sam", model=config)), str(vars(config))):
        assert PASSWORD not in shown and KEY not in shown
    send = SendSecrets(config.address, config.api_key, config.login)
    found = headers(send, "http://127.0.0.1:1/v1/models?a=b")
    assert found["authorization"].startswith("Basic ") and found["url"].endswith(f"/v1/models?a=b&api-key={KEY}&n=1")
    moved = replace(config, model_endpoint="http://127.0.0.1:2")
    assert not carries(SendSecrets(moved.address, moved.api_key, moved.login), "http://127.0.0.1:2/v1/models")
    assert copy.deepcopy(config) == config and copy.deepcopy(config).login.host == "127.0.0.1:1"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("address", "clean"),
    [
        ("https://me:pa@ss@host/v1", "https://host/v1"),
        ("me:pass@host:8080", "host:8080"),
        ("host/v1?token=abc", "host/v1"),
        ("https://host/v1#access_token=abc", "https://host/v1"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://host?x", "https://host"),
    ],
)
def test_addresses_are_split(address: str, clean: str) -> None:
    left, secret = split_address(address)
    assert left == clean and bool(secret) == (left != address)
    assert repr(secret) == ("'***'" if secret else "''")


@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("https://API.OpenAI.com:443/v1", "api.openai.com"),
        ("https://host.example.", "host.example"),
        ("http://host.example", "http://host.example"),
        ("http://192.168.0.2:80", "192.168.0.2"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("localhost:8080", "localhost:8080"),
    ],
)
def test_an_account_names_a_host(address: str, account: str) -> None:
    assert account_of(address) == account
    assert bound(KEY, address).host == account


@pytest.mark.parametrize(
    "text",
    [
        f"at http://me:{PASSWORD}@host:1/v1 nothing answers",
        f"https://host/v1?api-key={PASSWORD}",
        f"https://host/v1?a=1&X-Amz-Signature={PASSWORD}#x",
        f"https://host/?subscription_key={PASSWORD}&b=2",
        f"http://me:p@{PASSWORD}@host/",
        f"https://host/#access_token={PASSWORD}",
        f"postgresql+psycopg://me:{PASSWORD}@db/shop",
        f"Basic {PASSWORD}",
    ],
)
def test_an_error_never_tells_a_secret_of_an_address(text: str) -> None:
    error = MemGPTError(text)
    assert PASSWORD not in redact(text) + str(error) + repr(error)


def test_the_clients_log_does_not_show_the_query(caplog: pytest.LogCaptureFixture) -> None:
    _, login = split_address(f"http://127.0.0.1:1/v1?api-key={KEY}")
    SendSecrets("http://127.0.0.1:1", "", login)
    with caplog.at_level(logging.INFO):
        logging.getLogger("httpx").info("HTTP Request: %s %s", "GET", httpx.URL(f"http://127.0.0.1:1/?api-key={KEY}"))
    assert "127.0.0.1:1" in caplog.text and KEY not in caplog.text


def test_a_header_in_the_settings_belongs_to_the_host_beside_it() -> None:
    headers_ = {"Authorization": f"Bearer {KEY}", "X-Title": "mine"}
    config = LLMConfig("m", model_endpoint=OPENAI, api_key=KEY, settings={"default_headers": headers_, "seed": 7})
    assert KEY not in repr(config) and "'X-Title': 'mine'" in repr(config) and config.settings["seed"] == 7
    assert unsealed_for(config.settings, OPENAI) == {"default_headers": headers_, "seed": 7}
    moved = replace(config, model_endpoint="https://evil.example")
    assert unsealed_for(moved.settings, moved.address) == {"default_headers": {"X-Title": "mine"}, "seed": 7}
    assert KEY not in repr(Settings(Path(), {"model": {"settings": headers_}}, {"OPENAI_API_KEY": KEY}))


@pytest.mark.parametrize("secret", [f"me:{PASSWORD}@", f"?api-key={PASSWORD}"])
def test_what_is_secret_in_an_address_is_stored_like_a_key(tmp_path: Path, secret: str) -> None:
    place = "https://mine.example/v1"
    address = place.replace("//", f"//{secret}") if secret.endswith("@") else f"{place}{secret}"
    login = split_address(address)[1]
    where = Path(store_login(login, tmp_path, place="file"))
    assert PASSWORD in where.read_text() and (os.name == "nt" or where.stat().st_mode & 0o77 == 0)
    assert stored_login(place, tmp_path) == login and stored_login("https://evil.example", tmp_path) == ""
    found = choose_model(Settings(tmp_path, {}, {}), ModelRequest(saved=LLMConfig("m", model_endpoint=place)))
    assert found.login == login and PASSWORD not in repr(found) + str(to_dict(found))
    assert PASSWORD not in str(stored_accounts(tmp_path)) and redact(f"at {place}") == f"at {place}"
