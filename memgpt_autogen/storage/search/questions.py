"""What a person asks: without the words around it, and whether for one thing or several. English.

"According to my documents, ..." and "Can you tell me ..." say where to look or whom one asks, and would be searched
for like any other words.
"""

from __future__ import annotations

import re

from .words import informative, telling

_THE = (
    r"(?:(?:all|any|each) )?(?:of )?(?:(?:my|the|your|our|these|those|this|that) )?"
    r"(?:(?:attached|loaded|uploaded|own) )?"
)
_SOURCES = (
    r"(?:documents?|docs?|files?|notes?|sources?|pdfs?|texts?|papers?|archives?|archival memory|memory|memories"
    r"|knowledge base|records?|material|uploads?|attachments?)"
)
_WHERE = (
    r"(?:according to|based (?:up)?on|judging by|going by|as per|looking (?:at|in|through)|from|in|per|using|with"
    r"|within)"
    rf" {_THE}{_SOURCES}(?: (?:that )?(?:i|you|we)(?:'ve| have)? \w+(?: you| me)?)?"
)
_ASK = r"(?:can|could|would|will) you (?:please )?"
_TELL = r"(?:tell|show|remind|give|explain to) (?:me|us)(?: about)?"
_FIND = rf"(?:search|look|check)(?: up| in| into| through)* {_THE}{_SOURCES}(?: for| about| on| and (?:tell me|find))?"
_OPENINGS = re.compile(
    rf"^\s*(?:please|{_ASK}(?={_TELL}|{_FIND}|(?:find|look up|explain))|{_TELL}|{_FIND}"
    rf"|(?:do )?you (?:still )?(?:remember|recall|know)|i(?:'d| would)? (?:want|like|need) to know(?: about)?"
    rf"|what do(?:es)? {_THE}{_SOURCES} (?:say|tell)(?: me| us)? (?:about|on))\b\s*[,:]?\s*",
    re.IGNORECASE,
)
_ASKING = r"(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|has|have|will)\b"
_BEGINNING = re.compile(rf"^\s*{_WHERE}\b\s*(?:[,:]\s*|(?={_ASKING}))", re.IGNORECASE)
_ENDING = re.compile(rf"[,\s]+{_WHERE}\s*(?=[?.!]*\s*$)", re.IGNORECASE)
_MANY = r"(?!(?:does|has|his|is|its|plus|this|thus|us|was|yes)\b)\w+(?<![su])s\b"
_SEVERAL = re.compile(
    rf"\bhow (?:many|often)\b|\b(?:what|which) (?:\w+ )?{_MANY}|\b(?:what|which|who|where)\b.*\b(?:has|have)\b",
    re.IGNORECASE,
)


def question_in(text: str) -> str:
    """The question alone; the whole text where nothing that tells would be left."""
    rest, before = text.strip(), ""
    while rest != before:
        before = rest
        for around in (_BEGINNING, _OPENINGS, _ENDING):
            rest = around.sub("", rest, count=1)
    return rest if any(map(informative, telling(rest))) else text


def asks_for_several(query: str) -> bool:
    """Whether a query seems to ask for more than one thing: "which books", "what has she painted", "how many times"."""
    return _SEVERAL.search(query) is not None
