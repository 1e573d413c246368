"""The database file as a file: made, checked and kept private by its path, never by opening it.

SQLite's locks are POSIX record locks, and a process loses all its locks on a file when it closes any descriptor of
that file (https://www.sqlite.org/howtocorrupt.html, section 2.2). Another process may then delete the write-ahead log
under it. So nothing but SQLite opens a database that may be open in this process.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreError

#: Guards the moment in which a new file is made, so that no other thread has opened it by then.
_creating = threading.Lock()
#: Databases that this process has open, and how often.
_open: Counter[Path] = Counter()
#: What SQLite writes beside a database.
BESIDE = ("-wal", "-shm", "-journal")


def prepare(path: Path, *, read_only: bool = False) -> bool:
    """Make the file if it is not there, for its owner only, and take the rights of others away.

    Returns:
        Whether it can be written.

    Raises:
        StoreError: it is not there and ``read_only``; it is not a regular file; it cannot be made or reached.
    """
    try:
        with _creating:
            if not path.exists():
                if read_only:
                    raise StoreError(f"There is no database {path}. Set MEMGPT_HOME to the folder that holds it.")
                _create(path)
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a regular file"
            raise StoreError(f"{path} is {what}, not a database. Move it away, or set MEMGPT_HOME to another folder.")
    except OSError as error:
        raise StoreError(
            f"Cannot open the database {path}: {error.strerror}. Set MEMGPT_HOME to a folder that you may use."
        ) from error
    for file in (path, *beside(path)):
        tighten(file)
    # SQLite needs the folder too: its write-ahead log stands there.
    return not read_only and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):  # another process was first
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def beside(path: Path) -> Iterator[Path]:
    """The files of SQLite that are there beside a database."""
    for ending in BESIDE:
        file = path.with_name(path.name + ending)
        if file.is_file():
            yield file


def opened(path: Path) -> None:
    """Remember that this process has a database open."""
    _open[path.absolute()] += 1


def closed(path: Path) -> None:
    """The opposite of :func:`opened`."""
    _open[path.absolute()] -= 1


def in_use(path: Path) -> bool:
    """Whether a path is that of a database which this process has open, or of a file beside it: leave it alone."""
    with contextlib.suppress(OSError):
        mine = path.stat()
        for database in [one for one, times in _open.items() if times > 0]:
            for file in (database, *beside(database)):
                with contextlib.suppress(OSError):
                    if os.path.samestat(mine, file.stat()):
                        return True
    return False


def tighten(path: Path) -> None:
    """Take the rights of others from a file or folder. A link, and what belongs to another user, is left as it is."""
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if os.name != "nt" and not stat.S_ISLNK(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & 0o700)
