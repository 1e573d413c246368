"""Removes secrets from everything that is shown: error messages, logs, lists, ``repr``.

:func:`redact` is the one redaction of this package. It works on a whole text, so that an address, a sentence with an
address in it, a traceback and a server's reply are treated alike.
"""

from __future__ import annotations

import os
import re

HIDDEN = "***"
#: Shorter values are no keys but words such as EMPTY, which would blot out half a text.
SHORTEST = 8
#: What people write where a local server wants any key at all. Hidden, it would blot out a server's or a model's name.
STAND_INS = frozenset(
    "lm-studio lmstudio not-needed no-key-required sk-no-key-required placeholder your-api-key llama.cpp llamacpp "
    "koboldcpp localhost local-llm anything whatever dummy-key text-generation-webui open-webui".split()
)
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


def is_secret(value: str) -> bool:
    """Whether a key is one that must stay out of sight, and not a word that stands in for one."""
    return len(value) >= SHORTEST and value.lower() not in STAND_INS


def without(secret: str, text: str) -> str:
    """The text without this secret, if it is one."""
    return text.replace(secret, HIDDEN) if is_secret(secret) else text


def register_secret(secret: str) -> str:
    """Register a secret for :func:`redact`. Returns it."""
    if is_secret(secret):
        _known.add(str(secret))
    return secret


def redact(text: str) -> str:
    """The text with secrets replaced: registered ones, those of the environment, what looks like a key, secrets in
    addresses.
    """
    named = {value for name, value in os.environ.items() if name.upper().endswith(("_API_KEY", "_OPENAI_KEY"))}
    for key in sorted(_known | {value for value in named if is_secret(value)}, key=len, reverse=True):
        text = text.replace(key, HIDDEN)
    for pattern, put in _PATTERNS:
        text = pattern.sub(put, text)
    return text
