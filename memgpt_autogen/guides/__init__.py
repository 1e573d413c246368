"""What the program does for an agent by itself: searching before a turn, checking replies, saving facts after it."""

from __future__ import annotations

from functools import partial

from ..agent import Agent
from ..grounding.guide import guides_for as grounding_for
from .keeper import FactGuide, FactKeeper
from .recall import RecallGuide
from .reply_check import ReplyCheckGuide

__all__ = ["FactKeeper", "add_guides"]


def add_guides(agent: Agent) -> FactKeeper | None:
    """Give an agent the guides that its preset and record ask for.

    Returns:
        The keeper of its facts; None: the model saves them itself.
    """
    preset, config = agent.preset, agent.config
    if (config.recall or preset.recall) == "auto":
        agent.guides.append(partial(RecallGuide, core=agent.core, recall=agent.recall, archival=agent.archival))
    agent.guides.extend(grounding_for(preset))
    if not preset.grounded:
        agent.guides.append(partial(ReplyCheckGuide, strict=preset.plain))
    if (config.remember or preset.remember) != "auto":
        return None
    keeper = FactKeeper(agent.store, agent.id, agent.core, agent.archival, agent.observers)
    agent.guides.append(partial(FactGuide, keeper=keeper))
    return keeper
