"""Separates the reasoning of a model from its answer.

Servers that know a model send its reasoning in a separate field. Others leave it in the text, between tags that differ
by family, or with only the closing tag if the chat template has opened it. Reasoning is private: it is never sent or
stored as a message, and a call drafted in it is never run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

#: (opening, closing) tags. DeepSeek-R1, Qwen3 and most others; Magistral; Kimi; Command A; Seed; OpenThinker; Gemma 4.
_PAIRS = (
    (
        r"<(?:think|thinking|thought|thoughts|reason|reasoning|seed:think|antml:thinking)>",
        r"</(?:think|thinking|thought|thoughts|reason|reasoning|seed:think|antml:thinking)>",
    ),
    (r"\[THINK\]", r"\[/THINK\]"),
    ("◁think▷", "◁/think▷"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|channel>thought", r"<channel\|>"),
)
_OPENING = "|".join(opening for opening, _ in _PAIRS)
_CLOSING = "|".join(closing for _, closing in _PAIRS)
#: Tags in quotes or code are mentioned, not used.
_MARK = re.compile(rf"(?<![`\"'“‘])(?:(?P<opening>{_OPENING})|(?P<closing>{_CLOSING}))(?![`\"'”’])", re.IGNORECASE)
#: Tags that some models put around the answer.
_ANSWER = re.compile(r"</?(?:answer|response)>|<\|(?:START|END)_RESPONSE\|>|<\|(?:begin|end)_of_solution\|>")
#: gpt-oss writes messages in channels; if a server drops the special tokens, only the names are left.
_HARMONY = re.compile(
    r"(?:<\|start\|>(?P<role>[^<]*))?<\|channel\|>\s*(?P<header>[^<]*)(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>"
)
_HARMONY_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_HARMONY_BARE = re.compile(
    r"^(?:<\|start\|>)?\s*(?:assistant)?analysis(?P<reasoning>[\s\S]*?)assistant(?=final|commentary)"
    r"(?:final|commentary(?: to=(?P<name>[\w.-]+))?\s*(?:json|code)?)"
)
_RECIPIENT = re.compile(r"\bto=(?:functions\.)?([\w-]+)")


def split_reasoning(text: str) -> tuple[str, str]:
    """(reasoning, answer) of a complete text.

    Tags in quotes or code are ignored, and so are those in a text that is JSON, where they are inside strings.
    Reasoning that was never closed leaves an empty answer.
    """
    harmony = _split_harmony(text)
    if harmony is not None:
        return harmony
    if not _MARK.search(text) or _is_json(text):
        return "", text
    reasoning: list[str] = []
    answer: list[str] = []
    start, inside = 0, False
    for mark in _MARK.finditer(text):
        piece = text[start : mark.start()]
        start = mark.end()
        (reasoning if inside else answer).append(piece)
        if mark["closing"] and not inside:  # the chat template opened it: all before is reasoning
            reasoning += answer
            answer = []
        inside = bool(mark["opening"])
    (reasoning if inside else answer).append(text[start:])
    return _joined(reasoning), _ANSWER.sub("", "".join(answer)).strip()


def answer_so_far(text: str) -> tuple[str, str]:
    """(reasoning, answer) of an incomplete text; an incomplete tag at its end belongs to neither."""
    begun = re.search(r"(?:<\|?/?[\w:|]{0,24}|\[/?[A-Z]{0,5}|◁/?\w{0,5})$", text)
    return split_reasoning(text[: begun.start()] if begun else text)


def _split_harmony(text: str) -> tuple[str, str] | None:
    """(analysis, final text or calls) of a text in gpt-oss's format; None: it is in another."""
    bare = _HARMONY_BARE.match(text)
    if bare:
        return bare["reasoning"].strip(), _as_call(bare["name"] or "", text[bare.end() :].strip())
    headers = list(_HARMONY.finditer(text))
    if not headers:
        return None
    reasoning, answer = [text[: headers[0].start()].partition("<|start|>")[0]], []
    for header in headers:
        end = _HARMONY_END.search(text, header.end())
        body = text[header.end() : end.start() if end else len(text)]
        recipient = _RECIPIENT.search(f"{header['role'] or ''} {header['header']}")
        if recipient or header["header"].startswith("final"):
            answer.append(_as_call(recipient[1] if recipient else "", body.strip()))
        else:
            reasoning.append(body)
    return _joined(reasoning), "\n".join(answer)


def _as_call(name: str, body: str) -> str:
    name = name.rpartition(".")[2]
    return f'{{"name": {json.dumps(name)}, "arguments": {body or "{}"}}}' if name else body


def _joined(pieces: Iterable[str]) -> str:
    return "\n".join(piece.strip() for piece in pieces if piece.strip())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
