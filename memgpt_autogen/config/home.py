"""The home folder: where it is, and files in it that are their owner's alone."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError


def home_folder(environ: Mapping[str, str]) -> tuple[Path, str]:
    """The home folder and what named it: ``MEMGPT_HOME``, ``default`` or ``XDG_DATA_HOME``.

    ``MEMGPT_HOME``; else ``~/.memgpt`` if it is there; else ``$XDG_DATA_HOME/memgpt`` where that variable is set to an
    absolute path (https://specifications.freedesktop.org/basedir-spec: a relative one is to be ignored); else
    ``~/.memgpt``.
    """
    if environ.get("MEMGPT_HOME"):
        return Path(environ["MEMGPT_HOME"]).expanduser(), "MEMGPT_HOME"
    usual = Path.home() / ".memgpt"
    data = environ.get("XDG_DATA_HOME", "")
    if data and Path(data).is_absolute() and not usual.exists():
        return Path(data) / "memgpt", "XDG_DATA_HOME"
    return usual, "default"


def make_folder(folder: Path) -> Path:
    """Create a folder, for its owner only, if it is not there.

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
    """Put a text into a file of mode 0600: all of it or, if anything fails, nothing.

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
        raise ConfigError(f"Cannot write {path}: {error.strerror}. Mend its permissions or set MEMGPT_HOME.") from error


def open_to_others(path: Path) -> bool:
    """Whether other users of this machine may read a file or enter a folder. Windows keeps them out by other means."""
    return os.name != "nt" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
