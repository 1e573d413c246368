"""ChatML, the format of Qwen, SmolLM2, Hermes and many more."""

from __future__ import annotations

from dataclasses import replace

from .base import Wrapper

CHATML = Wrapper(
    name="chatml",
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    user=("<|im_start|>user\n", "<|im_end|>\n"),
    assistant=("<|im_start|>assistant\n", "<|im_end|>\n"),
    tool=("<|im_start|>tool\n", "<|im_end|>\n"),
    stop=("<|im_end|>", "<|im_start|>"),
)

#: The same with results as a user's words: models that never saw the role ``tool`` in training read them
#: better.
DOLPHIN = replace(CHATML, name="dolphin-2.1-mistral-7b", tool=("<|im_start|>user\nFUNCTION RETURN:\n", "<|im_end|>\n"))
