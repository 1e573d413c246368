"""Functions that reach outside memory: files under one folder, requests to named hosts. Off unless handed to an agent.

memgpt.create_agent({"name": "sam"}, tools=[*file_tools("notes/"), *http_tools(["api.example.com"])])
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import ConfigError, ToolError
from ..storage.files import in_use
from .registry import Tool
from .schema import Signature

#: Characters of an answer that are handed to the model; the window cuts what is still too long for it.
ANSWER = 20_000
#: Seconds for one request.
TIMEOUT = 30.0


def file_tools(root: str | Path) -> list[Tool]:
    """``read_from_text_file`` and ``append_to_text_file``, for files under one folder and no others.

    Raises:
        ConfigError: there is no such folder.
    """
    folder = Path(root).expanduser().resolve()
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder} for the agent's files. Create it, or name another.")

    def inside(filename: str) -> Path:
        path = (folder / filename).resolve()  # follows links, so that none leads out
        if not path.is_relative_to(folder) or path == folder:
            raise ToolError(f"{filename!r} is not a file under the folder that you may use.")
        if in_use(path):
            raise ToolError(f"{filename!r} is the database that holds your own memory: search that instead.")
        return path

    def read_from_text_file(filename: str, line_start: int = 1, num_lines: int = 100) -> str:
        """Read lines of a text file.

        Args:
            filename: Under your folder.
            line_start: 1 is the first.
        """
        if line_start < 1 or num_lines < 1:
            raise ToolError("line_start and num_lines start at 1.")
        path = inside(filename)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            known = ", ".join(sorted(one.name for one in folder.iterdir() if one.is_file())) or "none"
            raise ToolError(f"There is no file {filename!r}. Files: {known}.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ToolError(f"{filename!r} cannot be read as text: {error}") from error
        shown = lines[line_start - 1 : line_start - 1 + num_lines]
        last = line_start + len(shown) - 1
        text = "\n".join(shown)
        return (
            f"Lines {line_start}-{last} of {len(lines)}:\n{text}"[:ANSWER] if shown else f"It has {len(lines)} lines."
        )

    def append_to_text_file(filename: str, content: str) -> str:
        """Add text at the end of a file, which is made if it is not there.

        Args:
            filename: Under your folder.
        """
        path = inside(filename)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(content if content.endswith("\n") else content + "\n")
        except OSError as error:
            raise ToolError(f"{filename!r} cannot be written: {error.strerror}") from error
        return f"Added {len(content)} characters to {filename}."

    return [
        Tool(Signature(read_from_text_file), read_from_text_file, again=True),
        Tool(Signature(append_to_text_file), append_to_text_file),
    ]


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

        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not {place.netloc.lower(), place.hostname or ""} & allowed:
            raise ToolError(f"Requests may go to {', '.join(sorted(allowed))}, not to {url!r}.")
        if method.upper() not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            raise ToolError(f"{method!r} is no method that may be used.")
        headers = {"content-type": "application/json"} if payload_json else {}
        try:
            answer = httpx.request(method.upper(), url, content=payload_json or None, headers=headers, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise ToolError(f"{url} did not answer: {str(error) or type(error).__name__}") from error
        return f"{answer.status_code} {answer.reason_phrase}\n{answer.text[:ANSWER]}"

    return [Tool(Signature(http_request), http_request, again=True)]
