"""The first search of a turn, made by the program for models too small to make it themselves.

Where a preset's rules say so (``prefetch``), the words of the last question are looked up in recall and archival memory
at once, and the one sentence that fits best is put in front of the model, as the result of the search that found it.
A model of 135 million parameters answers from one sentence where it fails on a page.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..storage.base import Store
from ..storage.words import fts_query, rank

#: Hits of each memory whose sentences are compared.
CANDIDATES = 20
#: The share of a statement's words that a sentence must hold to be worth showing. A question takes the best there is.
STATEMENT_SHARE = 0.5

_TITLES = "".join(rf"(?<!\b{title}\.)" for title in ("Mr", "Mrs", "Ms", "Dr", "St", "No", r"e\.g", r"i\.e"))
_BORDER = re.compile(rf"(?<=[.!?]){_TITLES}[\"'”’)*]*\s+(?=[\"'“‘(*]*[A-Z0-9À-Þ])|\n+")


@dataclass(frozen=True)
class Found:
    """A sentence in memory.

    Attributes:
        function: the search that found it.
        sentence: its words.
        where: the file and page, or the date of the message.
        heading: what it stands under in its document.
        document: whether it is from one.
    """

    function: str
    sentence: str
    where: str
    heading: str = ""
    document: bool = False


def sentences(text: str) -> list[str]:
    """The sentences of a text, without Markdown's marks; headings are left out."""
    parts = [part.strip().lstrip("-*• ").replace("**", "") for part in _BORDER.split(text)]
    return [part for part in parts if part and not part.startswith("#")]


def look_up(store: Store, agent_id: str, words: str, functions: Collection[str]) -> Found | None:
    """The sentence in memory that fits a person's words best.

    Args:
        store: where memory is.
        agent_id: whose memory.
        words: the question.
        functions: which searches to make: ``conversation_search``, ``archival_memory_search`` or both.

    Returns:
        None: nothing fits.
    """
    candidates: list[Found] = []
    if "conversation_search" in functions:
        candidates += _from_messages(store, agent_id, words)
    if "archival_memory_search" in functions:
        candidates += _from_passages(store, agent_id, words)
    scores = rank([one.sentence for one in candidates], words, [one.heading for one in candidates])
    best = max(range(len(candidates)), key=scores.__getitem__, default=None)
    if best is None or scores[best] <= 0:
        return None
    chosen = candidates[best]
    if "?" not in words and _share(words, f"{chosen.heading} {chosen.sentence}") < STATEMENT_SHARE:
        return None
    return chosen


def _from_messages(store: Store, agent_id: str, words: str) -> list[Found]:
    """What others said. Questions answer nothing, and the agent's own words would only repeat themselves."""
    hits = store.log.search(agent_id, words, page=0, page_size=CANDIDATES).hits
    return [
        Found(
            "conversation_search",
            f"{hit.item.author or 'user'}: {sentence}",
            hit.item.created_at.astimezone().strftime("%Y-%m-%d %H:%M"),
        )
        for hit in hits
        if hit.item.kind == "user_message"
        for sentence in sentences(hit.item.text)
        if not sentence.endswith("?")
    ]


def _from_passages(store: Store, agent_id: str, words: str) -> list[Found]:
    hits = store.passages.search(agent_id, words, page=0, page_size=CANDIDATES).hits
    found = []
    for hit in hits:
        passage = hit.item
        heading = str(passage.metadata.get("heading", ""))
        page = passage.metadata.get("page")
        where = f"{passage.uri}, p. {page}" if page else passage.uri or "own note"
        body = passage.text.removeprefix(f"{heading}: ")
        found += [
            Found("archival_memory_search", sentence, where, heading, bool(passage.uri))
            for sentence in sentences(body)
            if not sentence.endswith("?")
        ]
    return found


def _share(words: str, text: str) -> float:
    """Which share of the telling words stands in a text, by stems."""
    telling: Sequence[str] = [word.strip('"') for word in fts_query(words).split(" OR ") if word]
    return sum(rank([text], word)[0] > 0 for word in telling) / len(telling) if telling else 0.0
