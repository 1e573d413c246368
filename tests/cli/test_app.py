"""The program as a whole: its table of commands, its errors, how soon it is there."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from memgpt_autogen import __version__
from memgpt_autogen.cli import app as app_module
from memgpt_autogen.cli.app import COMMANDS, LazyGroup, app, main
from memgpt_autogen.errors import ConfigError
from tests.test_house import HEAVY, loaded_by


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in shown
        assert line.split(".")[0].split()[0] in shown


@pytest.mark.parametrize("name", [*COMMANDS])
def test_every_command_can_be_loaded_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_version_names_the_package() -> None:
    assert __version__ in CliRunner().invoke(app, ["version"]).output


def test_a_wrong_command_names_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["talk"])
    assert stopped.value.code == 2
    assert "version" in capsys.readouterr().err


def test_an_error_is_a_sentence_and_a_traceback_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigError("No such thing. Do another.")

    monkeypatch.setattr(app_module.app, "main", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["version"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "Error: No such thing. Do another.\n"
    with pytest.raises(SystemExit):
        main(["--debug", "version"])
    assert "Traceback" in capsys.readouterr().err


def test_help_loads_nothing_heavy() -> None:
    assert not loaded_by("import memgpt_autogen.cli.app") & HEAVY


def test_commands_are_looked_up_by_name_only() -> None:
    assert isinstance(app, LazyGroup)
    assert app.get_command(None, "nothing") is None  # type: ignore[arg-type]
