"""Parses streams of JSON: server-sent events, or one value per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any


class IncompleteStream(Exception):
    """A stream ended before its final event."""


def values(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The JSON values of a stream of bytes. An ``error:`` event gives ``{"error": ...}``.

    Raises:
        IncompleteStream: a value was cut.
    """
    for line in _lines(chunks):
        name, _, data = line.partition(b":") if line[:1] != b"{" else (b"data", b"", line)
        if name not in (b"data", b"error") or not data.strip() or data.strip() == b"[DONE]":
            continue
        try:
            value = json.loads(data)
        except ValueError as error:
            raise IncompleteStream(f"a piece of the stream is not JSON: {data[:80]!r}") from error
        yield {"error": value} if name == b"error" else value


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split at line feeds only: JSON may have other line separators inside strings."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    yield rest
