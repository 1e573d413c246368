"""Optional functions: files under one folder, requests to named hosts. An agent has them only if they are passed to it.

memgpt.create_agent({"name": "sam"}, tools=[*file_tools("notes/"), *http_tools(["api.example.com"])])
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection
from pathlib import Path
from typing import IO

from ..errors import ConfigError, ToolError
from ..memory.results import quoted
from ..printable import label
from ..storage.files import in_use
from .registry import Tool
from .schema import Signature

#: The most characters of a result; the window cuts further if necessary.
ANSWER = 20_000
#: Seconds for one request.
TIMEOUT = 30.0
#: The most bytes of a file that are read, for the requested lines and the count of the rest.
MOST_READ = 16 * 1024 * 1024


def file_tools(root: str | Path) -> list[Tool]:
    """``read_from_text_file`` and ``append_to_text_file``, for files under one folder and no others.

    Raises:
        ConfigError: there is no such folder.
    """
    folder = _Folder(root)

    def read_from_text_file(filename: str, line_start: int = 1, num_lines: int = 100) -> str:
        """Read lines of a text file.

        Args:
            filename: Under your folder.
            line_start: 1 is the first.
        """
        if line_start < 1 or num_lines < 1:
            raise ToolError("line_start and num_lines start at 1.")
        try:
            with folder.opened(filename, os.O_RDONLY) as file:
                shown, total, whole = _lines(file, line_start, num_lines)
        except FileNotFoundError:
            raise ToolError(f"There is no file {filename!r}. Files: {', '.join(folder.files()) or 'none'}.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ToolError(f"{filename!r} cannot be read as text: {error}") from error
        of = str(total) if whole else f"more than {total}"
        if not shown:
            return f"It has {of} lines."
        last = line_start + shown.count("\n")
        return f"Lines {line_start}-{last} of {of}, {quoted(shown)}"

    def append_to_text_file(filename: str, content: str) -> str:
        """Add text at the end of a file, which is made if it is not there.

        Args:
            filename: Under your folder.
        """
        data = (content if content.endswith("\n") else content + "\n").encode("utf-8", "replace")
        try:
            folder.inside(filename).parent.mkdir(parents=True, exist_ok=True)
            with folder.opened(filename, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
                file.write(data)
        except OSError as error:
            raise ToolError(f"{filename!r} cannot be written: {error.strerror}") from error
        return f"Added {len(content)} characters to {filename}."

    return [
        Tool(Signature(read_from_text_file), read_from_text_file, again=True),
        Tool(Signature(append_to_text_file), append_to_text_file),
    ]


class _Folder:
    """The folder whose files an agent may use."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root).expanduser().resolve()
        if not self._root.is_dir():
            raise ConfigError(f"There is no folder {self._root} for the agent's files. Create it, or name another.")

    def files(self) -> list[str]:
        """The names of the files in it."""
        return sorted(label(one.name) for one in self._root.iterdir() if one.is_file())

    def inside(self, filename: str) -> Path:
        """The path of a file in it.

        Raises:
            ToolError: it leads elsewhere, or to the agent's own memory.
        """
        path = (self._root / filename).resolve()  # resolves links, so that none leads outside
        if not path.is_relative_to(self._root) or path == self._root:
            raise ToolError(f"{filename!r} is not a file under the folder that you may use.")
        if in_use(path):
            raise ToolError(f"{filename!r} is the database that holds your own memory: search that instead.")
        return path

    def opened(self, filename: str, flags: int) -> IO[bytes]:
        """A file in it that has no hard link elsewhere.

        Raises:
            ToolError: as :meth:`inside`; or it has another name, or is no file.
            OSError: it cannot be opened.
        """
        path = self.inside(filename)
        # A link put in the file's place meanwhile is not followed, and what is no file does not make anybody wait.
        handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
            os.close(handle)
            raise ToolError(f"{filename!r} is not a file of this folder alone: it has another name elsewhere.")
        return os.fdopen(handle, "rb" if flags == os.O_RDONLY else "ab")


def http_tools(hosts: Collection[str]) -> list[Tool]:
    """``http_request``, for named hosts and no others. Redirects are not followed: they could lead elsewhere.

    Args:
        hosts: host names, or ``host:port``, exactly as they stand in an address.

    Raises:
        ConfigError: no host is named.
    """
    allowed = {host.lower() for host in hosts}
    if not allowed:
        raise ConfigError("Name the hosts that the agent may send requests to.")

    def http_request(method: str, url: str, payload_json: str = "") -> str:
        """Send an HTTP request.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            payload_json: The body, as JSON text.
        """
        import httpx

        try:
            place = httpx.URL(url)  # parsed as httpx parses it, so that both see the same host
            named = {place.netloc.decode("ascii").lower(), place.host}
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise ToolError(f"{url!r} is not an address.") from None
        if place.scheme not in ("http", "https") or not named & allowed:
            raise ToolError(f"Requests may go to {', '.join(sorted(allowed))}, not to {url!r}.")
        if method.upper() not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            raise ToolError(f"{method!r} is not a method that may be used.")
        headers = {"accept-encoding": "identity", **({"content-type": "application/json"} if payload_json else {})}
        body, end = bytearray(), time.monotonic() + TIMEOUT
        try:
            sent = payload_json.encode("utf-8", "replace") or None
            with httpx.stream(method.upper(), place, content=sent, headers=headers, timeout=TIMEOUT) as answer:
                for block in answer.iter_raw():
                    body += block
                    if len(body) > 4 * ANSWER or time.monotonic() > end:
                        break
        except httpx.HTTPError as error:
            raise ToolError(f"{url} did not answer: {str(error) or type(error).__name__}") from error
        text = bytes(body).decode(answer.charset_encoding or "utf-8", "replace")
        return f"{answer.status_code} {label(answer.reason_phrase)}, {quoted(text[:ANSWER])}"

    return [Tool(Signature(http_request), http_request, again=True)]


def _lines(file: IO[bytes], first: int, many: int) -> tuple[str, int, bool]:
    """These lines, at most :data:`ANSWER` characters of them; how many lines were seen, and whether those are all.

    A file of any size, and of lines of any length, takes no more memory than what is shown.

    Raises:
        UnicodeDecodeError: they are not text.
    """
    shown, number, read, begun = bytearray(), 1, 0, False
    while block := file.readline(1 << 16):
        begun, read = True, read + len(block)
        if first <= number < first + many and len(shown) <= 4 * ANSWER:
            shown += block
        if block.endswith(b"\n"):
            number, begun = number + 1, False
        if read > MOST_READ:
            break
    cut = len(shown) > 4 * ANSWER
    text = bytes(shown).decode("utf-8", "ignore" if cut else "strict").replace("\r\n", "\n").removesuffix("\n")
    return text[:ANSWER], number - (not begun), not block
