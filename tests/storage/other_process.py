"""What another process sees: this one must not open a database by itself, since closing it would drop its locks."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python(code: str, *arguments: object, user: int | None = None) -> str:
    """What another process prints; as another user if asked, whom the package's files need not let in."""
    start = f"import sys; sys.path[:0] = {[str(ROOT), *sys.path]!r}\n"
    if user is not None:
        imports = "memgpt_autogen.exchange.agent_file, memgpt_autogen.storage.sqlite.store, numpy, pydantic"
        start += f"import os, filelock, {imports}\nos.setgid({user}); os.setuid({user})\n"
    asked = subprocess.run(
        [sys.executable, "-c", start + textwrap.dedent(code), *map(str, arguments)], capture_output=True, text=True
    )
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


def files_holding(folder: Path, pieces: Sequence[bytes]) -> list[str]:
    """Names of the files below a folder that hold one of these pieces, in whatever case."""
    code = """
        import pathlib
        pieces = [bytes.fromhex(line).lower() for line in sys.stdin.read().split()]
        for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
            if path.is_file():
                data = path.read_bytes().lower()
                if any(piece in data for piece in pieces):
                    print(path.name)
    """
    asked = subprocess.run(
        [sys.executable, "-c", "import sys\n" + textwrap.dedent(code), str(folder)],
        input="\n".join(piece.hex() for piece in pieces),
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.split("\n")[:-1]
