"""Holds a model's reply to one well-formed function call: a JSON Schema of the reply, and GBNF made from it.

Both are pure functions of the functions on offer. :func:`call_schema` (from :mod:`.reply_schema`) does the
thinking; :func:`to_gbnf` only transcribes its result, so that the two say the same. A reply, in fixed compact
spacing::

    {"function": "send_message", "params": {"inner_thoughts": "...", "message": "..."}}

GBNF is llama.cpp's grammar language (``grammars/README.md`` in its repository).
"""

from __future__ import annotations

import json
import os.path
from collections.abc import Collection, Sequence
from typing import Any

from ..messages import ToolSchema
from .reply_schema import SENTENCE, STRING_LIMIT, THOUGHTS, THOUGHTS_LIMIT, Json, call_schema, select

__all__ = ["STRING_LIMIT", "THOUGHTS", "THOUGHTS_LIMIT", "call_schema", "reply_prefix", "select", "to_gbnf"]

KEY_LIMIT = 40


def reply_prefix(tools: Sequence[ToolSchema], only: Collection[str] | None = None, inner_thoughts: bool = True) -> str:
    """How every allowed reply begins, up to its last ``:``; a prompt may end with it.

    With several functions it is ``{"function":``, with one it reaches up to the first value.
    """
    schema = call_schema(tools, only, inner_thoughts)
    writer = _Writer()
    heads = [str(writer.pieces(branch)[0]) for branch in schema["anyOf"]]
    shared = os.path.commonprefix(heads)  # noqa: RUF071 (characters are what is compared, not paths)
    return shared.rpartition(":")[0] + ":"


def to_gbnf(
    tools: Sequence[ToolSchema],
    only: Collection[str] | None = None,
    inner_thoughts: bool = True,
    string_limit: int = STRING_LIMIT,
    *,
    message_limit: int | None = None,
    thoughts_limit: int = THOUGHTS_LIMIT,
    prefix: str = "",
) -> str:
    """A GBNF grammar, rule ``root``, of what follows ``prefix`` in a reply.

    ``prefix`` is text that the prompt already ends with (:func:`reply_prefix`); the rest is as in
    :func:`call_schema`.

    Raises:
        ValueError: no function is left, or one whose call does not start with ``prefix``.
    """
    schema = call_schema(
        tools, only, inner_thoughts, string_limit, message_limit=message_limit, thoughts_limit=thoughts_limit
    )
    writer = _Writer()
    branches = []
    for branch in schema["anyOf"]:
        pieces = writer.pieces(branch)
        if not pieces[0].startswith(prefix):
            raise ValueError(f"A reply that starts with {pieces[0]!r} does not start with {prefix!r}.")
        pieces[0] = _Text(pieces[0][len(prefix) :])
        branches.append(writer.rule("call", writer.sequence(pieces)))
    return writer.grammar(" | ".join(branches))


class _Text(str):
    """A piece of a rule that is literal text; any other string is an expression."""


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class _Writer:
    """Transcribes a schema of :func:`call_schema` into rules for llama.cpp.

    A dialect for an older parser would override ``repeat`` (no ``{m,n}``) and ``CHAR`` (no negated sets).
    """

    # Escapes of the \\uXXXX kind are left out: the characters can be written as they are, and half of a
    # surrogate pair could be stored nowhere.
    CHAR = r'[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]'
    #: What a sentence is made of: signs that end none, decimals of two digits at most on either side, titles.
    UNIT = (
        r'[^"\\.!?\x00-\x1F\x7F]'
        r' | [^"\\.!?0-9\x00-\x1F\x7F] [0-9] [0-9]? "." [0-9] [0-9]? [^"\\.!?0-9\x00-\x1F\x7F]'
        r' | ("Mr" | "Mrs" | "Ms" | "Dr" | "St") "."'
    )
    #: Longer repetitions are built from blocks: llama.cpp refuses counts over 2,000, and old builds expand
    #: them.
    BLOCK = 100

    def __init__(self) -> None:
        self.rules: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def grammar(self, root: str) -> str:
        return "".join(f"{name} ::= {body}\n" for name, body in ({"root": root} | self.rules).items())

    def rule(self, hint: str, body: str) -> str:
        """The name of a rule with that body; equal bodies share one."""
        if body not in self.names:
            self.names[body] = f"{hint}-{len(self.names)}"
            self.rules[self.names[body]] = body
        return self.names[body]

    def sequence(self, pieces: Sequence[str]) -> str:
        written = [_literal(piece) if isinstance(piece, _Text) else piece for piece in pieces]
        return " ".join(part for part in written if part != '""') or '""'

    def repeat(self, item: str, low: int, high: int) -> str:
        """``item`` (a rule's name or a set) from ``low`` to ``high`` times."""
        spare = high - low
        if high <= 2 * self.BLOCK:
            return f"{item}{{{low},{high}}}" if high else '""'
        block = self.rule("block", f"{item}{{{self.BLOCK}}}")
        blocks, rest = divmod(low, self.BLOCK)
        parts = [f"{block}{{{blocks}}}"] * (blocks > 0) + [f"{item}{{{rest}}}"] * (rest > 0)
        more, left = divmod(spare, self.BLOCK)
        if more > 1:
            parts.append(f"{block}{{0,{more - 1}}}")
        last = left + self.BLOCK * (more > 0)
        return " ".join(parts + [f"{item}{{0,{last}}}"] * (last > 0))

    def value(self, schema: Json) -> str:
        """An expression for one value."""
        if "enum" in schema:
            return self.rule("enum", " | ".join(_literal(_json(value)) for value in schema["enum"]))
        if "anyOf" in schema:
            return self.rule("any", " | ".join(dict.fromkeys(self.value(branch) for branch in schema["anyOf"])))
        kind = schema["type"]
        if kind == "string" and schema.get("format") == SENTENCE:
            return self._sentence(schema["maxLength"])
        if kind == "string":
            return self._string(schema["minLength"], schema["maxLength"])
        if kind in ("integer", "number"):
            return self._number(schema)
        if kind == "boolean":
            return self.rule("boolean", '"true" | "false"')
        if kind == "null":
            return '"null"'
        if kind == "array":
            return self._list("[", self.value(schema["items"]), "]", schema["minItems"], schema["maxItems"])
        if "properties" in schema:
            return self.rule("object", self.sequence(self.pieces(schema)))
        values = self.value(schema["additionalProperties"])
        member = self.rule("member", f'{self._string(1, KEY_LIMIT)} ": " {values}')
        return self._list("{", member, "}", 0, schema["maxProperties"])

    def _string(self, low: int, high: int) -> str:
        body = self.repeat(self.rule("char", self.CHAR), low, high)
        return self.rule("string", rf'"\"" {body} "\""')

    def _sentence(self, high: int) -> str:
        """A string of one sentence: a full stop ends it, unless it stands in a number or after a title."""
        unit = self.rule("unit", self.UNIT)
        body = self.repeat(unit, 1, max(1, high - 2))
        return self.rule("sentence", rf'"\"" [0-9A-Za-z\u00C0-\uFFFF] {body} "." "\""')

    def _number(self, schema: Json) -> str:
        low, high = schema.get("minimum"), schema.get("maximum")
        digits = len(str(int(high))) if low is not None and low >= 0 and high is not None and high >= 0 else 15
        sign = "" if low is not None and low >= 0 else '"-"? '
        more = f" {self.repeat('[0-9]', 0, digits - 1)}" if digits > 1 else ""
        whole = f'{sign}("0" | [1-9]{more})'
        return self.rule(schema["type"], whole + ' ("." [0-9]{1,6})?' * (schema["type"] == "number"))

    def _list(self, start: str, item: str, end: str, low: int, high: int) -> str:
        if high == 0:
            return _literal(start + end)
        follower = self.rule("next", f'", " {item}')
        full = f"{item} {self.repeat(follower, max(low - 1, 0), high - 1)}".removesuffix(' ""')
        return self.rule("list", f"{_literal(start)} {full if low else f'({full})?'} {_literal(end)}")

    def pieces(self, schema: Json) -> list[str]:
        """A closed object as literal text and expressions; the first piece is text."""
        if "enum" in schema or "const" in schema:
            return [_Text(_json(schema.get("const")))]
        required, members = set(schema["required"]), list(schema["properties"].items())
        leading = next((i for i, (key, _) in enumerate(members) if key in required), len(members))
        out: list[str] = [_Text("{")]
        if leading:  # nothing is certain to stand before the first comma: one branch for each first member
            first_certain = members[leading : leading + 1]
            starts = [
                self._run(members[i : i + 1] + members[i + 1 : leading] + first_certain, required, first=True)
                for i in range(leading)
            ]
            if first_certain:
                starts.append(self._run(first_certain, required, first=True))
            group = "(" + " | ".join(self.sequence(start) for start in starts) + ")"
            out.append(group if first_certain else group + "?")
        else:
            out += self._run(members[:1], required, first=True)
        out += self._run(members[leading + 1 :], required, first=False)
        return _merged([*out, _Text("}")])

    def _run(self, members: Sequence[tuple[str, Json]], required: set[str], first: bool) -> list[str]:
        out: list[str] = []
        for key, schema in members:
            comma = "" if first else ", "
            inner = self.pieces(schema) if "properties" in schema or "const" in schema else [self.value(schema)]
            member = [_Text(f"{comma}{_json(key)}: "), *inner]
            out += member if key in required or first else [f"({self.sequence(member)})?"]
            first = False
        return out


def _merged(pieces: Sequence[str]) -> list[str]:
    """The pieces with neighbouring text joined."""
    out: list[str] = []
    for piece in pieces:
        if out and isinstance(piece, _Text) and isinstance(out[-1], _Text):
            out[-1] = _Text(out[-1] + piece)
        else:
            out.append(piece)
    return out
