"""Every code block of README.md and docs/ runs as it is pasted, with no key, on the model that comes along."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("autogen")
pytest.importorskip("xllamacpp")

from memgpt_autogen.llm.embedded import find_model, shared_server

from .blocks import ROOT, Reader, blocks, pages

#: Pages whose blocks are run by a test of their own, on scripted replies.
ELSEWHERE = {"docs/client.md": "tests/test_client_docs.py", "docs/agentchat.md": "tests/agentchat/test_docs.py"}


@pytest.fixture(scope="module", autouse=True)
def server() -> None:
    """One model server for all pages, started before the first; stopped at the end of the process."""
    shared_server(find_model({}), 4096)


@pytest.mark.real_model
@pytest.mark.slow
@pytest.mark.timeout(900)  # some turns of a model, beside other tests on few cores
@pytest.mark.parametrize("page", pages())
def test_every_block_runs(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_", "BACKEND_TYPE", "MEMGPT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("BACKEND_TYPE", "")  # an exported setting is taken back afterwards
    for name in ("OPENAI_API_BASE", "MEMGPT_VECTORS", "OPENAI_MODEL", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path)
    for block in blocks(page):
        how = ELSEWHERE[page] if page in ELSEWHERE and block.language == "python" else reader.take(block)
        record_property("documentation", f"{block}: {how}")
