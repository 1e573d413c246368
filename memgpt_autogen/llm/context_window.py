"""The context window of a hosted model: configured, looked up, reported by its server, or learned from an error.

An unknown model is assumed to have a large window, so that no message is cut without need. If that is wrong, the
provider refuses the first prompt that does not fit; the limit is read from the error message and the prompt is built
again. What was learned is kept for the process.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

log = logging.getLogger(__name__)

#: The window assumed for an unknown hosted model.
ASSUMED_WINDOW = 128_000
#: Seconds for a request of the list of models.
TIMEOUT = 2.0
#: The most used models, and those without a window in the table of genai-prices.
_WINDOWS = {
    "gpt-5": 400_000,
    "gpt-4.1": 1_047_576,
    "gpt-4o": 128_000,
    "chatgpt-4o": 128_000,
    "gpt-4.5": 128_000,
    "gpt-4-turbo": 128_000,
    "gpt-4-1106": 128_000,
    "gpt-4-0125": 128_000,
    "gpt-4-vision": 128_000,
    "gpt-4-32k": 32_768,
    "gpt-4": 8_192,
    "gpt-3.5-turbo-instruct": 4_096,
    "gpt-3.5-turbo-0613": 4_096,
    "gpt-3.5-turbo": 16_385,
    "gpt-35-turbo": 16_385,
    "o1-mini": 128_000,
    "o1-preview": 128_000,
    "o1": 200_000,
    "o3": 200_000,
    "o4": 200_000,
    "gpt-oss": 131_072,
    "claude": 200_000,
    "gemini": 1_000_000,
}
#: Names of the field in a server's list of models: vLLM, OpenRouter and Together, Groq, Mistral, Anthropic.
_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length", "max_input_tokens")
_NUMBER = r"\(?(\d{1,3}(?:,\d{3})+|\d{3,})"
#: Matches an error message about a prompt that does not fit.
_TOO_LONG = re.compile(
    r"context[ -](length|window|size|limit)|context_length_exceeded|ContextWindowExceeded|prompt is too long|"
    r"too many (input )?tokens|maximum prompt length|"
    r"reduce the length|token count.{0,40}exceeds|input tokens? exceed|input is too long|range of input length|"
    r"maximum (number of )?(input )?tokens|tokens.{0,40}must be <=",
    re.IGNORECASE | re.DOTALL,
)
#: Finds the limit in such a message, the most reliable pattern first.
_LIMITS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"maximum (?:context|prompt|input|model)[^\d]{{0,40}}?{_NUMBER}",  # OpenAI, vLLM, DeepSeek, xAI
        rf"{_NUMBER} (?:tokens? )?maximum",  # Anthropic, Mistral
        rf"> *{_NUMBER}",
        rf"(?:allowed|limit|cannot exceed|must be <=|context (?:size|window|length))(?: of| is)?\W{{0,4}}{_NUMBER}",
        rf"range of input length[^\d]*\[\d+, *{_NUMBER}",  # DashScope
    )
)
#: Tokens reserved for the reply of a reasoning model, which includes its reasoning. The input of gpt-5 is limited to
#: the window less 128,000; for the others OpenAI's guide advises 25,000.
_REASONING = {"gpt-5": 128_000, "o1": 25_000, "o3": 25_000, "o4": 25_000, "deepseek-reasoner": 25_000}

#: Settings of a request that limit its reply.
REPLY_LIMITS = ("max_completion_tokens", "max_tokens")

_learned: dict[tuple[str, str], int] = {}
_told: dict[tuple[str, str], int | None] = {}


def context_window_of(model: str) -> int | None:
    """The window of a well-known model in tokens; else None. A ``provider/`` before the name is ignored.

    Names that are not in the short list are looked up in the table of the package genai-prices.
    """
    name = _bare(model)
    return _longest(name, _WINDOWS) or (_looked_up(name) if name else None)


def reply_reserve_of(model: str) -> int | None:
    """Tokens to reserve for the reply of a reasoning model; None for any other."""
    return _longest(_bare(model), _REASONING)


def stated_limit(words: str) -> int | None:
    """The token limit in an error message, such as "maximum context length is 8192 tokens"."""
    for pattern in _LIMITS:
        if found := pattern.search(words):
            return int(found[1].replace(",", ""))
    return None


def is_too_long(words: str) -> bool:
    """Whether an error message says that the prompt does not fit the model's window."""
    return bool(_TOO_LONG.search(words))


def served_window(rows: Iterable[Mapping[str, Any]], model: str) -> int | None:
    """The window of a model in a server's list of models (``/v1/models``); None: not reported.

    Args:
        rows: the list's entries.
        model: its name; the only entry of a list is used under any name.
    """
    listed = list(rows)
    named = [row for row in listed if str(row.get("id")) == model] or (listed if len(listed) == 1 else [])
    for row in named:
        meta = row.get("meta") or {}
        found = next((row[key] for key in _FIELDS if isinstance(row.get(key), int)), None)
        found = found or (meta.get("n_ctx") if isinstance(meta, Mapping) else None)
        if isinstance(found, int) and found > 0:
            return found
    return None


def asked_of(client: Any, model: str) -> int | None:
    """The window that the server behind an ``openai`` client reports; None: none, or not in time."""
    try:
        rows = client.with_options(timeout=TIMEOUT, max_retries=0).models.list().data
        return served_window([row.model_dump() for row in rows], model)
    except Exception as error:  # no such path, no such method, no server: the answer is optional
        log.debug("The server's list of models: %s", error)
        return None


class ContextWindow:
    """The window of one model at one address.

    Args:
        model: its name.
        configured: the user's value; None: find it out.
        address: of the server; what was learned holds only there.
        ask: asks the server, once, if nothing else gives the window.
        reply_tokens: the user's own limit of a reply.
    """

    def __init__(
        self,
        model: str,
        configured: int | None = None,
        *,
        address: str = "",
        ask: Callable[[], int | None] | None = None,
        reply_tokens: int | None = None,
    ) -> None:
        self._model, self._configured = model, configured
        self._key = (address, model)
        self._ask = ask
        self.reply_tokens = reply_tokens or reply_reserve_of(model)

    @property
    def tokens(self) -> int:
        """Tokens that prompt and reply share."""
        return self._known(self._served)

    def _known(self, served: Callable[[], int | None]) -> int:
        known = self._configured or context_window_of(self._model) or served() or ASSUMED_WINDOW
        return min(known, _learned.get(self._key, known))

    def refused(self, words: str, sent: int) -> bool:
        """Learn from an error message; False if it is not about the length of the prompt.

        Args:
            words: the message.
            sent: tokens of the prompt, as counted here.
        """
        if not is_too_long(words):
            return False
        before, limit = self._known(lambda: _told.get(self._key)), stated_limit(words)
        # A limit that the prompt was thought to keep: tokens are counted too low, or it is not the limit.
        _learned[self._key] = limit if limit and limit < before else int(0.75 * min(before, max(sent, 1)))
        log.warning(
            "%s: the prompt did not fit the model's window; %d tokens are used from now on. To set it yourself, pass "
            "context_window. The provider said: %s",
            self._model,
            _learned[self._key],
            words[:200],
        )
        return True

    def _served(self) -> int | None:
        if self._ask and self._key not in _told:
            _told[self._key] = self._ask()
            if _told[self._key] is None:
                log.info("The window of %s is not known; %d tokens are assumed.", self._model, ASSUMED_WINDOW)
        return _told.get(self._key)


def _bare(model: str) -> str:
    return model.lower().rpartition("/")[2].removeprefix("ft:")


def _longest(name: str, table: Mapping[str, int]) -> int | None:
    """The value of the longest key that the name starts with."""
    matches = [start for start in table if name.startswith(start)]
    return table[max(matches, key=len)] if matches else None


@cache
def _looked_up(name: str) -> int | None:
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    try:
        return calc_price(Usage(), model_ref=name).model.context_window
    except Exception as error:  # LookupError for a name it does not know, ValueError for one without prices
        log.debug("genai-prices: %s", error)
        return None
