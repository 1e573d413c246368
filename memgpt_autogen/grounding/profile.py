"""Questions about the speaker whose answer uses other words: "What do I do for a living?" and "I am a bookbinder."."""

from __future__ import annotations

import re
from dataclasses import dataclass

_I = r"\b(?i:i am|i['’]m)"


@dataclass(frozen=True)
class ProfileField:
    """One thing that people tell about themselves.

    Attributes:
        question: regular expression of the questions that ask for it.
        queries: what to search for.
        statement: regular expression of the sentences that tell it; the newest one counts.
    """

    question: re.Pattern[str]
    queries: tuple[str, ...]
    statement: re.Pattern[str]


NAME = ProfileField(
    re.compile(
        r"what(?:'s| is| was) my (?:first |last |full )?name\b|\bwho am i\b|what am i called|what do you call me", re.I
    ),
    ("I am", "my name is called"),
    re.compile(
        rf"(?:{_I}|\b(?i:this is|my (?:first |last |full )?name(?: is|['’]s)|call me)) [A-ZÀ-Þ]"
        r"|^\W*(?:\w+, )?[A-ZÀ-Þ]\w+ here\b"
    ),
)
PROFILE = (
    NAME,
    ProfileField(
        re.compile(
            r"what (?:do|did) i do (?:for (?:a living|work)|professionally)|what do i work as|where do i work\b"
            r"|what(?:'s| is| was) my (?:job|profession|occupation|trade|work)\b",
            re.I,
        ),
        ("I am a", "I work as", "my job", "I teach run"),
        re.compile(
            rf"{_I} (?:working )?(?:as )?an? (?!bit|little|lot|big|huge|fan|great)\w+"
            r"|\b(?i:i work|i teach|i run|i['’]ve got a job|my (?:new )?job|as an? \w+,? i)\b"
        ),
    ),
    ProfileField(
        re.compile(
            r"where do i live|wh(?:ich|at) (?:city|town|village|country) do i live|where am i (?:living|based)", re.I
        ),
        ("I live in", "I moved to"),
        re.compile(rf"\b(?i:i (?:now )?live|i(?:['’]ve| have)?(?: just)? moved|my home is)\b|{_I} (?:living|based)\b"),
    ),
    ProfileField(
        re.compile(r"how old am i|what(?:'s| is) my age", re.I),
        ("I am years old", "my age"),
        re.compile(rf"{_I} (?:\d+|\w+ years old|\w+-\w+)\b|\bmy age\b|\bI turned \w+"),
    ),
)


def profile_field(question: str) -> ProfileField | None:
    """What of the speaker a question asks for; None: something else."""
    return next((one for one in PROFILE if one.question.search(question)), None)
