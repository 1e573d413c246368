"""What kind of answer a question asks for, and whether a sentence has one."""

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
class Kind:
    """A kind of answer.

    Attributes:
        question: how it is asked for.
        answer: how it looks.
        said: words of the question that ask for it, and need not stand in the answer.
        needed: whether a sentence without it is no answer at all.
    """

    question: str
    answer: str
    said: tuple[str, ...] = ()
    needed: bool = True


KINDS = (
    Kind(
        r"how long|how much time", f"{_measured(_TIME)}|{_measured(_LENGTH)}", ("long", "take", "takes", "last", "time")
    ),
    Kind(
        r"how (?:high|deep|tall|far|wide|thick)", _measured(_LENGTH), ("high", "deep", "tall", "far", "wide", "thick")
    ),
    Kind(r"how heavy|weigh", _measured(_WEIGHT), ("heavy", "weigh", "weighs", "weight")),
    Kind(
        r"\b(?:costs?|price)\b|how much \w* *(?:is|are|do|does|did)\b.*\bpay",
        rf"[$€£]|(?i:{_NUMBER} {_MONEY})|\bfree\b",
        ("cost", "costs", "price"),
    ),
    Kind(r"how old", rf"(?i:\b{_NUMBER}\b)|\bborn\b", ("old",)),
    Kind(r"how (?:hot|warm|cold)|temperature", r"°|degrees", ("hot", "warm", "cold", "temperature")),
    Kind(r"how (?:many|much|often)", rf"(?i:\b{_NUMBER}\b)|[$€£%]|(?i:\b(?:every|no|none|one)\b)"),
    Kind(r"wh(?:at|ich) colou?r", rf"(?i:{_COLOUR})", ("colour", "color")),
    Kind(r"\bwhen\b|wh(?:at|ich) (?:day|date|month|year|time)", _DATE, ("day", "date", "month", "year", "time")),
    Kind(r"\b(?:volume|length|height|depth|width|distance|speed|number|age|percentage|share)\b", r"\d", ("number",)),
    Kind(r"\bnames?\b|\bcalled\b", _PERSON, ("name", "names", "called"), needed=False),
    Kind(r"\bwho(?:se|m)?\b", _PERSON, needed=False),
    Kind(r"\bwhere\b", _PLACE, needed=False),
)


def expected(question: str) -> Kind | None:
    """The kind of answer that a question asks for; None: any."""
    return next((kind for kind in KINDS if re.search(kind.question, question, re.IGNORECASE)), None)
