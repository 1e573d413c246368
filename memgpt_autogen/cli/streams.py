"""The program's standard streams: output in any encoding, piped input in whatever encoding it is."""

from __future__ import annotations

import codecs
import io
import sys
from typing import BinaryIO

from ..text_encoding import decoded

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def escape_what_cannot_be_shown() -> None:
    """Have standard output and error write a character that their encoding lacks as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class PipedInput:
    """Lines of a binary stream as text: without a byte order mark, in UTF-8, UTF-16, or the encoding that each shows.

    Args:
        raw: the stream.
        encoding: of the terminal; where it is not UTF-8, lines that are not UTF-8 are taken to be in it.
    """

    def __init__(self, raw: BinaryIO, encoding: str = "utf-8") -> None:
        self._raw = raw
        self._encoding = encoding
        self._wide: io.StringIO | None = None

    def readline(self) -> str:
        """The next line with its end; empty at the end of the input."""
        if self._wide:
            return self._wide.readline()
        line = self._raw.readline()
        if line.startswith(_WIDE):
            self._wide = io.StringIO(decoded(line + self._raw.read()))
            return self._wide.readline()
        return self._text(line)

    def read(self) -> str:
        """All the rest."""
        return self._wide.read() if self._wide else self._text(self._raw.read())

    def _text(self, data: bytes) -> str:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            other = codecs.lookup(self._encoding).name not in ("utf-8", "ascii")
            return data.decode(self._encoding, "replace") if other else decoded(data)


def standard_input() -> PipedInput:
    """What is piped in."""
    binary = getattr(sys.stdin, "buffer", None)
    return PipedInput(binary or io.BytesIO(sys.stdin.read().encode()), getattr(sys.stdin, "encoding", None) or "utf-8")
