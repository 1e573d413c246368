"""What an AutoGen agent hears in its chats, on its way to the memory agent inside."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

from ..agent import Agent
from ..errors import MemGPTError
from .conversations import Conversations
from .news import News, read_news

logger = logging.getLogger(__name__)

_living: WeakSet[Hearing] = WeakSet()


@atexit.register
def _hear_all() -> None:
    """What was said after an agent's last turn would end with the process: it goes into memory."""
    for hearing in [*_living]:
        try:
            hearing.hear_all()
        except MemGPTError as error:  # another process is running it, or the store is closed
            logger.info("%s could not take in what was said last: %s", hearing.owner.name, error)


class Hearing:
    """The chats of one AutoGen agent, and what of them its memory agent knows.

    Args:
        owner: the AutoGen agent: a ``MemGPTAgent``. Its memory agent need not be there yet.
    """

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self._conversations: Conversations | None = None
        self._cleared: WeakSet[Any] = WeakSet()  # peers whose chats began before there was a memory agent
        _living.add(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Hearing:
        return Hearing(memo[id(self.owner)])

    @property
    def _core(self) -> Agent:
        core: Agent = self.owner.core
        return core

    def conversation(self, peer: Any) -> str:
        """The id of the conversation with another AutoGen agent."""
        return self._chats().of(peer).id

    def news(self, messages: Sequence[Mapping[str, Any]], peer: Any, *, repeats: bool = True) -> News:
        """What a list of messages brings. See :func:`memgpt_autogen.groupchat.news.read_news`."""
        window = self._core.store.log.window(self._core.id)
        return read_news(messages, peer, self.owner.name, window, self._chats(), repeats=repeats)

    def _chats(self) -> Conversations:
        if self._conversations is None:
            self._conversations = Conversations(self._core.store, self._core.id)
            for peer in self._cleared:
                self._conversations.cleared(peer)
        return self._conversations

    def hear(self, peer: Any) -> None:
        """Take in what is unread in a chat, without a reply."""
        messages = self.owner._oai_messages.get(peer)
        if not messages:
            return
        news = self.news(messages, peer, repeats=False)
        if news.incoming or news.results:
            here = self.conversation(peer)
            self._core.hear(news.incoming, results=news.results, conversation=here, on_commit=news.keep)

    def hear_all(self) -> None:
        """Take in what is unread in every chat, if the memory agent was ever asked for."""
        if self.owner._core is not None:
            for peer in [*self.owner._oai_messages]:
                self.hear(peer)

    def cleared(self, peer: Any) -> None:
        """AutoGen has cleared its list of a chat (None: all of them)."""
        if self._conversations is None:
            if peer is not None:
                self._cleared.add(peer)
        elif peer is None:  # AutoGen's resume() does this, and then tells the same once more
            self._conversations.all_cleared()
        else:
            self._conversations.cleared(peer)
