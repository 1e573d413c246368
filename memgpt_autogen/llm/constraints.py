"""How one server is held to a form, as experience teaches: what it refused, and what it took and did not keep to."""

from __future__ import annotations

import json
import logging
from collections import Counter

from .connection import Connection
from .servers import Way
from .transport import Broken, Refused

log = logging.getLogger(__name__)

#: Unreadable replies, one after the other, before a server that need not keep to grammars gets none any more.
_PATIENCE = 2
#: Words of a refusal that is about what holds the reply to a form.
_WORDS = ("gramm", "schema", "format", "structured", "guided")
_NAMES = {"gbnf": "grammar", "schema": "JSON schema", "free": ""}


class Holding:
    """What is known of one server's ways."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ways = connection.row.ways
        self._given_up: set[Way] = set()
        self._missed: Counter[Way] = Counter()
        self._noted = False

    def way(self, last: bool, tight: bool) -> Way:
        """How to hold a reply: on the last attempt otherwise, except that a cut one is not let go free."""
        ways = [way for way in self._ways if way not in self._given_up] or ["free"]
        return ways[-1] if last and not (tight and ways[-1] == "free") else ways[0]

    def after(self, way: Way) -> Way:
        """The next way where the server refuses one."""
        rest = self._ways[self._ways.index(way) + 1 :]
        return rest[0] if rest else "free"

    def blames_form(self, error: Broken | Refused) -> bool:
        """Whether a fault may be about the form: it says so, or the server is known to fail like that."""
        if isinstance(error, Refused):
            words = str(error).lower()
            return error.status in (400, 422, 501) and any(word in words for word in _WORDS)
        return "free" in self._ways and (error.status == 500 or error.empty)

    def give_up(self, way: Way, why: str) -> None:
        """Hold no reply in this way any more."""
        if way not in self._given_up:
            self._given_up.add(way)
            log.warning(
                "%s does not take a %s: replies are checked and mended instead. It said: %s",
                self._connection.where,
                _NAMES[way],
                why,
            )

    def note(self, way: Way, text: str, *, readable: bool, framed: bool) -> None:
        """Keep in mind how a held reply came out; say once where the server did not keep to the form.

        Args:
            way: how it was held.
            text: the whole reply.
            readable: whether a call could be read in it.
            framed: whether the reply is to be a call and nothing else.
        """
        if way == "free":
            return
        self._missed[way] = 0 if readable else self._missed[way] + 1
        if framed and not self._noted and not _is_call(text):
            self._noted = True
            log.warning(
                "%s did not hold its reply to the %s that it was sent: replies are checked and mended, and asked "
                "for once more where that fails. A newer version of it, or another loader, may do better.",
                self._connection.where,
                _NAMES[way],
            )
        if "free" in self._ways and self._missed[way] >= _PATIENCE:
            self.give_up(way, f"{_PATIENCE} unreadable replies, the last {text[:80]!r}")


def _is_call(text: str) -> bool:
    """Whether a reply is what a form would have let through, as to its frame."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and set(found) == {"function", "params"}
