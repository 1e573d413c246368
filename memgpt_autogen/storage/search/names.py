"""Names in a text, and the name that a passage is about: what links one passage to another."""

from __future__ import annotations

import re

from .text import terms
from .words import STOP_WORDS

#: A heading is at most so long, in characters.
HEADING = 80
#: A name is at most so many words.
LONGEST = 6

_LINK = r"(?:of|the|and|for|in|on|at|to|de|del|della|der|den|du|di|da|la|le|van|von|zu|&)"
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w'’&-]*\.?|\d[\w-]*"
_RUN = re.compile(rf"(?:{_CAPITAL})(?:\s+(?:{_LINK}\s+){{0,2}}(?:{_CAPITAL}))*")
_SENTENCE_END = re.compile(r"[.!?:\n]\W*\Z")
_LINKS = re.compile(rf"\s+(?:{_LINK}\s+){{1,2}}|['’]s?(?:\s+|\Z)|\.\s+")
_OPENING = frozenset(
    "a after all also although an and another are as at be because before both but by can did do does during each for "
    "from had has have he her here his how however i if in is it its many may most my no not of on one or other our "
    "over she since so some such that the their them then there these they this those though through to two under "
    "until was we were what when where which while who why will with within without you your".split()
)


def names_in(text: str) -> list[str]:
    """The names in a text: its runs of capitalised words and their parts, each once, in small letters.

    A single word that only begins a sentence is none.
    """
    found: dict[str, None] = {}
    for match in _RUN.finditer(text):
        whole = match[0]
        begins = not text[: match.start()].rstrip(" \"'“‘(*#>-") or _SENTENCE_END.search(text, 0, match.start())
        for name in (whole, *_LINKS.split(whole)):
            words = terms(name)
            while words and words[0] in _OPENING:
                del words[0]
            if not words or len(words) > LONGEST or (len(words) == 1 and (begins or len(words[0]) < 3)):
                continue
            found.setdefault(" ".join(words))
    return list(found)


def phrases_in(query: str) -> list[str]:
    """Everything in a query that a heading could be: its words in a row, as far as they say something."""
    words = terms(query)
    spans = ((start, end) for start in range(len(words)) for end in range(start + 1, start + LONGEST + 1))
    runs = dict.fromkeys(" ".join(words[start:end]) for start, end in spans if end <= len(words))
    return [run for run in runs if " " in run or run not in STOP_WORDS]


def heading_of(text: str, uri: str = "") -> str:
    """What a passage is about, in small letters: its heading, else the name it begins with, else its file's title."""
    start = text[:HEADING].lstrip("# *")
    head = re.match(r"([^\n:]{2,}?)(?::\s|(?<![.,;!?])\n)", start)
    run = _RUN.match(re.sub(r"^(?:The|A|An)\s+", "", start))
    title = re.sub(r"\.\w{1,5}$", "", uri.rstrip("/").rpartition("/")[2])
    begins = head[1] if head else run[0] if run else title
    words = terms(re.sub(r"\s*\(.*?\)", "", begins))
    while words and words[0] in ("the", "a", "an"):
        del words[0]
    return " ".join(words)
