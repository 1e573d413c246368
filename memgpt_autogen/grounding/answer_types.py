"""The type of answer that a question asks for, and how it looks in a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = (
    r"(?:\d[\d.,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|half|once"
    r"|twice|(?:an?|one)(?=\s+(?:hour|day|week|month|year|minute|metre|kilometre|mile|pound|dollar|euro)))"
)
_TIME = r"(?:seconds?|minutes?|min|hours?|days?|nights?|weeks?|months?|years?|decades?|centur(?:y|ies))\b"
_LENGTH = r"(?:mm|cm|m|km|ft|in|(?:milli|centi|kilo)?met(?:re|er)s?|miles?|feet|foot|inch(?:es)?|yards?|storeys?)\b"
_WEIGHT = r"(?:g|kg|lbs?|(?:milli|kilo)?gram(?:me)?s?|kilos?|tons?|tonnes?|pounds?|ounces?|stone)\b"
_MONEY = r"(?:pounds?|euros?|dollars?|crowns?|francs?|cents?|pence|yen|EUR|USD|GBP|CHF)\b"
_MONTH = r"(?:Jan|Febr)uary|March|April|May|June|July|August|(?:Sept|Nov|Dec)ember|October"
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_DATE = (
    rf"\b(?:{_MONTH}|{_DAY})\b|\b(?:1\d|20)\d\d\b|\b\d\d?[:.]\d\d\b|\bo'clock|\bhalf past|(?i:\b(?:spring|summer|autumn"
    rf"|winter|christmas|easter|morning|noon|afternoon|evening|night|midnight|today|tomorrow|yesterday|tenth|first"
    rf"|daily|weekly|monthly|yearly|every|until|after|before|during|while|{_NUMBER}\s+{_TIME}))\b"
)
_COLOUR = (
    r"\b(?:red|green|blue|yellow|black|white|gr[ae]y|brown|orange|purple|violet|pink|gold(?:en)?|silver|turquoise)\b"
)
_PERSON = r"(?<=[\w,;:)’'] )[A-ZÀ-Þ][\w’'-]+|^(?:\W*[A-ZÀ-Þ][\w’'.-]+ ){1,3}[A-ZÀ-Þ]|\b(?:I|you)\b"
_PLACE = r"(?i:\b(?:in|at|on|from|to|near|under|beside|behind|between|above|below|inside|outside|opposite)\b)"


def _measured(unit: str) -> str:
    return rf"(?i:\b{_NUMBER}[\s-]*(?:{unit}))"


@dataclass(frozen=True)
class AnswerType:
    """A type of answer.

    Attributes:
        question_pattern: regular expression of questions that ask for it.
        answer_pattern: regular expression of such an answer.
        question_words: words of the question that ask for it; the answer need not contain them.
        required: whether a sentence without it cannot be the answer.
    """

    question_pattern: str
    answer_pattern: str
    question_words: tuple[str, ...] = ()
    required: bool = True


ANSWER_TYPES = (
    AnswerType(
        r"how long|how much time", f"{_measured(_TIME)}|{_measured(_LENGTH)}", ("long", "take", "takes", "last", "time")
    ),
    AnswerType(
        r"how (?:high|deep|tall|far|wide|thick)", _measured(_LENGTH), ("high", "deep", "tall", "far", "wide", "thick")
    ),
    AnswerType(r"how heavy|weigh", _measured(_WEIGHT), ("heavy", "weigh", "weighs", "weight")),
    AnswerType(
        r"\b(?:costs?|price)\b|how much \w* *(?:is|are|do|does|did)\b.*\bpay",
        rf"[$€£]|(?i:{_NUMBER} {_MONEY})|\bfree\b",
        ("cost", "costs", "price"),
    ),
    AnswerType(r"how old", rf"(?i:\b{_NUMBER}\b)|\bborn\b", ("old",)),
    AnswerType(r"how (?:hot|warm|cold)|temperature", r"°|degrees", ("hot", "warm", "cold", "temperature")),
    AnswerType(r"how (?:many|much|often)", rf"(?i:\b{_NUMBER}\b)|[$€£%]|(?i:\b(?:every|no|none|one)\b)"),
    AnswerType(r"wh(?:at|ich) colou?r", rf"(?i:{_COLOUR})", ("colour", "color")),
    AnswerType(r"\bwhen\b|wh(?:at|ich) (?:day|date|month|year|time)", _DATE, ("day", "date", "month", "year", "time")),
    AnswerType(
        r"\b(?:volume|length|height|depth|width|distance|speed|number|age|percentage|share)\b", r"\d", ("number",)
    ),
    AnswerType(r"\bnames?\b|\bcalled\b", _PERSON, ("name", "names", "called"), required=False),
    AnswerType(r"\bwho(?:se|m)?\b", _PERSON, required=False),
    AnswerType(r"\bwhere\b", _PLACE, required=False),
)


def answer_type_of(question: str) -> AnswerType | None:
    """The type of answer that a question asks for; None: any."""
    return next((one for one in ANSWER_TYPES if re.search(one.question_pattern, question, re.IGNORECASE)), None)
