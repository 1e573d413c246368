"""Makes text of others (files, models, servers) safe for a terminal, and for one line of a log or a prompt."""

from __future__ import annotations

import re

#: What a terminal obeys instead of showing it, or what changes the order in which it shows the rest:
#: control characters but tab and newline, C1 controls, line and paragraph separators, bidirectional embeddings,
#: overrides and isolates, interlinear annotations, lone surrogates, tags. See Unicode Technical Report 36, section 3.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
#: Characters of a name in a prompt.
_LONGEST = 200
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def printable(text: str) -> str:
    r"""The text with every character that controls a terminal written as an escape, such as ``\u001b``.

    Newlines and tabs stay. The escapes are those of JSON, so that a JSON text keeps its value.
    """
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """A name or an address as one line: :func:`printable`, and newlines and tabs are escaped too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def on_one_line(text: str) -> str:
    """The text with a space wherever some reader would break the line or obey a control character."""
    return _BREAKS.sub(" ", text.replace("\t", "    "))


def label(name: object) -> str:
    """A name (of a file, a source, a speaker) in a prompt: one line, without what could end its brackets."""
    text = " ".join(on_one_line(str(name)).split()).replace("[", "(").replace("]", ")")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFFFF:  # JSON writes what lies beyond as two
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
