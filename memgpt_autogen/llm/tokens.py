"""Counts tokens without asking a server.

OpenAI's encodings come with tiktoken, which downloads each at its first use; that may fail or hang. It gets two
seconds, once per process. Without it, and for other models, an estimate is used that corrects itself from the ``usage``
of replies.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from typing import Any

from ..messages import Message, ToolSchema

log = logging.getLogger(__name__)

#: Seconds to wait for tiktoken's download.
LOAD_TIMEOUT = 2.0
#: Tokens of a chat message besides its text, and of a prompt besides its messages (OpenAI cookbook, "How
#: to count tokens with tiktoken").
MESSAGE_TOKENS = 4

_encodings: dict[str, Any] = {}
_lock = threading.Lock()


class TokenCounter:
    """Counts tokens for one model: with tiktoken if it knows the model, else by estimate."""

    def __init__(self, model: str = "") -> None:
        self._model = model.rpartition("/")[2].removeprefix("ft:")
        self._factor = 1.0
        self._without_cached = False

    def count(self, text: str) -> int:
        """Tokens in a text."""
        if not text:
            return 0
        encoding = _encoding_of(self._model)
        if encoding is not None:
            return len(encoding.encode(text, disallowed_special=()))
        # Bytes rather than characters: a Chinese character is about one token, and three bytes.
        return max(1, round(self._factor * len(text.encode("utf-8", "replace")) / 4))

    def count_messages(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = ()) -> int:
        """Tokens of these in a chat request; additive over messages."""
        tokens = 0
        for message in messages:
            tokens += MESSAGE_TOKENS + self.count(message.content)
            for call in message.tool_calls:
                arguments = json.dumps(dict(call.arguments), ensure_ascii=False, default=str)
                tokens += MESSAGE_TOKENS + self.count(call.name) + self.count(arguments)
        for tool in tools:
            schema = json.dumps(dict(tool.parameters), ensure_ascii=False)
            tokens += MESSAGE_TOKENS + self.count(f"{tool.name} {tool.description} {schema}")
        return tokens

    def learn(self, counted: int, actual: int) -> None:
        """Move the estimate towards a server's count of the same prompt. Exact counts are not changed.

        Some servers leave cached tokens out (Ollama at times). So the estimate never falls below one token per four
        bytes, and it no longer falls once a count was less than two thirds of the expected one.
        """
        if counted < 50 or actual <= 0 or _encoding_of(self._model) is not None:
            return
        self._without_cached = self._without_cached or actual < counted * 2 / 3
        wanted = min(4.0, max(1.0, self._factor * actual / counted))
        if wanted > self._factor:
            self._factor = wanted
        elif not self._without_cached:
            self._factor += 0.5 * (wanted - self._factor)


def _encoding_of(model: str) -> Any:
    """The encoding that tiktoken has for a model, or None."""
    if not model:
        return None
    try:
        from tiktoken.model import encoding_name_for_model
    except ImportError:
        return None
    try:
        name = encoding_name_for_model(model)
    except KeyError:
        return None
    with _lock:
        if name not in _encodings:
            _encodings[name] = _load(name)
        return _encodings[name]


def _load(name: str) -> Any:
    """The encoding, or None if it does not load in time; a download that hangs is left in its thread."""
    found: list[Any] = []

    def load() -> None:
        try:
            import tiktoken

            found.append(tiktoken.get_encoding(name))
        # Anything: errors of requests, OSError, a wrong checksum. The estimate will do.
        except Exception as error:
            log.debug("tiktoken: %s", error)

    thread = threading.Thread(target=load, daemon=True, name="tiktoken-load")
    thread.start()
    thread.join(LOAD_TIMEOUT)
    if not found:
        log.info("The encoding %s could not be loaded; tokens are estimated.", name)
    return found[0] if found else None
