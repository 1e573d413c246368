"""The notebooks: without outputs in the repository, and run from end to end on the model that comes along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

HOUSE = Path(__file__).resolve().parent.parent
NOTEBOOKS = HOUSE / "notebooks"
_COLOURS = re.compile(r"\x1b\[\d*m")
SETTINGS = ("OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL", "BACKEND_TYPE", "MEMGPT_EMBEDDED_MODEL")


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_explains_itself(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == "markdown" and notebook.cells[0].source.startswith("# ")
    assert not any(kinds[index : index + 2] == ["code", "code"] for index in range(len(kinds))), "say what it does"
    assert not any(cell.outputs or cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for module in ("autogen", "fpdf", "ipykernel"):
        pytest.importorskip(module)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def execute(name: str) -> list[str]:
        """What each cell with code printed."""
        notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
        nbclient.NotebookClient(
            notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
        ).execute()
        assert (tmp_path / "home" / "memgpt.db").is_file()
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        return [_COLOURS.sub("", "".join(one.get("text", "") for one in cell.outputs)) for cell in cells]

    return execute


@pytest.mark.real_model
@pytest.mark.notebooks
def test_a_pdf_is_asked(run: Any) -> None:
    shown = run("agent_docs.ipynb")
    loaded = next(index for index, text in enumerate(shown) if text.startswith("Loaded 15 pages into "))
    assert shown[loaded + 1].startswith("Nothing has changed: 1 file as before.")
    answers = [line for line in shown[-1].splitlines() if line.startswith("Librarian: ")]
    expected = (("seventeen", "[island_railway.pdf, p. 8]"), ("postman", "p. 6]"), ("Old Tusk", "p. 12]"))
    right = [all(word in answer for word in words) for answer, words in zip(answers, expected, strict=True)]
    assert sum(right) >= len(right) - 1, answers


@pytest.mark.real_model
@pytest.mark.notebooks
def test_a_coder_remembers(run: Any) -> None:
    shown = run("memgpt_coder.ipynb")
    chat, memory, found, tomorrow = shown[-4:]
    assert "MemGPT_coder (to chat_manager):" in chat
    assert "<persona" in memory and memory.endswith(" messages in the log\n")
    assert "My favourite number is 4181." in found
    assert tomorrow.startswith(memory.splitlines()[-1]), "it is the same agent, with the same log"
    assert tomorrow.partition("MemGPT_coder (to User_proxy):")[2].strip()
