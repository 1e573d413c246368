"""Documents from files: plain text and Markdown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from ..errors import SourceError
from .base import Document

logger = logging.getLogger(__name__)

SUFFIXES = (".txt", ".md", ".markdown", ".rst")


class DirectoryLoader:
    """Text files, or all text files of a folder.

    Args:
        path: a file or a folder.
        recursive: also the folders inside it.
    """

    def __init__(self, path: str | Path, *, recursive: bool = False) -> None:
        self._path = Path(path).expanduser()
        self._recursive = recursive

    def load(self) -> Iterator[Document]:
        """One document a file.

        Raises:
            SourceError: no such path, no text file in it, or nothing but empty ones.
        """
        found = False
        for path in self._files():
            text = _read(path)
            if text is None:
                logger.warning("%s is not text and was left out", path)
            elif text.strip():
                found = True
                name = path.name if path == self._path else path.relative_to(self._path).as_posix()
                yield Document(text, name)
            else:
                logger.warning("%s is empty and was left out", path)
        if not found:
            deeper = (
                "" if self._recursive or self._path.is_file() else " Folders inside it are read with recursive=True."
            )
            raise SourceError(f"There is no text in {self._path}. Kinds of files read: {', '.join(SUFFIXES)}.{deeper}")

    def _files(self) -> list[Path]:
        if self._path.is_file():
            if self._path.suffix.lower() not in SUFFIXES:
                raise SourceError(f"{self._path} is not a kind of file that is read: {', '.join(SUFFIXES)}.")
            return [self._path]
        if not self._path.is_dir():
            raise SourceError(f"There is no file or folder {self._path}. Check the path.")
        every = self._path.rglob("*") if self._recursive else self._path.glob("*")
        return sorted(path for path in every if path.is_file() and path.suffix.lower() in SUFFIXES)


def _read(path: Path) -> str | None:
    data = path.read_bytes()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        logger.warning("%s is not UTF-8; it was read as Windows-1252", path)
        return data.decode("cp1252", errors="replace")
