"""Loads files: text, Markdown, PDF and HTML; with the extra ``docs`` Word, PowerPoint, Excel and EPUB."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from ..errors import MemGPTError, SourceError
from ..text_encoding import decoded
from .base import Document, Entry
from .isolated import read_html, read_office, read_pdf
from .text import read_text

TEXT = (".txt", ".text", ".md", ".markdown", ".rst", ".log", ".csv", ".tsv", ".json", ".tex")
HTML = (".html", ".htm", ".xhtml")
OFFICE = (".docx", ".pptx", ".xlsx", ".epub")
SUFFIXES = (*TEXT, ".pdf", *HTML, *OFFICE)

#: An HTML file that is larger is refused: its parser takes many times as much memory.
MOST_HTML = 25 * 1024 * 1024


class DirectoryLoader:
    """Files, or all files of supported types in a folder.

    Args:
        input_dir: a folder (or one file).
        input_files: files by name; each must be readable. Unreadable files of a folder are skipped with a note.
        recursive: include subfolders, except hidden ones.
        exclude: patterns of names or relative paths to skip, such as ``*.log`` or ``old/*``.

    Attributes:
        notes: remarks for the user; added as files are read.
        total: the number of files, once known.
    """

    unit = "file"

    def __init__(
        self,
        input_dir: str | Path | None = None,
        *,
        input_files: Sequence[str | Path] | str | Path = (),
        recursive: bool = False,
        exclude: Sequence[str] | str = (),
    ) -> None:
        files = [input_files] if isinstance(input_files, (str, Path)) else list(input_files)
        self._files = [Path(file).expanduser() for file in files]
        self._folder = Path(input_dir).expanduser() if input_dir is not None else None
        if self._folder is not None and self._folder.is_file():
            self._files.append(self._folder)
            self._folder = None
        if self._folder is None and not self._files:
            raise SourceError("Nothing is named to load. Name a folder (input_dir) or files (input_files).")
        self._recursive = recursive
        self._exclude = [exclude] if isinstance(exclude, str) else list(exclude)
        self.notes: list[str] = []
        self.total = 0

    def load(self) -> Iterator[Document]:
        """The pages of PDFs and presentations, the pieces of other files.

        Raises:
            SourceError: no such path, a file of another kind, one that cannot be read, or no file in the folder.
        """
        for entry in self.entries():
            yield from entry.read()

    def entries(self) -> Iterator[Entry]:
        """The files. The digest is that of the bytes.

        Raises:
            SourceError: as for :meth:`load`.
        """
        self.notes.clear()
        listed = list(self._listed())
        self.total = len(listed)
        for path, uri, named in listed:
            yield Entry(uri, _digest(path), partial(self._read, path, uri), required=named)
        if not listed:
            deeper = "" if self._recursive else " Folders inside it are read with recursive (--recursive)."
            raise SourceError(
                f"There is no file to read in {self._folder}. Kinds of files read: {', '.join(SUFFIXES)}.{deeper}"
            )

    def _listed(self) -> Iterator[tuple[Path, str, bool]]:
        """Each file, its name for readers, and whether it was named explicitly."""
        names = Counter(file.name for file in self._files)
        for file in self._files:
            if file.is_dir():
                raise SourceError(f"{file} is a folder. Name it as the folder (input_dir, --input-dir).")
            if not file.is_file():
                if file.exists():
                    raise SourceError(f"{file} is not a regular file, and is not read.")
                raise SourceError(f"There is no file {file}. Check the path.")
            if file.suffix.lower() not in SUFFIXES:
                raise SourceError(f"{file} is not a kind of file that is read: {', '.join(SUFFIXES)}.")
            yield file, readable(file.name if names[file.name] == 1 else file.as_posix()), True
        if self._folder is None:
            return
        if not self._folder.is_dir():
            raise SourceError(f"There is no file or folder {self._folder}. Check the path.")
        others: Counter[str] = Counter()
        root, outside = self._folder.resolve(), 0
        for path in self._walked(self._folder):
            uri = readable(path.relative_to(self._folder).as_posix())
            if any(fnmatch(uri, pattern) or fnmatch(path.name, pattern) for pattern in self._exclude):
                continue
            if path.exists() and not path.is_file():  # reading a pipe, socket or device would block
                self.notes.append(f"{uri} was left out: it is not a regular file.")
            elif path.suffix.lower() in SUFFIXES and not path.resolve().is_relative_to(root):
                outside += 1
            elif path.suffix.lower() in SUFFIXES:
                yield path, uri, False
            else:
                others[path.suffix.lower() or path.name] += 1
        if outside:
            self.notes.append(
                f"{outside} link{'s' * (outside > 1)} out of the folder left out. Name the files to load."
            )
        if others:
            kinds = ", ".join(sorted(others)[:5]) + (", ..." if len(others) > 5 else "")
            many = sum(others.values())
            self.notes.append(f"{many} file{'s' * (many > 1)} of other kinds left out ({kinds}).")

    def _walked(self, folder: Path) -> Iterator[Path]:
        for place, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith(".")) if self._recursive else []
            yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))

    def _read(self, path: Path, uri: str) -> Iterator[Document]:
        suffix = path.suffix.lower()
        try:
            if suffix == ".pdf":
                yield from read_pdf(path, uri)
            elif suffix in HTML:
                if path.stat().st_size > MOST_HTML:
                    raise SourceError(f"{uri} is larger than {MOST_HTML >> 20} MB. Save its text as .txt.")
                yield read_html(path, uri)
            elif suffix in OFFICE:
                yield from read_office(path, uri)
            else:
                yield from read_text(path, uri, self.notes.append)
        except MemGPTError:
            raise
        except OSError as error:
            raise SourceError(f"{uri} cannot be read: {error.strerror or error}.") from error
        except Exception as error:  # parsers raise anything; one file must not fail a folder
            raise SourceError(f"{uri} cannot be read: {type(error).__name__}: {error}.") from error


def readable(name: str) -> str:
    """A file's name as text; one that is not UTF-8 is read as its bytes may be meant."""
    return decoded(os.fsencode(name)) if any("\ud800" <= sign <= "\udfff" for sign in name) else name


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""  # reading it says why it cannot be read
    return digest.hexdigest()
