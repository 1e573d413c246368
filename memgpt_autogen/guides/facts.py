"""Facts about people: whether a message supports one, and whether it is new.

Everything here is words and rules, without a model, so that what is saved does not depend on a small model's luck.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from ..storage.search.text import terms
from ..storage.search.words import STOP_WORDS, stem

#: The share of key terms that two facts must have in common to be the same fact.
SAME = 0.8

#: Verbs and nouns that a third person's sentence adds: they support nothing and contradict nothing.
_LIGHT = frozenset(
    "be become call come do get give go have keep like live make name need old own prefer please say speak take tell "
    "thing use user want work year years also very there currently appreciate enjoy love mention speaker called named "
    "find finds anymore longer other person people once before used goes does says not run "
    "lol kinda btw fyi haha omg gonna wanna".split()
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|im|i've|ive|i'd|i'll|my|mine|me|myself|we|we're|we've|our|ours|us)\b", re.I)
#: A clause that says something of the one who speaks, and is more than an address.
_TELLS_OF_SELF = re.compile(
    r"\b(?:i|we)\b \w+|\b(?:i|we)['’](?:m|ve|re|ll|d)\b|\b(?:im|ive|weve)\b \w+"
    r"|\b(?:my|our) [\w -]+?(?:['’]s| is| are| has| have)\b"
    r"|^(?:just |finally )?(?:got|having|been|moved|started|lost|bought|booked|passed|failed|broke) \w+ \w+",
    re.IGNORECASE,
)
#: What says that something was otherwise before.
CORRECTS = re.compile(
    r"\b(?:actually|no longer|any ?more|now|nowadays|instead|scratch that|i meant|i mean|correction|chang(?:e|ed|es)|"
    r"switch(?:ed)?|moved|given up|gave up|quit|sold|stopped|used to|until recently|pushed|postponed|brought forward|"
    r"rescheduled|shift(?:ed)?|delayed|slipped|misinformed|mixed up|instead of|rather than|behind us|draft|"
    r"misread|mistaken|my mistake|sorry|cancell?ed|left|lost|broke up|divorced|handed|passed|wrong|"
    r"turns out|update|renamed|replaced|retired|taken over|took over|from now on|off \w+['’]s hands)\b",
    re.IGNORECASE,
)
_IS_PAST = re.compile(r"\b(?:used to|no longer|any ?more|gave up|given up|sold|formerly|quit)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
#: Where one clause of a sentence ends and another, with a subject of its own, begins.
_CLAUSE = re.compile(
    r"[;:]\s+|,\s+(?:(?:and|but|so)\s+)?(?=(?:I|we|my|our)\b)|\s+(?:and|but)\s+(?=(?:I|we|my|our)\b)", re.IGNORECASE
)
#: A sentence that asks for something, or is mere courtesy.
_ASKS = re.compile(
    r"^(?:(?:and|so|but|ok|okay|well|hey|hi|please|then|in|on|at|from|to|by|with|for),?\s+)*(?:can|could|would|will|should|may|do|does|did|is|are|was|"
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
_SUBJECT = re.compile(r"\b([A-ZÀ-Þ][\w-]+)(?=['’]s\b| (?:is|was|has|had|can|will|turned|got|left|moved|\w+s)\b)")
_NOT_THIRD = re.compile(r"\b(?:i|i'm|my|me|mine|we|our|us|you|your|yours)\b", re.IGNORECASE)
_WONDERS = re.compile(r"\b(?:wants? to know|would like to know|asks?|asked|wonders?|is (?:asking|wondering))\b", re.I)
#: What says how someone wants things to be, from now on.
_WISH = re.compile(r"\b(?:please|always|never|from now on)\b", re.IGNORECASE)
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


def worth_reading(text: str) -> bool:
    """Whether a message may hold a fact: a cheap check, before a model is asked.

    Questions, requests and courtesies do not, unless something is told in passing ("As a nurse I work nights, so …").
    """
    return any(_may_tell(one) for one in sentences_of(text))


def statements(text: str, names: Collection[str] = ()) -> list[str]:
    """The sentences of a message in which people tell something of themselves or theirs, or correct what they said.

    Of a question, the clause before it: "As a nurse I work nights" of "As a nurse I work nights, so what can I do?".

    Args:
        text: the message.
        names: of people, animals and things that the speaker has told of; the message may tell more of them.
    """
    parts = sentences_of(text)
    theirs = {*names, *(name for one in parts if _FIRST_PERSON.search(one) for name in _inner_names(one))}
    return [told for one in parts if (told := _told(one) or _told_of(one, theirs))]


def only_states(text: str) -> bool:
    """Whether a message tells something and asks for nothing."""
    return all(_told(one) == one or _COURTESY.match(one) for one in sentences_of(text))


def clauses(sentence: str) -> list[str]:
    """The clauses of a sentence in which each tells something of the speaker; the sentence, if it has none."""
    parts = [part.strip(" ,;:") for part in _CLAUSE.split(sentence)]
    telling = [one for one in parts if _FIRST_PERSON.search(one) and key_terms(CORRECTS.sub(" ", one))]
    return telling or [sentence]


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
    tells = any(kind.search(sentence) for kind in (_FIRST_PERSON, CORRECTS, _WISH)) and bool(key_terms(sentence))
    return sentence if tells and not _ASKS.match(sentence) and not _COURTESY.match(sentence) else ""


def _told_of(sentence: str, names: Collection[str]) -> str:
    """A sentence that says something of one of these; empty: it does not."""
    tells = not sentence.endswith("?") and not _ASKS.match(sentence) and _subjects(sentence) & set(names)
    return sentence if tells else ""


def _inner_names(text: str) -> list[str]:
    """Capitalised words within a sentence."""
    return re.findall(r"(?<=[\w,;:] )[A-ZÀ-Þ][\w-]+", text)


def _subjects(sentence: str) -> set[str]:
    """Names with a verb after them."""
    return set(_SUBJECT.findall(sentence))


def as_owned(fact: str, message: str, speaker: str) -> str:
    """A fact without "Ann's" for what the message does not call Ann's: of "The weather changes." "The weather changes."

    A small model writes "Ann's weather changes."
    """
    if _FIRST_PERSON.search(message):
        return fact
    return re.sub(rf"^{re.escape(speaker)}['’]s (?=[a-z])", "The ", fact)


def misattributed(fact: str, message: str) -> bool:
    """Whether a fact says of one person what the message says of another.

    Of "Ann's twelve, Ben's eight and stutters." a small model writes "Ann stutters."
    """
    found = re.match(r"[A-ZÀ-Þ][\w-]+", fact)
    if not found or found[0] not in message:
        return False
    for sentence in sentences_of(message):
        heads = [(one.start(), one[1]) for one in _SUBJECT.finditer(sentence)]
        if {name for _, name in heads} - {found[0]} and found[0] in sentence:
            for word in re.finditer(r"[\w-]+", sentence):
                if key_terms(word[0]) - key_terms(found[0]) and key_terms(word[0]) <= key_terms(fact):
                    before = [name for at, name in heads if at < word.start()]
                    if before and before[-1] != found[0] and before[-1] not in fact:
                        return True
    return False


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
    """Whether a fact speaks of its speaker as others would, and is more than a request or a question."""
    return not any(kind.search(fact) for kind in (_NOT_THIRD, _REMEMBER, _WONDERS))


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
    common = max(5, min(len(term), len(other)) - 1)
    return min(len(term), len(other)) >= 5 and term[:common] == other[:common]


def missed(text: str, told: set[str]) -> set[str]:
    """The key terms of a text that stand in no form among some others."""
    return {term for term in key_terms(text) if not any(_alike(term, other) for other in told)}


def quotation(speaker: str, words: str) -> str:
    """What someone said, as a line of memory."""
    return f'{speaker} said: "{words}"'


def is_quotation(line: str) -> bool:
    """Whether a line of memory has someone's own words."""
    return ' said: "' in line


def is_known(fact: str, known: Sequence[str]) -> bool:
    """Whether a line says the same already, in whatever order and with whatever light words."""
    new = key_terms(fact)
    for line in known:
        old = key_terms(line)
        if negative(line) == negative(fact) and new and len(new & old) >= SAME * len(new | old):
            return True
        if subject(line) == subject(fact) and negative(line) == negative(fact) and new and new <= old:
            return True
    return False


def negative(text: str) -> bool:
    return bool(re.search(r"\b(?:not|no|never|cannot)\b|n't\b", text, re.IGNORECASE))


def subject(line: str) -> str:
    """The words before the verb, as far as they can be told: a name, "The user", and what they have."""
    found = re.match(r"(?:the user|[A-ZÀ-Þ]\S*(?: [A-ZÀ-Þ]\S*)*|\S+)(?:['’]s(?: \S+)?)?", line)
    return found[0].lower() if found else ""


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
