"""Printed pages: what runs over all of them is left out, and sentences stay whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memgpt_autogen.library import Library
from memgpt_autogen.sources.pdf_pages import flowing, whole, without_leaders, without_running_lines
from memgpt_autogen.storage.records import Passage

BODIES = [
    f"Chapter {word} tells of a boat.\nIts colour is {word}." for word in ("red", "blue", "green", "grey", "teal")
]


@pytest.mark.parametrize(
    "form",
    [
        "The Boats of Ulmsund\n{body}\n{number}",
        "{number} The Boats of Ulmsund\n{body}",
        "Ulmsund Press\nThe Boats of Ulmsund    {number}\n{body}\nAll rights reserved",
        "{body}\nPage {number} of 5",
        "{body}\n- {number} -",
        "{body}",
    ],
)
def test_titles_and_page_numbers_are_left_out(form: str) -> None:
    pages = [form.format(body=body, number=number) for number, body in enumerate(BODIES, 1)]
    assert without_running_lines(pages) == BODIES


def test_what_only_resembles_a_running_line_stays() -> None:
    alike = [f"The keeper of lamp {number} climbs its steps.\nHe counts {number} steps." for number in range(9)]
    assert without_running_lines(alike) == alike
    chapters = [f"Chapter {number}\nText {number} x.\nSection 2, part {number}" for number in range(9)]
    assert without_running_lines(chapters) == chapters
    few = ["The same.\nOne.", "The same.\nTwo.", "The same.\nThree."]
    assert without_running_lines(few) == few
    some = [f"Part {'A' if number % 2 else number * 'x'}\nText {number} x." for number in range(8)]
    assert without_running_lines(some) == some
    alone = ["Only this line"] * 6
    assert without_running_lines(alone) == alone


@pytest.mark.parametrize(
    "line",
    [
        *(
            "Wheat paste ........ 12",
            "1.2 The mill . . . . . . . iv",
            "Licence..................... 101-104",
            "Glue…………7",
        ),
        *("...... 12", "Paste ‥‥‥‥ 3, 9"),
    ],
)
def test_lines_whose_dots_lead_to_a_page_are_left_out(line: str) -> None:
    assert without_leaders(f"Contents\n{line}\nThe end.") == "Contents\nThe end."


@pytest.mark.parametrize("line", ["And then... 12 men came", "Signature: ............", "Well... 3", "from 1.2.3.4 on"])
def test_other_lines_with_dots_stay(line: str) -> None:
    assert without_leaders(line) == line


def test_a_sentence_that_goes_on_overleaf_stands_whole_on_its_first_page() -> None:
    assert whole("The lamp is", "red and old. It is hot.") == "The lamp is red and old."
    assert whole("The lamp is an exam-", "ple of iron. It is hot.") == "The lamp is an example of iron."
    assert whole("The lamp is red.", "it is hot.") == "The lamp is red."
    assert whole("The lamp", "Chapter two. It is hot.") == "The lamp"
    assert whole("A list without", "an end " * 100) == "A list without"
    pages = ["Title\nThe lamp is\n1", "Title\nred and old. It\n2", "Title\nis hot.\n3", "Title\nThe end.\n4"]
    assert [*flowing(pages)] == ["The lamp is red and old.", "red and old. It is hot.", "is hot.", "The end."]


def test_a_pdf_with_running_lines_is_found_by_its_text(
    library: Library, folder: Path, passages: Callable[[str], list[Passage]]
) -> None:
    fpdf = pytest.importorskip("fpdf")

    class Book(fpdf.FPDF):  # type: ignore[misc, name-defined]
        def header(self) -> None:
            self.set_font("Helvetica", size=9)
            self.cell(0, 8, "The Boats of Ulmsund", new_x="LMARGIN", new_y="NEXT")

        def footer(self) -> None:
            self.set_y(-15)
            self.cell(0, 8, f"Page {self.page_no()}")

    pdf = Book()
    pdf.set_font("Helvetica", size=12)
    for body in BODIES:
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.multi_cell(0, 7, body.replace("\n", " "))
    pdf.output(str(folder / "boats.pdf"))
    library.load("s", "directory", input_dir=folder)
    found = passages("s")
    assert [(one.text, one.metadata["page"]) for one in found] == [
        (body.replace("\n", " "), number) for number, body in enumerate(BODIES, 1)
    ]
