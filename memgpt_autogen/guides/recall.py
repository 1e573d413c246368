"""Automatic recall: before the first model call of a turn, the program searches memory with the user's words.

What is relevant is put in front of the words, quoted, with its date or source. It becomes a part of the message in the
log, so that the prompt of later turns keeps its start to the byte. ``Message.text`` stays as it was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from ..agent.guide import Guide, TurnContext
from ..memory.archival import ArchivalMemory, line_of
from ..memory.core import HUMAN, CoreMemory
from ..memory.recall import RecallMemory
from ..memory.recall import line_of as message_line
from ..messages import Message
from ..storage.records import Passage
from .facts import key_terms, only_states, sentences_of
from .relevant import asks_about_past, is_former, lines_beside, may_speak_against

#: Tokens of the quotations, and their share of the model's window.
MOST_TOKENS, SHARE = 500, 0.15
#: The agent's own notes that may tell what held before, the newest.
NOTES = 50
#: Quotations at most.
MOST_QUOTES = 4
#: The relevance from which a passage is quoted: lower than that of a hit, since a quotation that does not help costs
#: some tokens, and a missing one the answer.
RELEVANT = 0.25
#: Characters of one passage around what is relevant.
EXCERPT = 700

_HEADING = "From memory:"
#: Said around a question whether something suits a person. Small models draw the conclusion only when they are told to,
#: and more often when they are to give a reason (docs/decisions/0014).
_CONSIDER, _SAY_NO = "Consider this from memory:", "Say no if that speaks against it, and why."


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
        if not said or said[-1].content.startswith((_HEADING, _CONSIDER)) or only_states(said[-1].text):
            return
        newest = said[-1]
        facts = self._facts(newest)
        quotes = self._within_budget([*(f"- {fact}" for fact in facts), *self._found(newest.text, facts)])
        if quotes:
            decide = may_speak_against(newest.text, facts)
            heading, words = (_CONSIDER, f"{newest.content} {_SAY_NO}") if decide else (_HEADING, newest.content)
            self.turn.rewrite(newest, "\n".join([heading, *quotes, "", words]))

    def _facts(self, newest: Message) -> list[str]:
        earlier = chain(reversed(self.turn.unanswered), reversed(self.turn.cached.messages))
        before = next((one.text for one in earlier if one.kind == "user_message" and one.id < newest.id), "")
        lines = self._core.block(HUMAN).value.splitlines()
        if asks_about_past(newest.text):
            lines = [*(note for note in reversed(self._archival.newest(NOTES)) if is_former(note)), *lines]
        return lines_beside(newest.text, lines, before)

    def _found(self, query: str, facts: Sequence[str]) -> list[str]:
        """What else archival memory and the messages that left the window have on it, best first."""
        wanted = key_terms(query)
        if not wanted:
            return []
        found = [
            (hit.relevance, line_of(_excerpt(hit.item, wanted)))
            for hit in self._archival.find(query).hits
            if hit.relevance >= RELEVANT and not is_former(hit.item.text) and hit.item.text not in facts
        ]
        found += [
            (hit.relevance, message_line(hit.item))
            for hit in self._recall.find(query).hits
            if hit.relevant and hit.item.id not in self.turn.cached and _tells(hit.item)
        ]
        found.sort(key=lambda one: one[0], reverse=True)
        return [text for _, text in found[:MOST_QUOTES]]

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
