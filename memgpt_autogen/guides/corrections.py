"""Which known lines a message corrects: new values in place of old ones, and what is over.

Words and rules, without a model, as in :mod:`.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .facts import CORRECTS, Fact, capitalised, is_quotation, key_terms, negative, sentences_of, subject

#: The share of an older fact's key terms that the sentence which ends it must contain.
ENDED = 1 / 3
#: Key terms that a quotation shares with a line of which it says the same.
QUOTES = 2
#: Words in which two facts of one form may differ at the end.
VALUE_WORDS = 5

#: What says that the last thing said was a slip: the new value belongs to the newest fact of its kind.
_SLIP = re.compile(
    r"\b(?:scratch that|i meant|i mean|correction|misread|mistaken|my mistake|sorry|typo|wrong|actually|"
    r"chang(?:e|ed|ing) the (?:date|day|time)|(?:a|the) new (?:date|day|time)|"
    r"(?:push|mov|shift|postpon|delay|bring|brought|put)(?:e|ed|ing)? (?:it|that|this|the whole \w+|everything)|"
    r"instead)\b",
    re.IGNORECASE,
)
#: What says that a number is a new one.
_NUMBER = (
    r"\d[\d,.]*\d|\d|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?|hundred"
)
_NEW_NUMBER = re.compile(
    r"\b(?:turn(?:ed|s)|leaves|left with|down to|up to|now|makes(?: it)?|so (?:it|that)['’]?s|now (?:have|has|own)"
    r"|becomes?|became|should (?:have (?:said|been|written)|be))"
    rf" (?:only |just |about )?({_NUMBER})\b|(?:['’]s|\bis|\bare) ({_NUMBER})(?: \w+)? now\b",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(rf"\b(?:{_NUMBER})\b", re.IGNORECASE)
#: What someone has left, sold or given up.
_LEFT = re.compile(
    r"\b(?:left|quit|moved (?:away |out )?(?:from|of)|resigned from|sold|gave up|given up|got rid of|broke up with"
    r"|split (?:up )?(?:from|with)|cancell?ed|closed|no longer (?:in|at|with))"
    r" (?:the |my |our |his |her |their |an? )?([\w-]+)"
    r"|\b([\w-]+(?: [A-ZÀ-Þ]\w+)?) (?:(?:is|are) (?:behind (?:me|us)|history|in the past)|was (?:where|when|what)"
    r"|(?:has |have )?(?:passed|gone|been (?:given|sold|handed)) to)\b",
    re.IGNORECASE,
)
#: What says that a value which the message repeats is the old one.
_NOT_THE_OLD = re.compile(r"\b(?:not|instead of|rather than|came from|was from)\b", re.IGNORECASE)
#: What says that something has ended.
_ENDS = re.compile(
    r"\b(?:no longer|any ?more|given up|gave up|quit|sold|stopped|cancell?ed|lost|handed|passed on|left|got rid of|"
    r"used to|moved|retired|taken over|took over|off \w+['’]s hands)\b|\bnot\b|n't\b",
    re.IGNORECASE,
)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
#: Values of one kind, of which a fact has one: a later value takes the place of the earlier.
_VALUES: Sequence[re.Pattern[str]] = (
    re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b", re.I),
    re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b", re.I),
    re.compile(r"\b\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?\b|\b\d{1,2} ?[ap]\.?m\.?\b", re.I),
)


@dataclass(frozen=True)
class Change:
    """A known line that a message corrects.

    Attributes:
        old: the line that is out of date.
        new: the line that takes its place; empty: it goes without one.
    """

    old: str
    new: str = ""


def corrections(message: str, facts: Sequence[Fact], known: Sequence[str]) -> list[Change]:
    """The known lines that a message makes out of date. Empty for a message that corrects nothing.

    Three kinds are recognised: a new date, day or time for something that has one; another value in a sentence of the
    same form ("lives in …"); and a sentence that says that something is over.

    Args:
        message: the whole message.
        facts: what it tells, as sentences.
        known: lines of core memory, oldest first.
    """
    if not CORRECTS.search(message) and not _NEW_NUMBER.search(message):
        return []
    found: dict[str, Change] = {}
    speaker = facts[0].speaker if facts else ""
    found |= _new_numbers(message, known, speaker)
    for line in reversed(known):
        if (moved := _with_new_value(line, message, speaker)) is not None:
            found[line] = Change(line, moved)
            break
    for fact in facts:
        alike = [line for line in known if line not in found and _same_form(line, fact.text)]
        if alike:
            best = max(alike, key=lambda line: (len(key_terms(line) & key_terms(message)), known.index(line)))
            found[best] = Change(best)
    for line in known:
        if line not in found and (_ended(line, message, speaker) or _left(line, message, speaker)):
            found[line] = Change(line)
    for line in known:  # a quotation that says what has just gone
        if line not in found and is_quotation(line):
            words = key_terms(line.partition(": ")[2]) - key_terms(speaker)
            if max((len(words & key_terms(one)) for one in found), default=0) >= QUOTES:
                found[line] = Change(line)
    if not found and _SLIP.search(message):
        found = _slip(message, known)
    return list(found.values())


def same_kind(line: str, other: str) -> bool:
    """Whether both lines have a value of one kind, such as a date."""
    return any(pattern.search(line) and pattern.search(other) for pattern in _VALUES)


def _slip(message: str, known: Sequence[str]) -> dict[str, Change]:
    """The newest line with a value of the kind that the message gives anew."""
    for pattern in _VALUES:
        new = pattern.findall(message)
        line = next((one for one in reversed(known) if len(pattern.findall(one)) == 1), None)
        if len(new) == 1 and line and new[0].lower() not in line.lower():
            return {line: Change(line, pattern.sub(new[0], line))}
    return {}


def _same_form(line: str, fact: str) -> bool:
    """Whether two sentences give different values of one thing: same subject and verb, and another end."""
    whom = subject(line)
    if whom != subject(fact) or negative(line) != negative(fact):
        return False
    first = line[len(whom) :].rstrip(".").split()
    second = fact[len(whom) :].rstrip(".").split()
    common = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a.lower() != b.lower()), None)
    if common is None or max(len(first), len(second)) - common > VALUE_WORDS:
        return False
    return common >= (2 if first[0].lower() in _OPEN_VERBS else 1)


#: Verbs of which one person has many facts at once: two facts need more than these in common to be of one form.
_OPEN_VERBS = frozenset(
    "is was are has had likes loves wants needs can does prefers enjoys plays speaks uses owns said".split()
)


def _ended(line: str, message: str, speaker: str) -> bool:
    """Whether a sentence of the message says that what the line tells is over."""
    names = " ".join(capitalised(line)) if ":" not in line else ""
    wanted = key_terms(line) - key_terms(f"{speaker} {names} {subject(line)}")
    return bool(wanted) and any(
        _ENDS.search(one) and len(wanted & key_terms(one)) >= ENDED * len(wanted) for one in sentences_of(message)
    )


def _is_the_old(value: str, message: str) -> bool:
    """Whether the message says that a value was wrong: "29 April, not 22"."""
    number = re.search(r"\d+", value)
    after = _NOT_THE_OLD.search(message)
    return bool(number and after and re.search(rf"\b{number[0]}(?:st|nd|rd|th)?\b", message[after.start() :]))


def _left(line: str, message: str, speaker: str) -> bool:
    """Whether a sentence of the message says that the line's subject left, sold or gave up what it tells of."""
    whom = subject(line)
    for sentence in sentences_of(message):
        own = bool(speaker) and speaker.lower().startswith(whom.split("'")[0].split("’")[0])
        if own or whom.split()[0] in sentence.lower().split():
            objects = key_terms(" ".join(word for found in _LEFT.findall(sentence) for word in found))
            if objects & (key_terms(line) - key_terms(whom)):
                return True
    return False


def _new_numbers(message: str, known: Sequence[str], speaker: str) -> dict[str, Change]:
    """The line whose number the message gives anew; quotations with the old number go.

    The line shares a key term with the message, itself or by the line before it, which may name what is counted. Lines
    with a date or a time are left alone. Among several, only those count whose number the message repeats.
    """
    numbers = {one or other for one, other in _NEW_NUMBER.findall(message)}
    if len(numbers) != 1:
        return {}
    new = numbers.pop()
    about = key_terms(_ANY_NUMBER.sub(" ", message)) - key_terms(speaker)
    candidates: dict[str, str] = {}
    for place, line in enumerate(known):
        old = _ANY_NUMBER.findall(line)
        near = " ".join([*known[max(0, place - 1) : place], line])
        dated = any(pattern.search(line) for pattern in _VALUES)
        if len(old) == 1 and old[0].lower() != new.lower() and not dated and key_terms(near) & about:
            candidates[line] = old[0]
    said = {
        line: old for line, old in candidates.items() if re.search(rf"\b{re.escape(old)}\b", message, re.IGNORECASE)
    }
    candidates = said or candidates
    if sum(not is_quotation(line) for line in candidates) != 1:
        return {}
    return {line: Change(line, "" if is_quotation(line) else _ANY_NUMBER.sub(new, line)) for line in candidates}


def _with_new_value(line: str, message: str, speaker: str) -> str | None:
    """The line with the date, day or time of the message in place of its own; None: the message is not about it."""
    for pattern in _VALUES:
        old, new = pattern.findall(line), pattern.findall(message)
        if len(old) == 1 and len(new) == 1 and old[0].lower() != new[0].lower():
            rest = key_terms(pattern.sub(" ", line)) & key_terms(pattern.sub(" ", message))
            if rest - key_terms(speaker) or _is_the_old(old[0], message):
                return pattern.sub(new[0], line)
    return None
