"""Writes a schema of :func:`.reply_schema.call_schema` as GBNF, llama.cpp's grammar language.

Its reference is ``grammars/README.md`` in llama.cpp's repository. Older parsers support less of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .reply_schema import SENTENCE, Json

#: Characters of a key that the model chooses.
KEY_LIMIT = 40


class Text(str):
    """Literal text in a rule; any other string is an expression."""


#: Private and unassigned planes: some tokenizers (SmolLM2's) lack the bytes that start these characters, so that a
#: grammar that requires one is stuck. As escapes any model can write them.
_RARE = re.compile("[\U00040000-\U0010ffff]")


def _json(value: Any) -> str:
    return _RARE.sub(lambda found: json.dumps(found[0])[1:-1], json.dumps(value, ensure_ascii=False))


class Writer:
    """Transcribes a schema of :func:`call_schema` into rules for llama.cpp."""

    # No \\uXXXX escapes: the characters can be written as they are, and half of a surrogate pair cannot be stored.
    CHAR = r'[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]'
    #: Units of a sentence: characters that do not end it, decimals of at most two digits on either side, titles.
    UNIT = (
        r'[^"\\.!?\x00-\x1F\x7F]'
        r' | [^"\\.!?0-9\x00-\x1F\x7F] [0-9] [0-9]? "." [0-9] [0-9]? [^"\\.!?0-9\x00-\x1F\x7F]'
        r' | ("Mr" | "Mrs" | "Ms" | "Dr" | "St") "."'
    )
    #: Characters of a monologue before the call: no brace, which would look like its start.
    WORD = r"[^{}\\\x00-\x1F\x7F]"
    #: What a sentence starts with.
    LETTER = r"[0-9A-Za-z\u00C0-\uFFFF]"
    #: Longer repetitions are nested: llama.cpp refuses counts over 2,000, and old builds expand them.
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

    def literal(self, text: str) -> str:
        """Literal text as an expression."""
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    def thoughts(self, limit: int) -> str:
        """The monologue before a call, with the line break that ends it."""
        return f"{self.repeat(self.rule('word', self.WORD), 1, limit)} {self.literal(chr(10))}"

    def sequence(self, pieces: Sequence[str]) -> str:
        written = [self.literal(piece) if isinstance(piece, Text) else piece for piece in pieces]
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
            return self.rule("enum", " | ".join(self.literal(_json(value)) for value in schema["enum"]))
        if "anyOf" in schema:
            return self.rule("any", " | ".join(dict.fromkeys(self.value(branch) for branch in schema["anyOf"])))
        kind = schema["type"]
        if kind == "string" and schema.get("format") == SENTENCE:
            return self._sentence(schema["minLength"], schema["maxLength"])
        if kind == "string" and schema.get("format") in _FORMATS:
            return self.rule(schema["format"], rf'"\"" {self._format(schema["format"])} "\""')
        if kind == "string":
            return self._string(schema["minLength"], schema["maxLength"])
        if kind in ("integer", "number"):
            return self._number(schema)
        if kind == "boolean":
            return self.rule("boolean", '"true" | "false"')
        if kind == "null":
            return '"null"'
        if kind == "array" and "prefixItems" in schema:
            values = [[Text(", " * (index > 0)), self.value(item)] for index, item in enumerate(schema["prefixItems"])]
            return self.rule(
                "tuple", self.sequence([Text("["), *(part for pair in values for part in pair), Text("]")])
            )
        if kind == "array":
            return self._list("[", self.value(schema["items"]), "]", schema["minItems"], schema["maxItems"])
        if "properties" in schema:
            return self.rule("object", self.sequence(self.pieces(schema)))
        keys = schema.get("propertyNames")
        key = self.value(keys) if keys else self._string(1, KEY_LIMIT)
        member = self.rule("member", f'{key} ": " {self.value(schema["additionalProperties"])}')
        return self._list("{", member, "}", schema["minProperties"], schema["maxProperties"])

    def _format(self, name: str) -> str:
        """A string format. A day that its month does not have is found when the arguments are checked."""
        parts = []
        for part in _FORMATS[name].split():
            item, _, count = part.partition("*")
            if item in _FORMATS:
                parts.append(self.rule(item, self._format(item)))
            elif count:
                parts += [item] * int(count)
            else:
                parts.append(item)
        return " ".join(parts)

    def _string(self, low: int, high: int) -> str:
        body = self.repeat(self.rule("char", self.CHAR), low, high)
        return self.rule("string", rf'"\"" {body} "\""')

    def _sentence(self, low: int, high: int) -> str:
        """A string of one sentence: a full stop ends it, unless it stands in a number or after a title.

        ``high`` bounds its units, of which some have several characters; the check of arguments therefore knows no
        upper bound of a sentence. No unit is empty, so that ``low`` holds for both.
        """
        unit = self.rule("unit", self.UNIT)
        least = max(1, low - 2)
        body = self.repeat(unit, least, max(least, high - 2))
        return self.rule("sentence", rf'"\"" {self.LETTER} {body} "." "\""')

    def _number(self, schema: Json) -> str:
        low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
        digits = len(str(int(high))) if low is not None and low >= 0 and high is not None and high >= 0 else 15
        sign = "" if low is not None and low >= 0 else '"-"? '
        more = f" {self.repeat('[0-9]', 0, digits - 1)}" if digits > 1 else ""
        whole = f'{sign}("0" | [1-9]{more})'
        return self.rule(schema["type"], whole + f' ("." {self.repeat("[0-9]", 1, 6)})?' * (schema["type"] == "number"))

    def _list(self, start: str, item: str, end: str, low: int, high: int) -> str:
        if high == 0:
            return self.literal(start + end)
        follower = self.rule("next", f'", " {item}')
        full = f"{item} {self.repeat(follower, max(low - 1, 0), high - 1)}".removesuffix(' ""')
        return self.rule("list", f"{self.literal(start)} {full if low else f'({full})?'} {self.literal(end)}")

    def pieces(self, schema: Json) -> list[str]:
        """An object with fixed keys as literal text and expressions; the first piece is text."""
        if "enum" in schema or "const" in schema:
            return [Text(_json(schema.get("const")))]
        required, members = set(schema["required"]), list(schema["properties"].items())
        leading = next((i for i, (key, _) in enumerate(members) if key in required), len(members))
        out: list[str] = [Text("{")]
        if leading:  # no member is certain to come before the first comma: one branch for each possible first member
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
        return _merged([*out, Text("}")])

    def _run(self, members: Sequence[tuple[str, Json]], required: set[str], first: bool) -> list[str]:
        out: list[str] = []
        for key, schema in members:
            comma = "" if first else ", "
            inner = self.pieces(schema) if "properties" in schema or "const" in schema else [self.value(schema)]
            member = [Text(f"{comma}{_json(key)}: "), *inner]
            out += member if key in required or first else [f"({self.sequence(member)})?"]
            first = False
        return out


#: String formats: sets and literals, ``*n`` for a repetition, names of other formats.
_FORMATS = {
    "date": '[12] [0-9]*3 "-" day',
    "day": (
        '( ( "01" | "03" | "05" | "07" | "08" | "10" | "12" ) "-" ( "0" [1-9] | [12] [0-9] | "3" [01] )'
        ' | ( "04" | "06" | "09" | "11" ) "-" ( "0" [1-9] | [12] [0-9] | "30" )'
        ' | "02-" ( "0" [1-9] | [12] [0-9] ) )'
    ),
    "time": '( [01] [0-9] | "2" [0-3] ) ":" [0-5] [0-9] ":" [0-5] [0-9]',
    "date-time": 'date "T" time ( "Z" )?',
    "uuid": '[0-9a-f]*8 "-" [0-9a-f]*4 "-4" [0-9a-f]*3 "-" [89ab] [0-9a-f]*3 "-" [0-9a-f]*12',
    "duration": '"P" ( [1-9] ( [0-9] )? "D" | "T" [1-9] ( [0-9] )? ( "H" | "M" | "S" ) )',
}


class Plain(Writer):
    """The dialect for old parsers. Repetitions are unrolled up to ``UNROLLED``; longer ones are bounded only by the
    reply's token limit, and a reply that it cuts is requested again.
    """

    # Raw characters and ranges only; ``^`` and brackets as literals, the backslash as a number.
    _OTHER = "[\u00a1-\ud7ff] | [\ue000-\ufffd] | [\U00010000-\U0010ffff]"
    CHAR = rf"""[ !] | [#-Z] | "[" | "]" | "^" | [_-~] | {_OTHER} | "\x5C" ("\"" | "\x5C" | [/bfnrt])"""
    WORD = rf"""[ -Z] | "[" | "]" | "^" | [_-z] | "|" | "~" | {_OTHER}"""
    LETTER = "([0-9A-Za-z] | [\u00c0-\ud7ff])"
    _MARK = rf"""" " | [#-,] | "-" | "/" | [:->] | "@" | [A-Z] | "[" | "]" | "^" | [_-~] | {_OTHER}"""
    UNIT = f'{_MARK} | [0-9] | ({_MARK}) [0-9] "." [0-9] ({_MARK}) | ("Mr" | "Mrs" | "Ms" | "Dr" | "St") "."'
    UNROLLED = KEY_LIMIT

    def literal(self, text: str) -> str:
        return '"' + text.replace("\\", "\\x5C").replace('"', '\\"').replace("\n", "\\n") + '"'

    def repeat(self, item: str, low: int, high: int) -> str:
        needed = [item] * min(low, self.UNROLLED)
        if high > self.UNROLLED:
            return " ".join([*needed, f"{item}*"])
        tail = ""
        for _ in range(high - low):  # (x (x)?)?, one rule per step, so that parsing is unambiguous
            tail = self.rule("upto", f"({item} {tail})?" if tail else f"({item})?")
        return " ".join([*needed, tail]).strip() or '""'


def _merged(pieces: Sequence[str]) -> list[str]:
    """The pieces with adjacent text merged."""
    out: list[str] = []
    for piece in pieces:
        if out and isinstance(piece, Text) and isinstance(out[-1], Text):
            out[-1] = Text(out[-1] + piece)
        else:
            out.append(piece)
    return out
