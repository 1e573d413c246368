"""Types a chat into a real terminal and draws what stood on its screen: docs/images/*.svg.

    python examples/screenshots.py chat "My name is Ann." /memory /pop

The model is the one that OPENAI_API_BASE and BACKEND_TYPE name, or the small one that comes as a package. Each line is
sent once the answer to the one before has come. Needs the development requirements (pexpect, pyte) and a Unix terminal.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.cli.typed import Terminal  # noqa: E402

COLOURS = {"default": None, "brown": "yellow", "brightblack": "grey50", "brightwhite": "bright_white"}


def style_of(character: object) -> Style:
    """The style of a cell. The screen does not know dim text: what is slanted is dim here."""
    colour = COLOURS.get(character.fg, character.fg)  # type: ignore[attr-defined]
    if colour and re.fullmatch("[0-9a-f]{6}", colour):
        colour = f"#{colour}"
    slanted = character.italics  # type: ignore[attr-defined]
    return Style(color="grey62" if slanted else colour, bold=character.bold, italic=slanted)  # type: ignore[attr-defined]


def drawn(terminal: Terminal, title: str) -> str:
    """The screen as SVG, with whatever fonts the reader has."""
    screen = terminal.screen
    rows = [*screen.history.top, *(screen.buffer[y] for y in range(screen.lines))]
    text = Text()
    for row in rows:
        cells = [row[x] for x in range(screen.columns)]
        for style, run in groupby(cells, style_of):
            text.append("".join(cell.data for cell in run), style)
        text.rstrip()
        text.append("\n")
    text.rstrip()
    console = Console(
        record=True, width=screen.columns, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(text)
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title=title), flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="the picture's name")
    parser.add_argument("lines", nargs="+", help="what is typed")
    parser.add_argument("--options", default="--agent sam", help="of memgpt run")
    parser.add_argument("--columns", type=int, default=80)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environ = {
            name: value for name, value in os.environ.items() if name.startswith(("OPENAI_", "BACKEND_", "MEMGPT_"))
        }
        environ["MEMGPT_HOME"] = home
        options = given.options.split()
        chat = Terminal("run", *options, home=Path(home), environ=environ, columns=given.columns, patience=300)
        for line in given.lines:
            chat.type(line)
        chat.type("/exit", "Saved.")
        chat.end()
    path = ROOT / "docs" / "images" / f"{given.name}.svg"
    path.parent.mkdir(exist_ok=True)
    path.write_text(drawn(chat, f"memgpt run {given.options}"), encoding="utf-8")
    print(chat.text)


if __name__ == "__main__":
    main()
