"""The config file's errors, and where the home folder is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from memgpt_autogen.config import FILE_SETTINGS, Settings
from memgpt_autogen.config.file import write_config
from memgpt_autogen.config.home import home_folder
from memgpt_autogen.errors import ConfigError


def load(folder: Path, text: str) -> Settings:
    (folder / "config.json").write_text(text, encoding="utf-8")
    return Settings.load({}, folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n  "model": {}\n  "preset": ""\n}', r"line 3: Expecting ',' delimiter"),
        ('{\n  "preset": "a",\n  "modle": {}\n}', r"line 3: unknown setting 'modle'. Did you mean 'model'\?"),
        ('{\n  "model": {\n    "model": "m",\n    "wrapper": "x"\n  }\n}', r"line 4: Unknown setting wrapper"),
        ('{\n  "model": {\n    "context_window": "8k"\n  }\n}', r"line 3: context_window .* must be int or None"),
        ('{\n  "model": {"api_key": "sk-secretsecret"}\n}', r"line 2: api_key: keys have no place"),
        ('{\n\n  "persona": 7\n}', r"line 3: persona must be a text"),
        ('{"vectors": "chroma+http://secretsecret@host"}', "line 1: vectors: tokens have no place"),
        ("[]", "must hold one JSON object"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        load(tmp_path, text)
    assert str(tmp_path / "config.json") in str(error.value)
    assert "secretsecret" not in str(error.value)


def test_a_file_in_another_encoding_and_one_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b'{"persona": "Zo\xe9"}')
    with pytest.raises(ConfigError, match="not UTF-8"):
        Settings.load({}, tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.load({}, tmp_path)


def test_what_is_written_is_read_again_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.json"
    write_config(path, {"persona": "Zoé"})
    settings = Settings.load({}, path.parent)
    assert settings.default("persona") == "Zoé"
    assert settings.default("preset") == ""
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["config.json"]
    assert set(FILE_SETTINGS) >= {"model", "embedding", "preset", "persona", "human"}


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}
    assert home_folder({}) == (tmp_path / ".memgpt", "default")
    assert home_folder({"XDG_DATA_HOME": "relative"})[1] == "default"
    assert home_folder(data) == (tmp_path / "data" / "memgpt", "XDG_DATA_HOME")
    assert home_folder({**data, "MEMGPT_HOME": str(tmp_path / "own")}) == (tmp_path / "own", "MEMGPT_HOME")
    (tmp_path / ".memgpt").mkdir()
    assert home_folder(data) == (tmp_path / ".memgpt", "default")
