"""Text of others (files, models, servers) made safe for a terminal and for one line of a log."""

from __future__ import annotations

import re

#: What a terminal obeys instead of showing it, or what changes the order in which it shows the rest:
#: control characters but tab and newline, C1 controls, line and paragraph separators, bidirectional embeddings,
#: overrides and isolates, interlinear annotations, lone surrogates, tags. See Unicode Technical Report 36, section 3.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    r"""The text with every character that a terminal would obey written as an escape, such as ``\u001b``.

    Newlines and tabs stay. The escapes are those of JSON, so that a JSON text stays the same value.
    """
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """A name or an address as one line: :func:`printable`, and newlines and tabs are escaped too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFFFF:  # JSON writes what lies beyond as two
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
