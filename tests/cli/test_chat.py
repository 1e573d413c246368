"""``memgpt run`` and the commands of a chat, on a server that answers by rule."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from memgpt_autogen.cli.app import main
from memgpt_autogen.cli.chat.slash_commands import COMMANDS, complete
from memgpt_autogen.commands import find
from memgpt_autogen.errors import ConfigError

from .talk_server import serving

KEY = "sk-test-1234567890abcdefghij"


@dataclass(frozen=True)
class Done:
    """What a program wrote, and its exit code."""

    out: str
    err: str
    code: int


Chat = Callable[..., Done]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def environ(server: str, tmp_path: Path) -> Mapping[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH", "HOME", "SYSTEMROOT")}
    model = {"BACKEND_TYPE": "openai", "OPENAI_API_BASE": server, "OPENAI_MODEL": "gpt-4o", "OPENAI_API_KEY": KEY}
    return {**kept, **model, "MEMGPT_HOME": str(tmp_path / "home"), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def chat(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Chat:
    """Pipes lines into ``memgpt run``."""

    def run(*lines: str, options: tuple[str, ...] = ("--agent", "sam"), **changes: str) -> Done:
        with monkeypatch.context() as patched:
            for name, value in {**environ, **changes}.items():
                patched.setenv(name, value)
            patched.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
            with pytest.raises(SystemExit) as ended:
                main(["run", *options])
        written = capsys.readouterr()
        assert "Traceback" not in written.err, written.err
        assert KEY not in written.out + written.err
        return Done(written.out, written.err, int(ended.value.code or 0))

    return run


def test_piped_lines_are_messages_and_all_is_told_apart_plainly(chat: Chat) -> None:
    done = chat("hello", "remember I like tea")
    assert done.out.splitlines() == [
        "(thinks) I repeat it.",
        "sam: You said: hello.",
        "(thinks) Worth keeping.",
        "(calls) core_memory_append(name='human', content='I like tea')",
        "(gets) Core memory human updated: 57 of 2000 characters.",
        "(thinks) I repeat it.",
        "sam: You said: remember I like tea. I know of the tea.",
    ]
    assert (done.err, done.code) == ("", 0)


def test_an_agent_is_resumed_and_hears_that_its_user_is_back(chat: Chat) -> None:
    chat("remember I like tea")
    done = chat("hello", "/dump", options=("--quiet",))
    assert done.out.startswith("You said: hello. I know of the tea.\n")
    assert " login: " in done.out


def test_several_lines_between_slashes_are_one_message(chat: Chat) -> None:
    assert chat("//", "one", "two", "//", options=("--quiet",)).out == "You said: one\ntwo.\n"


def test_turns_are_undone_with_what_they_wrote(chat: Chat) -> None:
    done = chat("hello", "remember I like tea", "/pop", "/memory", "/pop 9", "/pop")
    assert 'Undone: 1 turn, 6 messages, from "remember I like tea" on. As before: core memory (human).' in done.out
    assert "tea" not in done.out.partition("Undone")[2].partition("As before")[2].partition("Undone")[0]
    assert "Undone: 1 turn (there were no more), 3 messages" in done.out and "nothing to memory" in done.out
    assert "There is no turn to take back" in done.err


def test_an_answer_is_tried_again_and_reworded(chat: Chat) -> None:
    done = chat("hello", "/retry", "/rewrite Good day.", "/rethink Be polite.", "/recall", "/dump 1", "/dumpraw")
    assert done.out.count("sam: You said: hello.") == 2
    assert 'sam had said: "You said: hello."; now: "Good day."' in done.out
    assert 'The last inner thoughts were: "I repeat it."; now: "Be polite."' in done.out
    assert "sam: Good day." in done.out
    assert "sam: (thinks: Be polite.) Good day." in done.out
    assert '"content": "Be polite."' in done.out


def test_messages_are_shown_as_a_person_reads_them(chat: Chat) -> None:
    chat("remember I like tea", "hello", "hello again")
    shown = [line[17:] for line in chat("/recall").out.splitlines()]
    assert shown[0] == "you: remember I like tea" and shown[-1] == "sam: You said: hello again. I know of the tea."
    found = chat("/recall hello tea")
    head, *hits = found.out.splitlines()
    assert head == "Results 1-5 of 6, page 1 of 2 (next page: --page 2):"
    assert {line[17:].partition(":")[0] for line in hits} == {"you", "sam"}
    assert chat("/recall hello tea --page 2").out.startswith("Results 6 of 6, page 2 of 2:")
    dumped = [line[17:] for line in chat("/dump 3").out.splitlines()]
    assert [line.partition(":")[0] for line in dumped] == ["you", "sam", "login"]
    assert len(chat("/dump 99999999999999999999").out.splitlines()) == len(chat("/dump").out.splitlines()) == 10
    assert "[calls core_memory_append(name='human', content='I like tea')]" in chat("/dump").out
    assert chat("/dump 0").out == "There are no messages yet.\n"


def test_leaving_without_a_slash_is_told_and_a_command_explained(chat: Chat) -> None:
    done = chat("hello", "exit", "Quit", "/recall", "/help pop", "/help /memory", "/help popp")
    assert done.err.count("/exit ends the chat. Nothing was said to sam.") == 2
    assert len([line for line in done.out.splitlines() if ": " in line and "hello" in line]) == 3  # said once
    assert "/pop [NUMBER]\n    Undo the last turn" in done.out and "NUMBER is how many turns" in done.out
    assert "/memory [--why]\n    Show core memory" in done.out and "Did you mean /pop" in done.err


def test_memory_is_shown_searched_and_wiped(chat: Chat) -> None:
    done = chat("remember I like tea", "/recall tea", "/archival", "/archival tea", "/sources", "/summarize", "/wipe")
    assert "Results 1-" in done.out and "0 passages; sources attached: none." in done.out
    assert done.out.count("There are no notes yet. sam writes them") == 2 and "memgpt load" in done.out
    assert "There are no sources yet." in done.out
    assert "There is nothing to summarise" in done.out
    assert "There is no terminal to ask on" in done.err


def test_events_and_functions_by_command(chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("You repeat what you hear.", encoding="utf-8")
    done = chat(
        "/heartbeat",
        "/memorywarning",
        "/add_function textwrap:dedent",
        "/add_function print('x')",
        f"/system {tmp_path / 'prompt.txt'}",
        "/system",
        f"/system {tmp_path / 'none.txt'}",
        "/save",
        f"/export {tmp_path / 'sam.json'}",
    )
    assert json.loads((tmp_path / "sam.json").read_text(encoding="utf-8"))["name"] == "sam"
    assert done.out.count("sam: Hello, I am here.") == 2
    assert "sam can call dedent(text) from now on." in done.out and "is not an import path" in done.err
    assert "You repeat what you hear." in done.out and "none.txt: No such file" in done.err
    again = chat("/remove_function dedent", "/remove_function dedent", "/model", "/system")
    assert "sam can call dedent no longer." in again.out and "Added functions: none" in again.err
    assert "gpt-4o (openai, http://127.0.0.1" in again.out and "You repeat what you hear." in again.out


def test_another_model_answers_from_within_the_chat_and_is_remembered(chat: Chat) -> None:
    done = chat("hello", "/model gpt-4.1", "hello", "/model")
    assert done.out.count("gpt-4.1 (openai, http://127.0.0.1") == 2 and done.out.count("sam: You said: hello.") == 2
    assert "gpt-4.1 (openai" in chat("/model").out


def test_a_source_is_attached_within_the_chat(chat: Chat, environ: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "lamp.md").write_text("The lamp has a guarantee of five years.", encoding="utf-8")
    load = ["load", "directory", "--name", "lamps", "--input-files", str(tmp_path / "lamp.md")]
    subprocess.run([sys.executable, "-m", "memgpt_autogen.cli", *load], env=dict(environ), check=True, timeout=60)
    done = chat(
        "/memory",
        "/attach lamps",
        "/memory",
        "/attach lamps",
        "/sources",
        "/archival guarantee",
        "/archival --source lamps --since 2026-01-01",
        "/archival guarantee --until 2020-12-31",
        "/detach lamps",
        "/detach lamps",
        "/attach x",
    )
    assert "sam can search lamps from now on." in done.out and "attached already" in done.out
    assert "Archival memory: 0 notes of sam's own; no documents are attached." in done.out
    assert "Archival memory: 0 notes of sam's own; 1 passage of documents (lamps)." in done.out
    assert "* lamps: 1 passages" in done.out and done.out.count("five years") == 2 and "no longer" in done.out
    assert "Archival memory has nothing on this." in done.out
    assert "is not attached" in done.err and "There is no source named 'x'" in done.err


def test_a_command_that_is_not_there_names_the_closest(chat: Chat) -> None:
    done = chat("/memmory", "/pop x", "/rethink", "/save all", "/help")
    assert "There is no command /memmory. Did you mean /memory?" in done.err
    assert "It is used as: /pop [NUMBER]" in done.err and "It is used as: /rethink TEXT" in done.err
    assert "It is used as: /save" in done.err
    for command in COMMANDS:
        assert f"{command.usage} " in done.out and command.help in done.out


def test_commands_are_found_and_completed() -> None:
    assert find("/pop 3", COMMANDS)[1] == "3"
    with pytest.raises(ConfigError, match="There is no command /x"):
        find("/x", COMMANDS)
    assert [word for word, _ in complete(None, "/re")] == [
        "/retry",
        "/rethink",
        "/rewrite",
        "/recall",
        "/remove_function",
    ]  # type: ignore[arg-type]
    assert complete(None, "/pop ") == []  # type: ignore[arg-type]


def test_a_server_that_refuses_ends_nothing(chat: Chat) -> None:
    done = chat("fail", "hello")
    assert done.err.count("Error:") == 1 and "I cannot do that" in done.err and "/retry asks once more" in done.err
    assert done.out.endswith("sam: You said: hello.\n") and done.code == 0
    assert chat("fail").code == 1


def test_a_dead_server_is_told_before_and_within_a_chat(chat: Chat) -> None:
    dead = {"BACKEND_TYPE": "llamacpp", "OPENAI_API_BASE": "http://127.0.0.1:9"}
    done = chat("hello", **dead)
    assert done.code == 1 and done.out == "" and "127.0.0.1:9" in done.err
    done = chat("hello", "/dump", options=("--no-verify", "--agent", "sam"), **dead)
    assert done.code == 0 and "127.0.0.1:9" in done.err and " you: hello" in done.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--preset", "memgpt_cat"), "Did you mean 'memgpt_chat'|There is no preset 'memgpt_cat'"),
        (("--persona", "no_such_one"), "There is no text 'no_such_one'"),
        (("--human", "no_such_one"), "There is no text 'no_such_one'"),
        (("--model-endpoint-type", "foo"), "'foo' is not one of"),
        (("--heartbeat-every", "often"), "such as 10m"),
        (("--context-window", "0"), "0 is not in the range"),
        (("--context-window", "300"), "too small"),
        (("--system-file", "none.txt"), "No such file"),
        (("--agent", "a\tb"), "cannot be a name"),
        (("--frist",), "Did you mean .*--first"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(chat: Chat, options: tuple[str, ...], told: str) -> None:
    done = chat(options=options)
    assert done.code in (1, 2) and done.out == ""
    assert re.search(told, done.err), done.err


def test_a_mistyped_name_makes_no_new_agent(chat: Chat) -> None:
    chat("hello")
    done = chat("hello", options=("--agent", "smam"))
    assert done.code == 2 and "There is no agent 'smam', but 'sam'" in done.err and "--yes" in done.err
    assert chat("hello", options=("--agent", "smam", "--yes")).code == 0


def test_options_are_remembered_for_the_agent(chat: Chat) -> None:
    chat(
        "hello",
        options=("--agent", "sam", "--model", "gpt-4.1", "--preset", "memgpt_compact", "--human", "My name is Ann."),
    )
    done = chat("/model", "/memory", options=("--agent", "sam"))
    assert "gpt-4.1 (openai" in done.out and "preset memgpt_compact" in done.out and "My name is Ann." in done.out
    chat("remember I like tea", options=("--agent", "sam"))
    done = chat("hello", options=("--agent", "sam", "--human", "My name is Bea."))
    assert done.code == 2 and "Replace what sam has written" in done.err
    done = chat("/memory", options=("--agent", "sam", "--human", "My name is Bea.", "--yes", "--model", "gpt-4o"))
    assert "My name is Bea." in done.out and "tea" not in done.out
    broken = chat("/model", options=("--agent", "sam", "--context-window", "300"))
    assert broken.code == 1 and "too small" in broken.err
    assert chat("/model", options=("--agent", "sam")).code == 0


def test_the_history_and_the_home_are_private_and_hold_no_key(chat: Chat, environ: Mapping[str, str]) -> None:
    chat("hello", f"remember {KEY[:5]}")
    home = Path(environ["MEMGPT_HOME"])
    if os.name != "nt":
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for file in home.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_raw_messages_are_whole_lines(
    chat: Chat, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chat("a long line that is wider than any narrow terminal " * 5)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes what it writes to for a terminal
    shown = re.sub("\x1b\\[[0-9;]*m", "", chat("/dumpraw").out)
    assert any("wider than any" in message["text"] for message in json.loads(shown))


# -- in a real terminal -----------------------------------------------------------------------------------------------

pexpect = pytest.importorskip("pexpect")
if os.name == "nt":
    pytest.skip("pexpect needs a Unix terminal", allow_module_level=True)

from .typed import Terminal  # noqa: E402


@pytest.fixture
def terminal(environ: Mapping[str, str], tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(*arguments: str, **options: object) -> Terminal:
        opened.append(Terminal(*arguments, home=tmp_path / "home", environ=environ, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for one in opened:
        one.child.close(force=True)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 100])
def test_a_whole_chat_is_typed(terminal: Callable[..., Terminal], columns: int, tmp_path: Path) -> None:
    chat = terminal("run", "--agent", "bo", columns=columns)
    chat.see("bo: Hello, I am here.")
    chat.type("remember I like tea and long walks along the shore", "bo: You said: remember I like tea")
    chat.type("/memory", "Archival memory: 0 notes")
    chat.type("/pop", "As before: core memory (human).")
    chat.type("slowly")
    time.sleep(1.0)
    chat.press("c", "Stopped. What you said is kept", busy=True)
    chat.type("/pop", 'from "slowly" on')
    chat.type(f"my key is {KEY}", "bo: You said: my key is")
    chat.type("//")
    chat.type("one")
    chat.type("two")
    chat.type("//", "bo: You said: one two.")
    chat.press("c", "Ctrl-C once more")
    chat.press("c", "Saved. Go on with: memgpt run --agent bo")
    assert chat.end() == 0
    assert all(len(line) <= columns for line in chat.text.splitlines())
    assert "\x1b[2;3m" in chat.raw  # thoughts are dim and slanted
    history = tmp_path / "home" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "remember I like tea" in history.read_text() and KEY not in history.read_text()


@pytest.mark.slow
def test_an_agent_is_chosen_with_the_arrow_keys(terminal: Callable[..., Terminal], chat: Chat) -> None:
    for name in ("ann", "bob"):
        chat("hello", options=("--agent", name))
    choice = terminal("run")
    choice.see("Which agent?")
    choice.child.send("\x1b[B\r")  # the newest stands first
    choice.see("ann: 3 messages so far")
    choice.press("d", "Go on with: memgpt run --agent ann")
    assert choice.end() == 0
    anew = terminal("run", "--first")
    anew.see("Which agent?")
    anew.child.send("\x1b[B\x1b[B\r")
    anew.see("Its name: sam")
    anew.child.send("my\r")
    anew.see("sammy: new.")
    anew.press("d")
    assert anew.end() == 0
    stopped = terminal("run")
    stopped.see("Which agent?")
    stopped.press("c", "Stopped.", busy=True)
    assert stopped.end() == 1


@pytest.mark.slow
def test_a_timed_event_runs_the_agent_while_the_prompt_waits(terminal: Callable[..., Terminal]) -> None:
    chat = terminal("run", "--first", "--agent", "bo", "--heartbeat-every", "1s")
    chat.see("bo: Tick.")
    chat.type("hello", "bo: You said: hello.")
    chat.see("bo: Tick.", times=2)
    chat.press("d", "Saved.", busy=True)
    assert chat.end() == 0


@pytest.mark.slow
def test_words_appear_while_they_are_written(terminal: Callable[..., Terminal]) -> None:
    chat = terminal("run", "--first", "--agent", "bo", "--no-stream")
    chat.type("hello", "bo: You said: hello.")
    chat.press("d")
    assert chat.end() == 0
    chat = terminal("run", "--agent", "bo", "--stream")
    chat.type("hello", "bo: You said: hello.")
    chat.type("/exit")
    assert chat.end() == 0
    assert chat.words.count("You said: hello.") == 1


@pytest.mark.slow
def test_wiping_asks(terminal: Callable[..., Terminal]) -> None:
    chat = terminal("run", "--first", "--agent", "bo")
    chat.type("remember I like tea", "bo: You said: remember")
    chat.type("/wipe", "for good?")
    chat.child.send("no\r")
    chat.type("/recall", "bo: You said: remember", times=2)
    chat.type("/wipe")
    chat.see("for good?", times=2)
    chat.child.send("y\r")
    chat.see("bo begins anew.")
    chat.type("/recall", "There are no messages yet.")


@pytest.mark.slow
def test_taking_everything_back_asks(terminal: Callable[..., Terminal]) -> None:
    chat = terminal("run", "--first", "--agent", "bo")
    chat.type("one", "bo: You said: one.")
    chat.type("two", "bo: You said: two.")
    chat.type("/pop 2", "bo has had 2 turns. Undo all of them?")
    chat.child.send("n\r")
    chat.see("Nothing was undone.")
    chat.type("/pop 9")
    chat.see("Undo all of them?", times=2)
    chat.child.send("y\r")
    chat.see("Undone: 2 turns (there were no more)")
    chat.type("three", "bo: You said: three.")
    chat.type("/exit")
    assert chat.end() == 0
    sure = terminal("run", "--agent", "bo", "--yes")
    sure.type("/pop 9", "Undone: 1 turn (there were no more)")
    sure.type("/exit")
    assert sure.end() == 0
