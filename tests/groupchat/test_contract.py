"""The table in docs/autogen.md is of the tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .contract import BEGIN, END, ROWS, marked

pytestmark = pytest.mark.groupchat

PAGE = Path(__file__).resolve().parents[2] / "docs" / "autogen.md"


def test_every_row_has_a_test_and_every_mark_a_row() -> None:
    assert {row for row, tests in marked().items() if tests} == set(ROWS)


def test_the_page_names_the_tests_that_there_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    written = text[text.index(BEGIN) : text.index(END)]
    listed = {
        found.group(1): set(re.findall(r"`([^`]+)`", line.rpartition("|")[0].rpartition("|")[2]))
        for line in written.splitlines()
        if (found := re.match(r"\| \*\*(.+?)\*\*: ", line))
    }
    assert listed == {row: tests for row, tests in marked().items() if tests}, "run: make contract-table"
    assert "| fails |" not in written


@pytest.mark.parametrize(
    ("title", "least"), [("What differs from AssistantAgent", 15), ("AutoGen's own capabilities and agents", 8)]
)
def test_every_line_of_these_tables_is_held_by_tests(title: str, least: int) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "Held by" not in line]
    assert len(rows) >= least
    for row in rows:
        held = re.findall(r"`(test_\w+\.py)::(test_\w+)`", row.rpartition("|")[0].rpartition("|")[2])
        assert held, f"no test holds: {row}"
        for file, name in held:
            assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8"), f"{file} has no {name}"
