"""A strict reader of GBNF's plain subset, as the oldest parsers knew it: a grammar with anything more is refused.

Known are rules (``name ::= body``, one a line), alternatives, groups, ``*``, ``+`` and ``?``, literals with the
escapes of a quote, a line break and two hexadecimal digits, and sets of raw signs and ranges. Not known are ``{m,n}``,
negated sets, escapes in sets, the dot, comments, and rules that are not there.
"""

from __future__ import annotations

import re


class NotPlain(ValueError):
    """The grammar uses what the plain subset lacks. The message has the place."""


_RULE = re.compile(r"([a-z][a-z0-9-]*) ::= (.+)")
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_LITERAL = re.compile(r'"((?:[^"\\\n]|\\(?:"|n|x[0-9A-F]{2}))*)"')
_SET = re.compile(r"\[((?:[^\[\]\\^\n-]-[^\[\]\\^\n-]|[^\[\]\\^\n-])+)\]")


def check_plain(gbnf: str) -> int:
    """The number of rules.

    Raises:
        NotPlain: it is not of the subset, or names a rule that is not there.
    """
    rules: dict[str, str] = {}
    for line in gbnf.split("\n")[:-1]:
        found = _RULE.fullmatch(line)
        if not found or found[1] in rules:
            raise NotPlain(f"No rule, or one of a name that is taken: {line[:80]!r}")
        rules[found[1]] = found[2]
    if "root" not in rules:
        raise NotPlain("There is no rule root.")
    named = {"root"}
    for name, body in rules.items():
        named |= _Body(name, body).read()
    if named - set(rules):
        raise NotPlain(f"Rules that are not there: {sorted(named - set(rules))}")
    return len(rules)


class _Body:
    def __init__(self, name: str, text: str) -> None:
        self.name, self.text, self.at = name, text, 0
        self.named: set[str] = set()

    def read(self) -> set[str]:
        self.alternatives()
        if self.at < len(self.text):
            raise self.fault()
        return self.named

    def alternatives(self) -> None:
        self.sequence()
        while self.take("|"):
            self.sequence()

    def sequence(self) -> None:
        items = 0
        while self.item():
            items += 1
            if self.next() in ("*", "+", "?"):
                self.at += 1
                if self.next() in ("*", "+", "?", "{"):
                    raise self.fault()
        if not items:
            raise self.fault()

    def item(self) -> bool:
        self.space()
        if self.take("("):
            self.alternatives()
            if not self.take(")"):
                raise self.fault()
            return True
        for pattern in (_LITERAL, _SET, _NAME):
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                if pattern is _NAME:
                    self.named.add(found[0])
                if pattern is _SET:
                    self.ranges(found[1])
                return True
        return False

    def ranges(self, inner: str) -> None:
        for low, high in re.findall(r"(.)-(.)", inner):
            if low > high:
                raise self.fault()

    def take(self, sign: str) -> bool:
        self.space()
        if self.next() != sign:
            return False
        self.at += 1
        return True

    def space(self) -> None:
        while self.next() == " ":
            self.at += 1

    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def fault(self) -> NotPlain:
        return NotPlain(f"In {self.name}, at {self.at}: {self.text[max(0, self.at - 20) : self.at + 40]!r}")
