"""Pictures in messages: shown to a model until its provider says that it cannot look at them, and counted if shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..messages import Message
from .chat_format import Json, to_chat_messages

#: Tokens that a picture takes, about: OpenAI's for one of 1024 x 1024 in high detail are 765.
IMAGE_TOKENS = 800
#: What providers say of a picture, or of a content that is a list of parts rather than a string.
_REFUSAL = re.compile(
    r"image|multi-?modal|\bvision\b|content\W{0,4}(type|part)|content.{0,80}\bstring", re.IGNORECASE | re.DOTALL
)


class ImageSupport:
    """Whether one model is shown the pictures that come with messages; else it reads that there are some.

    Args:
        model: its name, which says nothing where a refusal repeats it.

    Attributes:
        shown: until the provider has refused one.
    """

    def __init__(self, model: str = "") -> None:
        self.shown = True
        self._model = model

    def tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the pictures in these messages take, about; 0 if they are not shown."""
        return IMAGE_TOKENS * sum(len(message.images) for message in messages) if self.shown else 0

    def to_chat(self, messages: Sequence[Message], inner_thoughts: bool = True) -> list[Json]:
        """The messages as :func:`.chat_format.to_chat_messages` makes them, with pictures if they are shown."""
        return to_chat_messages(messages, inner_thoughts, images=self.shown)

    def refused(self, messages: Sequence[Message], words: str) -> bool:
        """Whether these words of a provider are about the pictures it was sent; if so, none is shown any more."""
        told = words.replace(self._model, "") if self._model else words
        if not self.tokens(messages) or not _REFUSAL.search(told):
            return False
        self.shown = False
        return True
