"""Real PDFs in a real group chat, on the model that comes along: the replies name file and page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from memgpt_autogen.llm.embedded import EmbeddedServer

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

TOWN = [
    f"# Chapter {number}\n\n{text}\n\n"
    for number, text in enumerate(
        (
            "The town of Ostrel lies on three hills. It has four gates and a market.",
            "The town hall was finished in 1622. Its bell is called Grey Anna and weighs 2,300 kilograms.",
            "Bread is baked at the mill of Hild Sorren. The mill stands beside the western gate.",
            "The library keeps nine thousand books. The librarian is Tomas Weck.",
            "Every household pays a chimney tax of eleven crowns. The tax is collected in November.",
        ),
        1,
    )
]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    for module in ("autogen", "fpdf"):
        pytest.importorskip(module)
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL", "BACKEND_TYPE", "MEMGPT_EMBEDDED_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    spec = importlib.util.spec_from_file_location("agent_docs", EXAMPLES / "agent_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.real_model
@pytest.mark.parametrize(
    ("text", "pages", "expected"),
    [
        pytest.param(
            (EXAMPLES / "island_railway.md").read_text(encoding="utf-8"),
            15,
            {
                "How many arches does the viaduct have?": ("seventeen", 8),
                "What does a violet lantern mean?": ("postman", 6),
                "What is the snow plough called?": ("Old Tusk", 12),
                "How long is the tunnel under Mount Skua?": ("1,940", 7),
                "What does a ticket for the whole line cost?": ("six crowns", 9),
            },
            marks=pytest.mark.long,
        ),
        (
            "".join(TOWN),
            5,
            {
                "Who is the librarian?": ("Tomas Weck", 4),
                "What is the bell called?": ("Grey Anna", 2),
                "When is the tax collected?": ("November", 5),
            },
        ),
    ],
    ids=["railway", "town"],
)
def test_a_pdf_is_asked_and_the_answers_name_file_and_page(
    embedded_server: EmbeddedServer,
    example: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    pages: int,
    expected: dict[str, tuple[str, int]],
) -> None:
    example.load(example.make_pdf(tmp_path / "book.pdf", text), "book")
    assert f"Loaded {pages} pages into " in capsys.readouterr().out
    answers = example.ask("book", [*expected])
    right = [
        word in answer and answer.endswith(f"[book.pdf, p. {page}]")
        for answer, (word, page) in zip(answers, expected.values(), strict=True)
    ]
    assert len(answers) == len(expected) and sum(right) >= len(right) - 1, answers
