"""Reply checks: a reply that repeats the user, speaks as the user or refuses is asked for once more with the reason."""

from __future__ import annotations

import re
import sys

from ..agent.guide import Guide, ReplyContext, TurnContext
from ..grounding.retrieve import second_person
from ..messages import SEND_MESSAGE, Message, Reply, ToolCall
from .extract import introduced

#: A message of so many words may come back in a reply: "Hello there!" is answered so.
SHORT = 3
#: Words that a reply of a larger model may add to a message and still only repeat it: "Okay, Tom!".
MOST_ADDED = 3

_REPEATS = "Your reply only repeats what was said to you. Answer it in your own words."
_REFUSES = "There is nothing wrong with that. Answer it in a sentence, as well as you can."
_SPEAKS_AS_USER = "Your reply speaks as if you were the person you talk to. Answer them, and call them you."
_DO_I = re.compile(
    r"\b(?:do|did|have|had|am|are|was|were|can|could|may|must|should|would|will) (I|we) (\w+)", re.IGNORECASE
)
#: What small models say to harmless words at times, in these words and no others: "vegan btw".
_REFUSAL = re.compile(
    r"^\W*I['’]m sorry, but I can(?:['’]t|not) (?:assist|help)(?: you)? with (?:that|this)(?: request)?[.!]?\s*$"
)
#: Said where the second reply is no better.
_ACKNOWLEDGED = "Thank you, I will remember that."
_NO_ANSWER = "I am not sure about that."


class ReplyCheckGuide(Guide):
    """Checks what is said in one turn.

    Args:
        turn: the turn.
        strict: whether a reply is an echo even if it adds something to the message, and a bare refusal is asked for
            again. Small models do so; a larger one may quote, and refuse.
    """

    def __init__(self, turn: TurnContext, *, strict: bool = False) -> None:
        super().__init__(turn)
        self._strict = strict

    def check_reply(self, reply: Reply, context: ReplyContext) -> Reply:
        """The reply; or, if it repeats or speaks as the user, another one, or a plain sentence if that does too."""
        said = [one for one in self.turn.unanswered if one.kind == "user_message" and one.text]
        if not said:
            return reply
        if mended := said_to_user(said[-1].text, _words(reply)):
            return _with_words(reply, mended)
        if not (reason := _fault(reply, said[-1], strict=self._strict)):
            return reply
        again = context.ask_again(reply, reason)
        if not _fault(again, said[-1], strict=self._strict):
            return again
        if reason is _REFUSES:
            return again
        return _with_words(again, _NO_ANSWER if said[-1].text.rstrip().endswith("?") else _ACKNOWLEDGED)


def _fault(reply: Reply, message: Message, *, strict: bool) -> str:
    """Why a reply is to be asked for again; empty: it is not."""
    words = _words(reply)
    if repeats(message.text, words, sys.maxsize if strict else MOST_ADDED):
        return _REPEATS
    name = introduced(message.text) or message.author
    if name and re.match(rf"\W*(?:[Hh]\w+[,!]? )?(?:I am|I'm|[Mm]y name is) {re.escape(name)}\b", words):
        return _SPEAKS_AS_USER
    return _REFUSES if strict and _REFUSAL.match(words) else ""


def _words(reply: Reply) -> str:
    return " ".join(str(call.arguments.get("message", "")) for call in reply.tool_calls if call.name == SEND_MESSAGE)


def said_to_user(question: str, reply: str) -> str:
    """The reply with "you" for "I", where it takes what a question calls "my …" or "do I …" for its own.

    Asked again, a 1.5B model answers worse: "I don't have any information about your profession."

    Returns:
        "Your job is to bind books." for "What is my job?" and "My job is to bind books."; empty: no such fault.
    """
    if not question.rstrip().endswith("?"):
        return ""
    own = [rf"(?:my|our) {one}\b" for one in re.findall(r"\b(?:my|our) (\w+)", question, re.IGNORECASE)]
    own += [rf"{who} (?:[\w'’]+ ){{0,2}}{verb}\b" for who, verb in _DO_I.findall(question)]
    if not any(re.match(rf"\W*(?:\w+, )?{one}", reply, re.IGNORECASE) for one in own):
        return ""
    return second_person(reply)


def repeats(message: str, reply: str, added: int = sys.maxsize) -> bool:
    """Whether a reply holds a message of more than :data:`SHORT` words word for word, letter case and marks aside.

    Args:
        message: what was said to the agent.
        reply: what it says.
        added: words of its own at most.
    """
    said, words = _bare(message), _bare(reply)
    own = len(words.split()) - len(said.split())
    return len(said.split()) > SHORT and own <= added and f" {said} " in f" {words} "


def _bare(text: str) -> str:
    return " ".join(re.findall(r"[\w'’]+", text.lower()))


def _with_words(reply: Reply, words: str) -> Reply:
    return Reply((ToolCall(SEND_MESSAGE, {"message": words}),), usage=reply.usage)
