"""Removes secrets from everything that is shown: error messages, logs, lists, ``repr``.

:func:`hide` is the one redaction of this package. It works on a whole text, so that an address, a sentence with an
address in it, a traceback and a server's reply are treated alike.
"""

from __future__ import annotations

import os
import re

HIDDEN = "***"
#: Shorter values are no keys but words such as EMPTY, which would blot out half a text.
SHORTEST = 8
_known: set[str] = set()

#: How the names of query parameters end that hold a secret.
_SECRET_PARAMETER = r"(?:key|token|secret|passw(?:or)?d|passphrase|pwd|sig|signature|credentials?|auth|jwt)"
_PATTERNS = (
    (re.compile(r"\b(sk|pk|rk)-[A-Za-z0-9_-]{8,}"), HIDDEN),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)([?&;#][\w.%-]*{_SECRET_PARAMETER}=)[^&;#\s\"'<>]+"), rf"\1{HIDDEN}"),
    # What is hidden already, as in ``//user:***@``, stays as it is.
    (re.compile(r"(//)(?![^/?#\s\"'<>:@]*:\*\*\*@)[^/?#\s\"'<>]*@"), rf"\1{HIDDEN}@"),
)


def remember(secret: str) -> str:
    """Register a secret for :func:`hide`. Returns it."""
    if len(secret) >= SHORTEST:
        _known.add(str(secret))
    return secret


def hide(text: str) -> str:
    """The text with secrets replaced: registered ones, those of the environment, what looks like a key, secrets in
    addresses.
    """
    named = {value for name, value in os.environ.items() if name.upper().endswith(("_API_KEY", "_OPENAI_KEY"))}
    for key in sorted(_known | {value for value in named if len(value) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(key, HIDDEN)
    for pattern, put in _PATTERNS:
        text = pattern.sub(put, text)
    return text
