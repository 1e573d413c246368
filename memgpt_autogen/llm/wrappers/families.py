"""A table of model families: finds a model's prompt format by its chat template or its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .base import Wrapper
from .formats import AIROBOROS, CHATML, DEEPSEEK, GEMMA, HARMONY, LLAMA3, MISTRAL, PHI3, ZEPHYR


@dataclass(frozen=True)
class Family:
    """Models that share a format.

    Attributes:
        wrapper: the format.
        marks: match their chat templates (Jinja or Ollama's) and prompts rendered with these.
        names: match the models' names.
    """

    wrapper: Wrapper
    marks: str
    names: str


#: Tried in this order: the names of fine-tunes contain that of the base model, and many have a format of their own.
FAMILIES = (
    Family(HARMONY, r"<\|channel\|>|<\|start\|>[\s\S]*<\|message\|>", r"gpt-?oss"),
    Family(DEEPSEEK, r"<｜(User|Assistant)｜>", r"deepseek.?(r1|v3|v2\.5)|r1-distill"),
    Family(CHATML, r"<\|im_start\|>", r"qwen|qwq|smollm|hermes|dolphin|chatml|internlm|openorca|\byi-"),
    Family(ZEPHYR, r"<\|user\|>[\s\S]*(</s>|eos_token)", r"zephyr|tinyllama"),
    Family(PHI3, r"<\|user\|>[\s\S]*<\|end\|>", r"phi-?(3|4-mini)"),
    Family(LLAMA3, r"<\|start_header_id\|>", r"llama-?3"),
    Family(GEMMA, r"<start_of_turn>", r"gemma"),
    Family(AIROBOROS, r"USER:[\s\S]*ASSISTANT:", r"airoboros|vicuna|wizardlm"),
    Family(MISTRAL, r"\[INST\]", r"mistral|mixtral|codestral|ministral|llama-?2.*chat"),
)


def by_marks(text: str) -> Wrapper | None:
    """The format of a chat template, or of a prompt rendered with one; None: unknown."""
    return next((family.wrapper for family in FAMILIES if re.search(family.marks, text)), None)


def by_name(model: str) -> Wrapper | None:
    """The format of the family in a model's name; None: unknown."""
    return next((family.wrapper for family in FAMILIES if re.search(family.names, model, re.IGNORECASE)), None)
