"""Questions and answers, tables, and what stands where when the output is piped."""

from __future__ import annotations

import logging

import click
import pytest

from memgpt_autogen.cli import console
from tests.cli.keys import CTRL_C, CTRL_D, DOWN, ENTER, typed

COLOURS = {"r": "red", "g": "green"}


def test_the_arrow_keys_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    with typed(monkeypatch, DOWN + ENTER):
        assert console.choose("Which?", COLOURS, flag="--colour") == "g"
    with typed(monkeypatch, ENTER):
        assert console.choose("Which?", COLOURS, flag="--colour", default="g") == "g"


def test_enter_takes_the_default_and_a_wrong_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with typed(monkeypatch, ENTER):
        assert console.ask("Name?", flag="--name", default="sam") == "sam"
    with typed(monkeypatch, f"x{ENTER}y{ENTER}"):
        wrong = lambda text: None if text == "xy" else "No."  # noqa: E731
        assert console.ask("Name?", flag="--name", check=wrong) == "xy"
    for typing, yes in (("y", True), ("yes", True), ("no", False), ("", False)):
        with typed(monkeypatch, typing + ENTER):
            assert console.confirm("Sure?") is yes


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_ctrl_c_and_ctrl_d_stop_at_every_kind_of_question(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    questions = (
        lambda: console.choose("Which?", COLOURS, flag="--colour"),
        lambda: console.ask("Name?", flag="--name"),
        lambda: console.ask("Key?", flag="--key", hidden=True),
        lambda: console.confirm("Sure?"),
    )
    for question in questions:
        with typed(monkeypatch, key), pytest.raises(click.Abort):
            question()


def test_without_a_terminal_a_question_names_the_flag() -> None:
    with pytest.raises(click.UsageError, match="with --colour"):
        console.choose("Which?", COLOURS, flag="--colour")
    with pytest.raises(click.UsageError, match="with --yes"):
        console.confirm("Sure?")


def test_piped_rows_are_plain_and_brackets_are_just_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "[red]sam", "passages": 12, "id": "7"}]
    console.show_rows(("name", "passages"), rows)
    assert capsys.readouterr().out == "[red]sam\t12\n"
    console.show_rows(("name",), rows, as_json=True)
    assert '"id": "7"' in capsys.readouterr().out
    long = "A [bold]long[/bold] line " * 20
    console.say(long)
    assert capsys.readouterr().out == long + "\n"


def test_warnings_of_the_core_are_notes_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_log(debug=False)
    logging.getLogger("memgpt_autogen.client").warning("The %s is low.", "disk")
    logging.getLogger("memgpt_autogen.client").info("nothing")
    assert capsys.readouterr() == ("", "Note: The disk is low.\n")
