"""Parsers of PDF, HTML and office files in a process of their own: a document that takes all memory or never ends takes
only that process with it.

One process is used for document after document, by all threads in turn; it is started with the first and anew after one
that it did not survive. It runs a module of this package, not the program's main module: a script needs no guard.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import MissingDependency, SourceError
from .base import Document
from .zip_limits import check_zip

#: Seconds for a document of any size, more for each megabyte, and at most.
SECONDS, MORE_PER_MEGABYTE, MOST_SECONDS = 60.0, 10.0, 900.0
#: Bytes of memory beyond what the process has once its parser is loaded (on Linux); characters of one document's text.
MEMORY, MOST_TEXT = 1536 << 20, 20_000_000
#: Seconds between two looks at whether a document has had its time.
BETWEEN_LOOKS = 0.2
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {} import serve; serve()"


def read_pdf(file: Path | bytes, uri: str) -> Iterator[Document]:
    """As :func:`.pdf.read_pdf`, within limits of memory and time.

    Raises:
        SourceError: as that; or a limit was reached.
    """
    yield from _parsed("pdf", file, uri, ".pdf")


def read_html(file: Path | bytes, uri: str) -> Document:
    """As :func:`.html.read_html`; likewise."""
    return _parsed("html", file, uri, ".html")[0]


def read_office(path: Path, uri: str) -> Iterator[Document]:
    """As :func:`.office.read_office`; likewise.

    Raises:
        MissingDependency: markitdown is not installed.
    """
    if importlib.util.find_spec("markitdown") is None:
        raise MissingDependency(f"{uri}: {path.suffix} files are read by markitdown.", "memgpt-autogen[docs]")
    check_zip(path, uri)
    yield from _parsed("office", path, uri, path.suffix)


def _parsed(kind: str, file: Path | bytes, uri: str, suffix: str) -> Sequence[Document]:
    if isinstance(file, Path):
        return _process.parse(kind, file, uri)
    with tempfile.TemporaryDirectory(prefix="memgpt-") as folder:
        path = Path(folder, f"page{suffix}")
        path.write_bytes(file)
        return _process.parse(kind, path, uri)


class _Process:
    """The process, if it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._deadline, self._late = math.inf, False

    def parse(self, kind: str, path: Path, uri: str) -> list[Document]:
        """The documents in a file.

        Raises:
            SourceError: it cannot be read, or takes too much memory or time.
        """
        seconds = min(MOST_SECONDS, SECONDS + MORE_PER_MEGABYTE * path.stat().st_size / 1e6)
        request = {"kind": kind, "path": str(path.absolute()), "uri": uri, "seconds": seconds}
        request |= {"memory": MEMORY, "most_text": MOST_TEXT}
        with self._lock:
            try:
                reused = self._running is not None
                answers = self._ask(request, seconds)
                if not answers and reused:  # one that was idle may have ended just as it was asked
                    answers = self._ask(request, seconds)
            except BaseException:
                self.stop()
                raise
        last = answers[-1] if answers else {}
        if "error" in last:
            raise SourceError(str(last["error"]))
        if "done" not in last:
            raise _limit_reached(uri, last, seconds)
        return [Document(one["text"], uri, one["metadata"]) for one in answers[:-1]]

    def _ask(self, request: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
        """What was answered, to the end; without ``done`` or ``error`` in the last the process is gone."""
        process, answers = self._started(), list[dict[str, Any]]()
        self._deadline, self._late = time.monotonic() + seconds, False
        try:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                answers.append(json.loads(line))
                if not {"done", "error"}.isdisjoint(answers[-1]):
                    return answers
        except (BrokenPipeError, ConnectionError, ValueError, json.JSONDecodeError):
            pass
        finally:
            self._deadline = math.inf
        self.stop()
        return [*answers, {"late": True}] if self._late else answers

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process that is past its time. A thread for each request would cost more than a small file."""
        while process.poll() is None:
            if time.monotonic() > self._deadline:
                self._late = True
                process.kill()
            time.sleep(BETWEEN_LOOKS)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._running is None or self._running.poll() is not None:
            self.stop()
            path = [folder or str(Path.cwd()) for folder in sys.path]
            self._running = subprocess.Popen(
                [sys.executable, "-c", _BOOT.format(f"{__package__}.parser_process"), json.dumps(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            threading.Thread(target=self._watch, args=(self._running,), name="memgpt-parsers", daemon=True).start()
        return self._running

    def stop(self) -> None:
        """End the process, at once."""
        process, self._running = self._running, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def forget(self) -> None:
        """In a copy of this process: the parsers are the other's."""
        self._lock, self._running = threading.Lock(), None


def _limit_reached(uri: str, last: dict[str, Any], seconds: float) -> SourceError:
    todo = "Save what you need of it as text, and load that."
    if "late" in last:
        return SourceError(f"{uri} was not read within {seconds:.0f} seconds. {todo}")
    if "memory" in last:
        return SourceError(f"{uri} takes more memory than a document may. {todo}")
    return SourceError(f"{uri} could not be read: its parser ended, for lack of memory or by a fault. {todo}")


_process = _Process()
atexit.register(_process.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.forget)
