"""Images in messages: sent to a model until its provider refuses one, and counted in tokens while they are sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..messages import Message

#: Approximate tokens of an image: OpenAI counts 765 for 1024 x 1024 in high detail.
IMAGE_TOKENS = 800
#: Matches error messages about an image, or about content that is a list of parts instead of a string.
_REFUSAL = re.compile(
    r"image|multi-?modal|\bvision\b|content\W{0,4}(type|part)|content.{0,80}\bstring", re.IGNORECASE | re.DOTALL
)


class ImageSupport:
    """Whether a model is sent the images of messages; if not, it only reads that there are some.

    Attributes:
        shown: false once the provider has refused an image.
    """

    def __init__(self, shown: bool = True) -> None:
        self.shown = shown

    def tokens(self, messages: Sequence[Message]) -> int:
        """Approximate tokens of the images in these messages; 0 if they are not sent."""
        return IMAGE_TOKENS * sum(len(message.images) for message in messages) if self.shown else 0

    def refused(self, messages: Sequence[Message], words: str) -> bool:
        """Whether an error message is about the images that were sent; if so, no more are sent."""
        if not self.tokens(messages) or not _REFUSAL.search(words):
            return False
        self.shown = False
        return True
