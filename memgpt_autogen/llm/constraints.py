"""Which constraint to send a server with a request, learned from what it refused and what it did not enforce."""

from __future__ import annotations

import json
import logging
from collections import Counter

from ..servers import Constraint
from .connection import Connection
from .transport import Broken, Refused

log = logging.getLogger(__name__)

#: Unparseable replies in a row after which a constraint is no longer sent, if the server works without one.
_MAX_UNPARSEABLE = 2
#: Words of an error message that is about the constraint.
_ERROR_WORDS = ("gramm", "schema", "format", "structured", "guided")
_NAMES = {"gbnf": "grammar", "schema": "JSON schema", "none": ""}


class ConstraintPolicy:
    """Chooses the constraint for each request to one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._supported = connection.row.constraints
        self._disabled: set[Constraint] = set()
        self._unparseable: Counter[Constraint] = Counter()
        self._warned = False

    def choose(self, *, last_attempt: bool, tight: bool) -> Constraint:
        """The constraint to send.

        Args:
            last_attempt: use the fallback.
            tight: the previous reply was cut by its token limit, so the next one must not be unconstrained.
        """
        options = [one for one in self._supported if one not in self._disabled] or ["none"]
        return options[-1] if last_attempt and not (tight and options[-1] == "none") else options[0]

    def fallback(self, refused: Constraint) -> Constraint:
        """The next constraint to try after the server refused one."""
        rest = self._supported[self._supported.index(refused) + 1 :]
        return rest[0] if rest else "none"

    def may_be_cause(self, error: Broken | Refused) -> bool:
        """Whether the constraint may have caused an error: the message says so, or the server is known to fail so."""
        if isinstance(error, Refused):
            message = str(error).lower()
            return error.status in (400, 422, 501) and any(word in message for word in _ERROR_WORDS)
        return "none" in self._supported and (error.status == 500 or error.empty)

    def disable(self, constraint: Constraint, reason: str) -> None:
        """Stop sending a constraint."""
        if constraint not in self._disabled:
            self._disabled.add(constraint)
            log.warning(
                "%s does not take a %s: replies are checked and repaired instead. It said: %s",
                self._connection.where,
                _NAMES[constraint],
                reason,
            )

    def record(self, constraint: Constraint, text: str, *, parseable: bool, call_only: bool) -> None:
        """Note how a constrained reply came out; warn once if the server did not enforce the constraint.

        Args:
            constraint: what was sent.
            text: the whole reply.
            parseable: whether it could be read as a function call.
            call_only: whether the constraint allows nothing but a call.
        """
        if constraint == "none":
            return
        self._unparseable[constraint] = 0 if parseable else self._unparseable[constraint] + 1
        if call_only and not self._warned and not _is_call(text):
            self._warned = True
            log.warning(
                "%s did not enforce the %s that it was sent: replies are checked and repaired, and asked for once more "
                "where that fails. A newer version of it, or another loader, may do better.",
                self._connection.where,
                _NAMES[constraint],
            )
        if "none" in self._supported and self._unparseable[constraint] >= _MAX_UNPARSEABLE:
            self.disable(constraint, f"{_MAX_UNPARSEABLE} unparseable replies, the last {text[:80]!r}")


def _is_call(text: str) -> bool:
    """Whether a reply has the outer shape that a constraint enforces."""
    try:
        reply = json.loads(text)
    except ValueError:
        return False
    return isinstance(reply, dict) and set(reply) == {"function", "params"}
