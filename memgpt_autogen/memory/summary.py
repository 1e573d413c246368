"""Recursive summaries of evicted messages, written within the model's window however long the history is."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..errors import ModelReplyError, ModelServerError, PromptTooLong
from ..llm.base import ChatModel
from ..messages import Message
from ..prompts import packaged
from ..workers import waiting
from .results import remark
from .window import shorten

logger = logging.getLogger(__name__)


def summarise(model: ChatModel, earlier: str, messages: Sequence[Message], reply_tokens: int) -> str:
    """A summary of the messages and of the summary before them.

    The transcript is summarised piece by piece, each piece within half of the model's window. If the model or its
    server fails, the earlier summary and the last lines are kept as they are. Nothing is lost: all messages are in
    recall memory.

    Args:
        model: writes the summary.
        earlier: the summary so far, or empty.
        messages: the evicted messages, oldest first.
        reply_tokens: tokens of a summary at most.
    """
    notes = earlier
    for piece in _pieces(model, [line for message in messages if (line := _line(message))]):
        try:
            notes = _fold(model, notes, piece, reply_tokens) or notes
        except (ModelReplyError, ModelServerError, PromptTooLong) as error:
            logger.warning("The summary could not be written: %s", error)
            notes = shorten(f"{notes}\n{piece}".strip(), reply_tokens, model.count_tokens, "(cut)")
    return notes


def _fold(model: ChatModel, notes: str, piece: str, reply_tokens: int) -> str:
    notes = shorten(notes, reply_tokens, model.count_tokens, "(cut)")  # a larger model may have written them
    earlier = f"Earlier notes:\n{notes}\n\n" if notes else ""
    prompt = [
        Message(role="system", content=packaged("summary.txt")),
        Message(role="user", content=f"{earlier}The conversation:\n{piece}\n\nWrite the notes."),
    ]
    with waiting():
        written = model.complete(prompt, [], max_tokens=reply_tokens).text.strip()
    return shorten(written, reply_tokens, model.count_tokens, "(cut)")


def _pieces(model: ChatModel, lines: Sequence[str]) -> list[str]:
    """The transcript in pieces of at most half a window."""
    budget = model.context_window // 2
    pieces: list[list[str]] = []
    used = budget
    for line in lines:
        line = shorten(line, budget // 4, model.count_tokens, "(cut)")
        size = model.count_tokens(line) + 1
        if used + size > budget:
            pieces.append([])
            used = 0
        pieces[-1].append(line)
        used += size
    return ["\n".join(piece) for piece in pieces]


def _line(message: Message) -> str:
    """One message as a line of the transcript; empty for function calls and alerts."""
    if not message.text:
        return ""
    return remark(message.text, speaker="I" if message.role == "assistant" else message.author or "User")
