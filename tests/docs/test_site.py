"""The documentation site: built strictly, every page in the navigation and in llms.txt, every message in the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import ROOT, pages

MENU = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
IN_MENU = re.findall(r": (\S+\.md)$", MENU, re.MULTILINE)
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "memgpt_autogen").rglob("*.py"))
#: What a message says here, and the name by which the code writes it.
PLACEHOLDERS = {"a web page": "{what}", "404": "{status}", "401": "{status}", "grammar": "%s", "300 s": "{"}
TROUBLE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation_once() -> None:
    there = [page.removeprefix("docs/") for page in pages() if page != "README.md"]
    assert sorted(IN_MENU) == sorted(there)


def test_llms_txt_names_every_page_with_a_line_about_it() -> None:
    listed = re.findall(
        r"^- \[.+\]\((\S+)\): .+$", (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == IN_MENU


@pytest.mark.parametrize("message", re.findall(r"^\| `(.+?)`(?=[ ,|])", TROUBLE, re.MULTILINE))
def test_a_message_that_is_explained_is_one_of_the_program_s(message: str) -> None:
    text = re.sub(r'"\s*(?:\)\s*)?\n\s*f?"', "", SOURCE)  # sentences that the code writes on several lines
    for said, name in PLACEHOLDERS.items():
        message = message.replace(said, name)
    assert all(part in text for part in re.split(r"http://\.\.\.|'\.\.\.'|\.\.\.", message) if part.strip(" '")), (
        message
    )


def test_the_site_is_built_strictly(tmp_path: Path) -> None:
    pytest.importorskip("zensical")
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "memgpt_autogen").symlink_to(ROOT / "memgpt_autogen")
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    for page in IN_MENU:
        assert (tmp_path / "site" / page.replace(".md", ".html")).is_file(), page
    reference = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    assert "create_agent" in reference and "AgentBusy" in reference
    assert (tmp_path / "site" / "llms.txt").is_file()
    assert not re.findall(r'(?:src|href)="https?://(?!arxiv|github|www\.sqlite)[^"]+\.(?:js|css)"', reference)
