"""The home folder, and files that only their owner can read."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError

#: The file of the home folder that keeps what was typed in the terminal.
HISTORY = "history"


def home_folder(environ: Mapping[str, str]) -> tuple[Path, str]:
    """The home folder, and what determined it: ``MEMGPT_HOME``, ``default`` or ``XDG_DATA_HOME``.

    ``MEMGPT_HOME``; else ``~/.memgpt`` if it exists; else ``$XDG_DATA_HOME/memgpt`` if that variable is an absolute
    path (https://specifications.freedesktop.org/basedir-spec says to ignore a relative one); else ``~/.memgpt``.
    """
    if environ.get("MEMGPT_HOME"):
        return Path(environ["MEMGPT_HOME"]).expanduser(), "MEMGPT_HOME"
    usual = Path.home() / ".memgpt"
    data = environ.get("XDG_DATA_HOME", "")
    if data and Path(data).is_absolute() and not usual.exists():
        return Path(data) / "memgpt", "XDG_DATA_HOME"
    return usual, "default"


def make_folder(folder: Path) -> Path:
    """Create a folder with mode 0700 unless it exists.

    Raises:
        ConfigError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"Cannot create the folder {folder}: {error.strerror}. Set MEMGPT_HOME to one you may write to."
        ) from error
    return folder


def write_private(path: Path, text: str) -> None:
    """Write a text to a file of mode 0600, atomically.

    Raises:
        ConfigError: it cannot be written.
    """
    make_folder(path.parent)
    new = ""
    try:
        handle, new = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp's files are 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(new).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(new).unlink()
        raise ConfigError(f"Cannot write {path}: {error.strerror}. Fix its permissions or set MEMGPT_HOME.") from error


def open_to_others(path: Path) -> bool:
    """Whether other users of this machine can read a file or enter a folder. On Windows always False."""
    return os.name != "nt" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
