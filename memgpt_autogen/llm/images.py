"""Pictures in messages: shown to a model until its provider says that it cannot look at them, and counted if shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..messages import Message

#: Tokens that a picture takes, about: OpenAI's for one of 1024 x 1024 in high detail are 765.
IMAGE_TOKENS = 800
#: What providers say of a picture, or of a content that is a list of parts rather than a string.
_REFUSAL = re.compile(
    r"image|multi-?modal|\bvision\b|content\W{0,4}(type|part)|content.{0,80}\bstring", re.IGNORECASE | re.DOTALL
)


class ImageSupport:
    """Whether one model is shown the pictures that come with messages; else it reads that there are some.

    Attributes:
        shown: until the provider has refused one.
    """

    def __init__(self, shown: bool = True) -> None:
        self.shown = shown

    def tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the pictures in these messages take, about; 0 if they are not shown."""
        return IMAGE_TOKENS * sum(len(message.images) for message in messages) if self.shown else 0

    def refused(self, messages: Sequence[Message], words: str) -> bool:
        """Whether these words of a provider are about the pictures it was sent; if so, none is shown any more."""
        if not self.tokens(messages) or not _REFUSAL.search(words):
            return False
        self.shown = False
        return True
