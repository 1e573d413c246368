"""What holds for the repository as a whole."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
HEAVY = {"autogen", "httpx", "numpy", "openai", "pydantic", "rich", "sqlite3", "tiktoken"}
#: Hosts of package indexes, and paths of somebody's machine.
ELSEWHERE = ("pypi.org", "files.pythonhosted", "/work/", "/root/")
#: A link of a page to a file of the repository.
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a statement loads in a Python of its own."""
    show = "print(json.dumps([*{*sys.modules} - old]))"
    program = f"import json, sys; old = {{*sys.modules}}; {statement}; {show}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, timeout=60, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import memgpt_autogen")
    assert "memgpt_autogen" in loaded
    assert not loaded & HEAVY


def tracked_files() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (HOUSE / ".git").exists():
        pytest.skip("not a git repository")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=True).stdout
    files = [HOUSE / name for name in listed.decode().split("\0") if name]
    return [file for file in files if file.is_file() and file != Path(__file__).resolve()]


def test_no_file_names_a_package_index_or_a_path_of_this_machine() -> None:
    found = [
        f"{file.relative_to(HOUSE)}:{number}: {words}"
        for file in tracked_files()
        for number, line in enumerate(file.read_bytes().splitlines(), 1)
        for words in ELSEWHERE
        if words.encode() in line
    ]
    assert not found, "\n".join(found)


def test_decisions_are_numbered_each_once_and_linked_files_are_there() -> None:
    decisions = sorted((HOUSE / "docs" / "decisions").glob("*.md"))
    numbers = [file.name[:4] for file in decisions]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    for file in decisions:
        assert file.read_text(encoding="utf-8").startswith(f"# {file.name[:4]}: "), file.name
    pages = [file for file in tracked_files() if file.suffix == ".md"]
    broken = [
        f"{page.relative_to(HOUSE)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert len(pages) > 10 and not broken, "\n".join(broken)


ARCHITECTURE = HOUSE / "docs" / "architecture.md"
PACKAGE = HOUSE / "memgpt_autogen"


def test_the_architecture_page_names_the_layers_that_are_checked() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    checked = re.search(
        r'name = "The arrows.*?layers = \[\n(.*?)\n\]', (HOUSE / "pyproject.toml").read_text(), re.DOTALL
    )
    assert checked
    layers = [{*re.findall(r"\w+", line)} for line in checked[1].splitlines()]
    told = [{*re.findall(r"`(\w+)`", row)} for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)]
    assert told == layers
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {room for room in rooms if not room.startswith("_")} == set().union(*told)


def test_every_module_that_the_architecture_page_names_exists() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", page)
    assert len(named) > 15
    missing = [name for name in named if not (PACKAGE / name).is_file()]
    assert not missing, f"docs/architecture.md names what is not there: {missing}"


def test_a_group_message_passes_at_most_nine_files() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    steps = re.findall(r"^(\d+)\. `(\S+\.py)`", page, re.MULTILINE)
    assert [int(number) for number, _ in steps] == [*range(1, len(steps) + 1)] and 1 < len(steps) <= 9


def small_modules() -> dict[str, list[str]]:
    """Modules of fewer than 40 lines, with the modules that import each; packages' own files aside."""
    files = {".".join(path.relative_to(HOUSE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    importers: dict[str, list[str]] = {name: [] for name in files}
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            start = name.split(".")[: -node.level] if node.level else []
            target = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            for wanted in {target, *(f"{target}.{alias.name}" for alias in node.names)} & files.keys():
                importers[wanted].append(name)
    return {
        "/".join(name.split(".")[1:]) + ".py": found
        for name, found in importers.items()
        if not files[name].stem.startswith("_") and len(files[name].read_text(encoding="utf-8").splitlines()) < 40
    }


def test_small_modules_have_several_importers_or_a_reason() -> None:
    apart = ARCHITECTURE.read_text(encoding="utf-8").rpartition("These stay apart:")[2]
    reasons = {*re.findall(r"`(\S+\.py)`(?=[,:])", apart)}
    alone = {name for name, importers in small_modules().items() if len({*importers}) == 1}
    assert alone == reasons


def test_files_and_functions_are_short_and_no_two_public_classes_share_a_name() -> None:
    long: list[str] = []
    classes: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(PACKAGE))
        tree = ast.parse(text)
        if len(text.splitlines()) > 350:
            long.append(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60:
                long.append(f"{name}: {node.name}")
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes.setdefault(node.name, []).append(name)
    assert len(classes) > 100 and not long
    assert not {name: files for name, files in classes.items() if len(files) > 1}
