"""Facts about people: whether a message supports one, whether it is new, and which older fact it corrects.

Everything here is words and rules, without a model, so that what is saved does not depend on a small model's luck.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..storage.search.text import terms
from ..storage.search.words import STOP_WORDS, stem

#: The share of key terms that two facts must have in common to be the same fact.
SAME = 0.8
#: The share of an older fact's key terms that the sentence which ends it must contain.
ENDED = 1 / 3
#: Words in which two facts of one form may differ at the end.
VALUE_WORDS = 5

#: Verbs and nouns that a third person's sentence adds: they support nothing and contradict nothing.
_LIGHT = frozenset(
    "be become call come do get give go have keep like live make name need old own prefer please say speak take tell "
    "thing use user want work year years also very there currently appreciate enjoy love mention speaker called named "
    "find finds anymore longer other person people once before used goes does says not run".split()
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|im|i've|ive|i'd|i'll|my|mine|me|myself|we|we're|we've|our|ours|us)\b", re.I)
#: A clause that says something of the one who speaks, and is more than an address.
_TELLS_OF_SELF = re.compile(
    r"\b(?:i|we)\b \w+|\b(?:i|we)['’](?:m|ve|re|ll|d)\b|\b(?:my|our) [\w -]+?(?:['’]s| is| are| has| have)\b",
    re.IGNORECASE,
)
#: What says that something was otherwise before.
CORRECTS = re.compile(
    r"\b(?:actually|no longer|any ?more|now|nowadays|instead|scratch that|i meant|i mean|correction|chang(?:e|ed|es)|"
    r"switch(?:ed)?|moved|given up|gave up|quit|sold|stopped|used to|until recently|pushed|postponed|brought forward|"
    r"rescheduled|misread|mistaken|my mistake|sorry|cancell?ed|left|lost|broke up|divorced|handed|passed|wrong|"
    r"turns out|update|renamed|replaced|retired)\b",
    re.IGNORECASE,
)
#: What says that the last thing said was a slip: the new value belongs to the newest fact of its kind.
_SLIP = re.compile(
    r"\b(?:scratch that|i meant|i mean|correction|misread|mistaken|my mistake|sorry|typo|wrong|actually)\b",
    re.IGNORECASE,
)
#: What says that something has ended.
_ENDS = re.compile(
    r"\b(?:no longer|any ?more|given up|gave up|quit|sold|stopped|cancell?ed|lost|handed|passed on|left|got rid of|"
    r"used to|moved|retired)\b|\bnot\b|n't\b",
    re.IGNORECASE,
)
_IS_PAST = re.compile(r"\b(?:used to|no longer|any ?more|gave up|given up|sold|formerly|quit)\b", re.IGNORECASE)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
#: Values of one kind, of which a fact has one: a later value takes the place of the earlier.
_VALUES: Sequence[re.Pattern[str]] = (
    re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b", re.I),
    re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b", re.I),
    re.compile(r"\b\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?\b|\b\d{1,2} ?[ap]\.?m\.?\b", re.I),
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
#: A sentence that asks for something, or is mere courtesy.
_ASKS = re.compile(
    r"^(?:(?:and|so|but|ok|okay|well|hey|hi|please|then),?\s+)*(?:can|could|would|will|should|may|do|does|did|is|are|was|"
    r"were|am|have|has|what|which|who|whom|whose|when|where|why|how|tell me|give me|show me|explain|suggest|write|"
    r"help|recommend|describe|list|translate|i'd like to know|i would like to know|i wonder)\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"^(?:(?:hello|hi|hey|thanks?|thank you|good (?:morning|evening|afternoon|night|day)|nice to meet you|bye|goodbye|"
    r"great|cool|ok|okay|i see|i understand|you're welcome|no problem|sure|yes|no|well|so|that's|it's|very|really|"
    r"helpful|nice|fine|good|there|again|a lot|so much|sam|all)\b[\s,.!]*)+$",
    re.IGNORECASE,
)
#: Not the third person: such a fact is quoted instead.
_NOT_THIRD = re.compile(r"\b(?:i|i'm|my|me|mine|we|our|us|you|your|yours)\b", re.IGNORECASE)
_REMEMBER = re.compile(
    r"\b(?:remember|note|keep (?:that |this |it )?in mind|don't forget|bear in mind|for the record)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Fact:
    """One sentence about a person.

    Attributes:
        text: the sentence.
        message_id: the message that it comes from.
        speaker: who said it.
    """

    text: str
    message_id: str
    speaker: str = ""


@dataclass(frozen=True)
class Change:
    """A known line that a message corrects.

    Attributes:
        old: the line that is out of date.
        new: the line that takes its place; empty: it goes without one.
    """

    old: str
    new: str = ""


def worth_reading(text: str) -> bool:
    """Whether a message may hold a fact: a cheap check, before a model is asked.

    Questions, requests and courtesies do not, unless something is told in passing ("As a nurse I work nights, so …").
    """
    return any(_may_tell(one) for one in sentences_of(text))


def statements(text: str) -> list[str]:
    """The sentences of a message in which people tell something of themselves, or correct what they said.

    Of a question, the clause before it: "As a nurse I work nights" of "As a nurse I work nights, so what can I do?".
    """
    return [told for one in sentences_of(text) if (told := _told(one))]


def only_states(text: str) -> bool:
    """Whether a message tells something and asks for nothing."""
    return all(_told(one) == one or _COURTESY.match(one) for one in sentences_of(text))


def sentences_of(text: str) -> list[str]:
    """The sentences of a message, one by one."""
    return [one.strip() for line in text.splitlines() for one in _SENTENCE.split(line) if re.search(r"\w", one)]


def _told(sentence: str) -> str:
    """What a sentence tells; empty: nothing."""
    if sentence.endswith("?"):
        clause = sentence.rpartition(",")[0]
        return clause if _TELLS_OF_SELF.search(clause) and not _ASKS.match(sentence) else ""
    if _REMEMBER.search(sentence):
        return sentence
    tells = bool(_FIRST_PERSON.search(sentence) or CORRECTS.search(sentence)) and bool(key_terms(sentence))
    return sentence if tells and not _ASKS.match(sentence) and not _COURTESY.match(sentence) else ""


def _may_tell(sentence: str) -> bool:
    if sentence.endswith("?"):
        return bool(_told(sentence))
    return (not _ASKS.match(sentence) and not _COURTESY.match(sentence)) or bool(_told(sentence))


def key_terms(text: str) -> set[str]:
    """The stems of the words that say something."""
    words = terms(re.sub(r"n['’]t\b|['’]s\b", " ", text))
    matter = [word for word in words if word not in STOP_WORDS and (len(word) > 1 or not word.isascii())]
    return ({stem(word) or word for word in matter} - _light_stems()) | {word for word in words if word.isdigit()}


@cache
def _light_stems() -> frozenset[str]:
    return frozenset(stem(word) or word for word in _LIGHT)


def name_line(name: str) -> str:
    """The line of core memory that tells the name of the one user."""
    return f"The user's name is {name}."


def named(lines: Sequence[str]) -> str:
    """The user's name by the lines of core memory; empty: they do not tell it."""
    for line in lines:
        if found := _NAME_LINE.match(line):
            return found[1].strip()
    return ""


_NAME_LINE = re.compile(r"(?:The user's name is|(?:First )?[Nn]ame:) ([^.\n]+)")


def has_ended(fact: str) -> bool:
    """Whether a fact only tells what is no longer so."""
    return bool(_IS_PAST.search(fact))


def capitalised(text: str) -> list[str]:
    """The capitalised words of a text."""
    return re.findall(r"\b[A-ZÀ-Þ][\w'’-]+", text)


def names_and_numbers(text: str) -> set[str]:
    """Names (capitalised words within a sentence) and numbers, as key terms."""
    found = re.findall(r"(?<=[\w,;:] )[A-ZÀ-Þ][\w'’-]+|\d+", text)
    return {term for one in found if not re.match(r"I\b", one) for term in key_terms(one)}


def in_third_person(fact: str) -> bool:
    """Whether a fact speaks of its speaker as others would, and is more than a request to remember it."""
    return not _NOT_THIRD.search(fact) and not _REMEMBER.search(fact)


def supported(fact: str, message: str, speaker: str) -> bool:
    """Whether a message says what a fact says: every key term of it stands in the message, numbers and names above all.

    Args:
        fact: a sentence.
        message: the words it is to come from.
        speaker: may stand in the fact whether or not the message has the name.
    """
    known = key_terms(message) | key_terms(speaker)
    wanted = key_terms(fact) - key_terms(speaker)
    return bool(wanted) and all(any(_alike(term, other) for other in known) for term in wanted)


def _alike(term: str, other: str) -> bool:
    """The same stem, or a common start long enough for one word family, as in ``chem`` of chemist and chemistry."""
    if term == other or term.isdigit() or other.isdigit():
        return term == other
    shortest = min(len(term), len(other))
    return shortest >= 5 and term[: shortest - 1] == other[: shortest - 1]


def is_known(fact: str, known: Sequence[str]) -> bool:
    """Whether a line says the same already, in whatever order and with whatever light words."""
    new = key_terms(fact)
    for line in known:
        old = key_terms(line)
        if _negative(line) == _negative(fact) and new and len(new & old) >= SAME * len(new | old):
            return True
        if _subject(line) == _subject(fact) and _negative(line) == _negative(fact) and new and new <= old:
            return True
    return False


def corrections(message: str, facts: Sequence[Fact], known: Sequence[str]) -> list[Change]:
    """The known lines that a message makes out of date. Empty for a message that corrects nothing.

    Three kinds are recognised: a new date, day or time for something that has one; another value in a sentence of the
    same form ("lives in …"); and a sentence that says that something is over.

    Args:
        message: the whole message.
        facts: what it tells, as sentences.
        known: lines of core memory, oldest first.
    """
    if not CORRECTS.search(message):
        return []
    found: dict[str, Change] = {}
    speaker = facts[0].speaker if facts else ""
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
        if line not in found and _ended(line, message, speaker):
            found[line] = Change(line)
    if not found and _SLIP.search(message):
        found = _slip(message, known)
    return list(found.values())


def _slip(message: str, known: Sequence[str]) -> dict[str, Change]:
    """The newest line with a value of the kind that the message gives anew."""
    for pattern in _VALUES:
        new = pattern.findall(message)
        line = next((one for one in reversed(known) if len(pattern.findall(one)) == 1), None)
        if len(new) == 1 and line and new[0].lower() not in line.lower():
            return {line: Change(line, pattern.sub(new[0], line))}
    return {}


def _negative(text: str) -> bool:
    return bool(re.search(r"\b(?:not|no|never|cannot)\b|n't\b", text, re.IGNORECASE))


def _subject(line: str) -> str:
    """The words before the verb, as far as they can be told: a name, "The user", and what they have."""
    found = re.match(r"(?:the user|[A-ZÀ-Þ]\S*(?: [A-ZÀ-Þ]\S*)*|\S+)(?:['’]s(?: \S+)?)?", line)
    return found[0].lower() if found else ""


def _same_form(line: str, fact: str) -> bool:
    """Whether two sentences give different values of one thing: same subject and verb, and another end."""
    subject = _subject(line)
    if subject != _subject(fact) or _negative(line) != _negative(fact):
        return False
    first = line[len(subject) :].rstrip(".").split()
    second = fact[len(subject) :].rstrip(".").split()
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
    wanted = key_terms(line) - key_terms(f"{speaker} {names} {_subject(line)}")
    return bool(wanted) and any(
        _ENDS.search(one) and len(wanted & key_terms(one)) >= ENDED * len(wanted) for one in sentences_of(message)
    )


def _with_new_value(line: str, message: str, speaker: str) -> str | None:
    """The line with the date, day or time of the message in place of its own; None: the message is not about it."""
    for pattern in _VALUES:
        old, new = pattern.findall(line), pattern.findall(message)
        if len(old) == 1 and len(new) == 1 and old[0].lower() != new[0].lower():
            rest = key_terms(pattern.sub(" ", line)) & key_terms(pattern.sub(" ", message))
            if rest - key_terms(speaker):
                return pattern.sub(new[0], line)
    return None


def condensed(lines: Sequence[str], limit: int) -> tuple[list[str], list[str]]:
    """Lines that fit a block, and the oldest ones, which must make room; the user's name stays.

    Args:
        lines: oldest first.
        limit: characters of the block.

    Returns:
        The lines that stay, and those that go, both in their order.
    """
    stay, gone = list(lines), []
    while len("\n".join(stay)) > limit:
        oldest = next((line for line in stay if not _NAME_LINE.match(line)), stay[0])
        stay.remove(oldest)
        gone.append(oldest)
    return stay, gone
