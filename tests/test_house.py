"""What holds for the repository as a whole."""

from __future__ import annotations

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


def test_the_page_on_the_house_names_every_room() -> None:
    told = (HOUSE / "docs" / "decisions" / "0001-the-house.md").read_text(encoding="utf-8")
    rooms = {path.stem for path in (HOUSE / "memgpt_autogen").iterdir() if path.is_dir() or path.suffix == ".py"}
    missing = [room for room in sorted(rooms) if not room.startswith("_") and f"`{room}`" not in told]
    assert len(rooms) > 20 and not missing, f"docs/decisions/0001-the-house.md does not say what these are: {missing}"
