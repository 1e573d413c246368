"""The process in which documents are parsed that could take all memory and time: the side that does the work.

It reads requests from standard input and writes what it found to standard output, each as a line of JSON. It holds
itself to a limit of memory and, where the parent is gone, of time; it ends when it is told nothing for a while.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import MemGPTError
from .base import Document
from .html import read_html
from .office import read_office
from .pdf import read_pdf

#: Seconds without a request after which the process ends.
IDLE = 60.0


def _html(path: Path, uri: str) -> Iterator[Document]:
    yield read_html(path.read_bytes(), uri)


_READERS = {"html": _html, "office": read_office, "pdf": read_pdf}


def serve() -> None:
    """Answer requests until there are no more."""
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # parsers print
    limits: dict[tuple[str, int], int] = {}
    while _is_told_something(requests):
        line = requests.readline()
        if not line:
            return
        request = json.loads(line)
        limit = _limit_for(request, limits)
        for answer in _answered(request):
            if "error" in answer and _was_reached(limit, request["memory"]):
                answer = {"memory": True}  # parsers take that for a damaged file, or for an empty one
            answers.write(json.dumps(answer, default=str).encode("ascii") + b"\n")  # lone surrogates are escaped
            if "memory" in answer:
                answers.flush()
                return  # what is left of this process is not to be relied on
        answers.flush()


def _answered(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The documents, and ``done``, ``error`` or ``memory`` at the end."""
    try:
        yield from _documents(request)
    except MemoryError:
        yield {"memory": True}
    except RecursionError:
        yield {"error": f"{request['uri']} cannot be read: it is nested too deep."}
    except MemGPTError as error:
        yield {"error": str(error)}
    except Exception as error:  # whatever the parsers raise
        told = " ".join(str(error).split())[:200]
        yield {"error": f"{request['uri']} cannot be read: {type(error).__name__}: {told}."}


def _documents(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    seen = 0
    for document in _READERS[request["kind"]](Path(request["path"]), request["uri"]):
        seen += len(document.text)
        if seen > request["most_text"]:
            raise MemoryError
        yield {"text": document.text, "metadata": dict(document.metadata)}
    yield {"done": True}


def _limit_for(request: dict[str, Any], limits: dict[tuple[str, int], int]) -> int:
    """Limit time for this request, and memory with the first one for each parser; bytes, 0: no limit."""
    _limit_time(request["seconds"])
    key = (request["kind"], request["memory"])
    if key not in limits:
        _limit_memory(1 << 40)  # the parser's own code does not count
        _load(request["kind"])
        limits.clear()
        limits[key] = _limit_memory(request["memory"])
    return limits[key]


def _is_told_something(requests: IO[bytes]) -> bool:
    if os.name == "nt":
        return True  # pipes cannot be waited for there; the parent's end ends this process
    return bool(select.select([requests], [], [], IDLE)[0])


def _load(kind: str) -> None:
    """Import a parser before memory is measured and limited."""
    if kind == "html":
        import trafilatura  # noqa: F401
    elif kind == "office":
        import markitdown  # noqa: F401
    else:
        import pypdfium2  # noqa: F401


def _limit_time(seconds: float) -> None:
    """Hold this process to so much processor time beyond what it has taken, also where the parent is gone."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 1)


def _limit_memory(memory: int) -> int:
    """Hold this process to so much memory beyond what it has taken; bytes, 0: no limit."""
    size = _kilobytes("VmSize")
    if not size:
        return 0  # not Linux; elsewhere the limit counts what was never used
    import resource

    _lower(resource.RLIMIT_AS, size * 1024 + memory)
    return size * 1024 + memory


def _was_reached(limit: int, memory: int) -> bool:
    """Whether the limit of memory was (nearly) reached: what was refused was larger than what was left."""
    return bool(limit) and _kilobytes("VmPeak") * 1024 > limit - memory // 4


def _kilobytes(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
    except (OSError, ValueError, StopIteration):
        return 0


def _lower(kind: int, limit: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
