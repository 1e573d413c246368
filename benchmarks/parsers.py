"""What it costs that PDF, HTML and office files are parsed in a process of their own: many small files, both ways.

    python benchmarks/parsers.py

300 small web pages and 300 PDFs of one page are read as the loaders read them and by the same parsers within this
process, block by block in turn; medians. The first file of each kind, with which the process starts and the parser is
imported, is told apart. Target: at most 1.5 times the time in this process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from memgpt_autogen.sources import html, isolated, pdf
from memgpt_autogen.sources.base import Document

FILES, BLOCK, TARGET = 300, 25, 1.5
PAGE = "<html><head><title>Page {0}</title></head><body><article><h1>Page {0}</h1>{1}</article></body></html>"
TEXT = "The keeper of lamp {0} climbs its steps every evening and writes the number {0} into the book of lamps. "


def write(folder: Path, kind: str) -> list[Path]:
    paths = [folder / f"{number}.{kind}" for number in range(FILES + 1)]
    for number, path in enumerate(paths):
        text = TEXT.format(number) * 20
        if kind == "html":
            path.write_text(PAGE.format(number, f"<p>{text}</p>"))
            continue
        from fpdf import FPDF

        made = FPDF()
        made.add_page()
        made.set_font("Helvetica", size=12)
        made.multi_cell(0, 7, text)
        made.output(str(path))
    return paths


def seconds(read: Callable[[Path], Iterable[Document]], path: Path) -> float:
    begun = time.perf_counter()
    list(read(path))
    return time.perf_counter() - begun


def main() -> None:
    here: dict[str, Callable[[Path], Iterable[Document]]] = {
        "html": lambda path: [html.read_html(path.read_bytes(), path.name)],
        "pdf": lambda path: pdf.read_pdf(path, path.name),
    }
    apart: dict[str, Callable[[Path], Iterable[Document]]] = {
        "html": lambda path: [isolated.read_html(path, path.name)],
        "pdf": lambda path: isolated.read_pdf(path, path.name),
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind in here:
            paths = write(Path(folder), kind)
            first_here, first_apart = seconds(here[kind], paths[0]), seconds(apart[kind], paths[0])
            rest: list[tuple[float, float]] = []
            for start in range(1, len(paths), BLOCK):
                block = paths[start : start + BLOCK]
                within = [seconds(here[kind], path) for path in block]
                rest += zip(within, [seconds(apart[kind], path) for path in block], strict=True)
            one, other = (1000 * statistics.median(times) for times in zip(*rest, strict=True))
            print(f"{kind:<5} {one:6.2f} ms a file in this process, {other:6.2f} ms in its own: ", end="")
            print(f"{other / one:.2f} times (target {TARGET});", end=" ")
            print(f"the first {first_here:.2f} and {first_apart:.2f} s")


if __name__ == "__main__":
    main()
