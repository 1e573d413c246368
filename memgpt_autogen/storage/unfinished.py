"""Files that are being written beside their targets, and what a killed process left of them.

Each is noted in a folder of the store while it is written, and the note is locked, so that the next opening can tell a
file that nobody writes any more and remove it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConfigError

_NOTE, _PART = "writing-", ".part"


@contextmanager
def writing(target: Path, notes: Path | None) -> Iterator[Path]:
    """A new file of mode 0600 beside a target, whose place it takes when the block ends without an error.

    Args:
        target: what is to be written; a link of that name is replaced, not followed.
        notes: the folder in which it is noted meanwhile; None, or one that cannot be written: nowhere.

    Raises:
        ConfigError: there is no writing there.
    """
    if target.exists() and not target.is_file():  # such as /dev/null, which root could replace
        raise ConfigError(f"Cannot write {target}: it is not a regular file. Name a file.")
    part: Path | None = None
    try:
        with _noted(target, notes) as note:
            try:
                handle, made = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_PART, dir=target.parent)
                part = Path(made)
                os.close(handle)  # new, and so open nowhere else
                if note is not None:
                    note.write_text(json.dumps(str(part.absolute())), encoding="utf-8")
                yield part
                part.replace(target)
            finally:
                if part is not None:
                    part.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Cannot write {target}: {error.strerror}. Name a file in a folder that you may write to."
        ) from error


@contextmanager
def _noted(target: Path, notes: Path | None) -> Iterator[Path | None]:
    from filelock import FileLock

    if notes is None or not os.access(notes if notes.exists() else notes.parent, os.W_OK | os.X_OK):
        yield None
        return
    notes.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = hashlib.sha256(f"{target.absolute()} {os.getpid()} {os.urandom(8).hex()}".encode()).hexdigest()[:16]
    note = notes / f"{_NOTE}{name}.json"
    lock = FileLock(note.with_suffix(".lock"), mode=0o600)
    try:
        with lock:
            note.touch(mode=0o600, exist_ok=False)
            yield note
    finally:
        note.unlink(missing_ok=True)
        Path(lock.lock_file).unlink(missing_ok=True)


def left_over(notes: Path) -> list[Path]:
    """Files that a killed process began. They are not needed any more."""
    return [part for _, part in _left(notes) if part is not None]


def sweep(notes: Path) -> list[Path]:
    """Remove such files; which they were."""
    gone = []
    for note, part in _left(notes):
        if part is not None:
            part.unlink(missing_ok=True)
            gone.append(part)
        note.unlink(missing_ok=True)
        note.with_suffix(".lock").unlink(missing_ok=True)
    return gone


def _left(notes: Path) -> Iterator[tuple[Path, Path | None]]:
    """Notes that nobody holds, and the file of each if it is there."""
    from filelock import FileLock, Timeout

    for note in sorted(notes.glob(f"{_NOTE}*.json")):
        with contextlib.suppress(Timeout, OSError, ValueError), FileLock(note.with_suffix(".lock"), timeout=0):
            part = Path(json.loads(note.read_text(encoding="utf-8") or '""'))
            # Only what we make is removed: a hidden file of this ending that is no link.
            ours = part.name.startswith(".") and part.suffix == _PART and part.is_file() and not part.is_symlink()
            yield note, part if ours else None
