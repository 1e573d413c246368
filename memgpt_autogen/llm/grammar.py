"""Constrains a reply to one well-formed function call, by a JSON Schema or by the GBNF made from it.

Both are pure functions of the offered functions. :func:`.reply_schema.call_schema` decides what is allowed;
:func:`to_gbnf` only transcribes it (with :mod:`.gbnf`), so that the two agree. A reply, in fixed compact spacing::

    {"function": "send_message", "params": {"inner_thoughts": "...", "message": "..."}}

If a prompt format has the model think aloud (``outside``), the inner thoughts come before the call, as a line of plain
text.

GBNF is llama.cpp's grammar language (``grammars/README.md`` in its repository). It has dialects: ``full`` for llama.cpp
and koboldcpp, ``plain`` for older parsers, which know no ``{m,n}``, no escaped backslash and no negated sets.
"""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import replace

from ..messages import ToolSchema
from .gbnf import Plain, Text, Writer
from .reply_schema import ReplyFormat, call_schema


def reply_prefix(tools: Sequence[ToolSchema], form: ReplyFormat = ReplyFormat(), *, outside: bool = False) -> str:
    """The common start of all allowed replies, up to its last ``:``; a prompt may end with it.

    With several functions it is ``{"function":``; with one it reaches up to the first value. Empty if the inner
    thoughts come first.
    """
    if form.inner_thoughts and outside:
        return ""
    writer = Writer()
    heads = [str(writer.pieces(branch)[0]) for branch in call_schema(tools, form)["anyOf"]]
    shared = os.path.commonprefix(heads)  # noqa: RUF071 (characters are what is compared, not paths)
    return shared.rpartition(":")[0] + ":"


def to_gbnf(
    tools: Sequence[ToolSchema], form: ReplyFormat = ReplyFormat(), *, prefix: str = "", outside: bool = False
) -> str:
    """A GBNF grammar, rule ``root``, of what follows ``prefix`` in a reply.

    Args:
        tools: the functions that may be called.
        form: limits and dialect.
        prefix: text that the prompt already ends with (:func:`reply_prefix`).
        outside: the inner thoughts come before the call.

    Raises:
        ValueError: a call of one does not start with ``prefix``.
    """
    aloud = form.inner_thoughts and outside
    schema = call_schema(tools, replace(form, inner_thoughts=False) if aloud else form)
    writer = Writer() if form.dialect == "full" else Plain()
    branches = []
    for branch in schema["anyOf"]:
        pieces = writer.pieces(branch)
        if not pieces[0].startswith(prefix):
            raise ValueError(f"A reply that starts with {pieces[0]!r} does not start with {prefix!r}.")
        pieces[0] = Text(pieces[0][len(prefix) :])
        branches.append(writer.rule("call", writer.sequence(pieces)))
    calls = " | ".join(branches)
    return writer.grammar(f"{writer.thoughts(form.thoughts_limit)} ({calls})" if aloud else calls)
