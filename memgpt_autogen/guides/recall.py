"""Automatic recall: before the first model call of a turn, the program searches memory with the user's words.

What is relevant is put in front of the words, quoted, with its date or source. It becomes a part of the message in the
log, so that the prompt of later turns keeps its start to the byte. ``Message.text`` stays as it was said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..agent.guide import Guide, TurnContext
from ..memory.archival import ArchivalMemory, line_of
from ..memory.core import HUMAN, CoreMemory
from ..memory.recall import RecallMemory
from ..memory.results import origin, quoted
from ..messages import Message
from ..storage.records import Passage
from .facts import key_terms, only_states, sentences_of

#: Tokens of the quotations, and their share of the model's window.
MOST_TOKENS, SHARE = 500, 0.15
#: Quotations at most.
MOST_QUOTES = 4
#: Lines of core memory at most.
MOST_FACTS = 5
#: The share of the question's key terms that a line of core memory must contain.
RELEVANT = 0.3
#: Characters of one passage around what is relevant.
EXCERPT = 700

_HEADING = "From memory:"


class RecallGuide(Guide):
    """Searches recall and archival memory before a turn.

    Args:
        turn: the turn.
        core, recall, archival: the agent's memories. Lines of core memory are repeated beside the question, where
            small models look.
    """

    def __init__(self, turn: TurnContext, core: CoreMemory, recall: RecallMemory, archival: ArchivalMemory) -> None:
        super().__init__(turn)
        self._core = core
        self._recall = recall
        self._archival = archival

    def before_turn(self) -> None:
        """Put what memory has on the newest message in front of its words."""
        said = [one for one in self.turn.unanswered if one.kind == "user_message" and one.text]
        if not said or said[-1].content.startswith(_HEADING) or only_states(said[-1].text):
            return
        newest = said[-1]
        quotes = self._within_budget(self._quotes(newest.text))
        if quotes:
            self.turn.rewrite(newest, "\n".join([_HEADING, *quotes, "", newest.content]))

    def _quotes(self, query: str) -> list[str]:
        wanted = key_terms(query)
        if not wanted:
            return []
        facts = [line for line in self._core.block(HUMAN).value.splitlines() if _relevance(wanted, line) >= RELEVANT]
        in_view = {one.id for one in self.turn.store.log.window(self.turn.agent_id)}
        found = [
            (hit.relevance, line_of(_excerpt(hit.item, wanted)))
            for hit in self._archival.find(query).hits
            if hit.relevant
        ]
        found += [
            (hit.relevance, _quoted_message(hit.item))
            for hit in self._recall.find(query).hits
            if hit.relevant and hit.item.id not in in_view and _tells(hit.item)
        ]
        found.sort(key=lambda one: one[0], reverse=True)
        return [*(f"- {fact}" for fact in facts[-MOST_FACTS:]), *(text for _, text in found[:MOST_QUOTES])]

    def _within_budget(self, quotes: Iterable[str]) -> list[str]:
        left = min(MOST_TOKENS, int(self.turn.model.context_window * SHARE))
        kept = []
        for quote in quotes:
            left -= self.turn.model.count_tokens(quote)
            if left < 0:
                break
            kept.append(quote)
        return kept


def _tells(message: Message) -> bool:
    """Whether a message may answer something: the agent's own words would only repeat themselves, and questions."""
    return message.role == "user" and not message.text.rstrip().endswith("?")


def _relevance(wanted: set[str], text: str) -> float:
    """The share of the wanted key terms that stand in a text."""
    return len(wanted & key_terms(text)) / len(wanted)


def _excerpt(passage: Passage, wanted: set[str]) -> Passage:
    """A long passage cut to the sentences around the one that has most of the wanted terms."""
    if len(passage.text) <= EXCERPT:
        return passage
    parts = sentences_of(passage.text)
    best = max(range(len(parts)), key=lambda at: len(wanted & key_terms(parts[at])))
    first = last = best
    while last - first + 1 < len(parts):
        wider = parts[max(0, first - 1) : last + 2]
        if sum(map(len, wider)) > EXCERPT:
            break
        first, last = max(0, first - 1), min(len(parts) - 1, last + 1)
    return replace(passage, text=" ".join(parts[first : last + 1])[:EXCERPT])


def _quoted_message(message: Message) -> str:
    when = message.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"{origin([when, message.author or 'user'])}{quoted(message.text)}"
