"""Where keys are found and kept, and what is hidden."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from memgpt_autogen.config import AgentConfig, LLMConfig, Settings, secrets, to_dict
from memgpt_autogen.errors import ConfigError
from memgpt_autogen.llm.choose import choose_model
from memgpt_autogen.redaction import redact, register_secret

KEY = "mk_7f3a9c1d5e_not_a_real_key"
OPENAI = "https://api.openai.com/v1"


class Ring:
    """A keyring as the package of that name offers one."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_keyring(self) -> Ring:
        return self

    def set_password(self, service: str, account: str, key: str) -> None:
        self.kept[service, account] = key

    def get_password(self, service: str, account: str) -> str | None:
        return self.kept.get((service, account))


@pytest.fixture
def no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    made = Ring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


def test_a_key_in_the_file_is_its_owners_alone_and_its_hosts_alone(tmp_path: Path, no_ring: None) -> None:
    where = secrets.store_key(OPENAI, KEY, tmp_path)
    assert where == str(tmp_path / "credentials.json")
    if os.name != "nt":
        assert stat.S_IMODE(Path(where).stat().st_mode) == 0o600
    assert secrets.find_key("openai", OPENAI, tmp_path, {}) == (KEY, where)
    assert secrets.find_key("openai", "https://elsewhere.example/v1", tmp_path, {}) == ("", "")
    assert secrets.find_key("llamacpp", "http://127.0.0.1:8080", tmp_path, {}) == ("", "")


def test_the_environment_comes_before_what_is_stored(tmp_path: Path, no_ring: None) -> None:
    secrets.store_key(OPENAI, KEY, tmp_path)
    other = {"OPENAI_API_KEY": "another_key_of_mine"}
    assert secrets.find_key("openai", OPENAI, tmp_path, other) == ("another_key_of_mine", "OPENAI_API_KEY")


def test_a_keyring_that_works_keeps_the_key_and_the_file_does_not(tmp_path: Path, ring: Ring) -> None:
    assert secrets.store_key(OPENAI, KEY, tmp_path) == "keyring"
    assert KEY not in (tmp_path / "credentials.json").read_text()
    assert secrets.find_key("openai", OPENAI, tmp_path, {}) == (KEY, "keyring")
    assert secrets.stored_accounts(tmp_path) == {"api.openai.com": "keyring"}


def test_a_keyring_is_not_opened_for_a_key_that_it_was_not_given(tmp_path: Path, ring: Ring) -> None:
    ring.get_password = None  # type: ignore[assignment,method-assign]
    assert secrets.find_key("openai", OPENAI, tmp_path, {}) == ("", "")


def test_a_keyring_that_keeps_nothing_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = SimpleNamespace(get_keyring=lambda: SimpleNamespace(priority=0))
    monkeypatch.setitem(sys.modules, "keyring", fails)
    assert secrets.store_key(OPENAI, KEY, tmp_path) == str(tmp_path / "credentials.json")
    with pytest.raises(ConfigError, match="no keyring"):
        secrets.store_key(OPENAI, KEY, tmp_path, place="keyring")


@pytest.mark.skipif(os.name == "nt", reason="no modes there")
def test_a_file_that_others_could_read_is_closed_to_them(
    tmp_path: Path, no_ring: None, caplog: pytest.LogCaptureFixture
) -> None:
    file = Path(secrets.store_key(OPENAI, KEY, tmp_path))
    file.chmod(0o644)
    assert secrets.stored_key(OPENAI, tmp_path)[0] == KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Others could read" in caplog.text


def test_a_broken_credentials_file_is_an_error_without_its_text(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(f'{{"api.openai.com": "{KEY}')
    with pytest.raises(ConfigError, match="Delete it") as told:
        secrets.stored_key(OPENAI, tmp_path)
    assert KEY not in str(told.value)


def test_the_model_gets_the_stored_key_of_its_host(tmp_path: Path, no_ring: None) -> None:
    secrets.store_key("http://gpu.local:8000", KEY, tmp_path)
    settings = Settings(tmp_path, {"model": {"model_endpoint_type": "vllm", "model_endpoint": "gpu.local:8000/v1"}}, {})
    assert choose_model(settings).api_key == KEY
    settings = Settings(tmp_path, {"model": {"model_endpoint_type": "vllm"}}, {})
    assert choose_model(settings).api_key == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no sk-abcdefgh12345678 here", "no *** here"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("http://me:pass@host/v1?api_key=abc123&n=1", "http://***@host/v1?api_key=***&n=1"),
        ("mail me@host.example", "mail me@host.example"),
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str, left: str) -> None:
    assert redact(text) == left


def test_keys_seen_and_keys_of_the_environment_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "a-key-of-no-known-form")
    register_secret("another form of key")
    assert redact("a-key-of-no-known-form, another form of key.") == "***, ***."


def test_records_are_without_secrets() -> None:
    model = LLMConfig(
        model="m",
        model_endpoint="https://me:pass@host/v1",
        api_key=KEY,
        settings={"default_headers": {"Authorization": KEY, "X-Title": "t"}, "max_tokens": 5},
    )
    record = to_dict(AgentConfig("sam", model=model))
    assert KEY not in str(record) and "pass" not in str(record)
    assert record["model"]["settings"] == {"default_headers": {"X-Title": "t"}, "max_tokens": 5}
