"""Presets: the prompt, functions, rules and limits of an agent, and which preset suits a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ConfigError, not_known
from ..messages import Message
from .few_shot import Example, search_examples, talk_examples
from .tool_rules import ToolRules

#: Who looks after memory: the program or the model's function calls.
Upkeep = Literal["auto", "functions"]


@dataclass(frozen=True)
class Preset:
    """The settings of an agent.

    Attributes:
        system: the name of a system prompt.
        persona, human: the first texts of core memory, unless the user gives others.
        functions: names of memory functions; empty: all of them.
        rules: which function may be called when.
        core: whether core memory is in the prompt; it only confuses the smallest models.
        inner_thoughts: whether the model writes inner thoughts before each call.
        summarise: whether the model summarises evicted messages.
        block_limit: characters of a core memory block.
        page_size: hits on a page of search results.
        message: JSON Schema keywords for the ``message`` of ``send_message``, such as ``maxLength``. A grammar also
            knows ``{"format": "sentence"}``: one sentence that ends in a full stop.
        temperature, wrapper: for models that we call ourselves, unless their config sets them.
        examples: worked examples of searches.
        talk: worked examples of turns without a search: what is said, and the reply.
        plain: whether the model speaks in plain words where ``send_message`` is the only function on offer, and core
            memory is shown as plain text (:mod:`memgpt_autogen.llm.plain_speech`). The memory functions are offered
            only beside functions of the user's or the caller's.
        recall: ``auto``: the program searches memory before each turn that owes words; ``functions``: the model does.
        remember: ``auto``: the program extracts facts from what people say; ``functions``: the model writes them down.
        not_found: the sentence shown to the model where the program's search finds no answer to a question.
        grounded: whether replies are checked: one that is not supported by the sentence that was found is replaced by
            it, one that only repeats is asked for again. Such replies are not streamed.
    """

    name: str
    system: str
    persona: str = "memgpt_starter"
    human: str = "basic"
    functions: tuple[str, ...] = ()
    rules: ToolRules = field(default_factory=ToolRules)
    core: bool = True
    inner_thoughts: bool = True
    summarise: bool = True
    block_limit: int = 2000
    page_size: int = 5
    message: Mapping[str, Any] = field(default_factory=dict)
    temperature: float | None = None
    wrapper: str = ""
    examples: tuple[Example, ...] = ()
    talk: tuple[tuple[str, str], ...] = ()
    not_found: str = ""
    grounded: bool = False
    plain: bool = False
    recall: Upkeep = "functions"
    remember: Upkeep = "functions"

    def shown(self) -> list[Message]:
        """The worked examples of searches, as messages."""
        return search_examples(self.examples)

    def talked(self) -> list[Message]:
        """The worked examples of talk, as messages."""
        return talk_examples(self.talk)


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("memgpt_chat", "memgpt_chat", persona="sam_pov"),
        Preset("memgpt_docs", "memgpt_docs", persona="memgpt_doc"),
        Preset(
            "memgpt_compact",
            "memgpt_compact",
            persona="sam_simple_pov",
            functions=("send_message", "core_memory_append", "conversation_search", "archival_memory_search"),
            block_limit=400,
            page_size=3,
        ),
        # For local models that answer without searching: the program searches first.
        Preset(
            "memgpt_docs_small",
            "memgpt_docs",
            persona="memgpt_doc",
            functions=("send_message", "core_memory_append", "conversation_search", "archival_memory_search"),
            rules=ToolRules(prefetch=("conversation_search", "archival_memory_search")),
            page_size=3,
            temperature=0.0,
        ),
        # For local models of some hundred million to some billion weights: they chat well and plan badly, so that the
        # program does the searching and saving (docs/decisions/0014).
        Preset(
            "memgpt_local",
            "memgpt_local",
            persona="memgpt_local",
            human="",
            inner_thoughts=False,
            page_size=3,
            temperature=0.0,
            plain=True,
            recall="auto",
            remember="auto",
        ),
        Preset(
            "memgpt_tiny",
            "memgpt_tiny",
            core=False,
            functions=("send_message", "conversation_search", "archival_memory_search"),
            rules=ToolRules(
                first=("send_message",),
                after=dict.fromkeys(
                    ("send_message", "conversation_search", "archival_memory_search"), ("send_message",)
                ),
                prefetch=("conversation_search", "archival_memory_search"),
            ),
            inner_thoughts=False,
            summarise=False,
            message={"maxLength": 160, "format": "sentence"},
            temperature=0.0,
            wrapper="dolphin-2.1-mistral-7b",
            examples=(
                Example("Sam", "How tall is the old oak?", "The old oak in the park is 21 metres tall."),
                Example("Kim", "Who paints the boats?", "In May the boats are painted by Mr. Ono."),
                Example(
                    "Lee",
                    "Where does the post office keep the stamps?",
                    "Stamps are kept in the tin drawer, and letters lie on the shelf.",
                ),
                Example("Ida", "What is the ferry called?", "I find nothing on that in my memory."),
            ),
            talk=(
                ("Good morning!", "Good morning, how can I help you?"),
                ("I have painted the fence.", "Thank you for telling me, I will remember it."),
                ("How are you?", "I am well, thank you."),
                ("Thanks a lot.", "You are welcome."),
                ("My uncle Rob has a boat.", "Thank you for telling me, I will remember it."),
            ),
            not_found="I find nothing on that in my memory.",
            grounded=True,
        ),
    )
}

DEFAULT = "memgpt_chat"
#: For windows of fewer tokens than ``NARROW``.
COMPACT, NARROW = "memgpt_compact", 4096
#: For models of the smallest kind, of fewer weights than ``TINY``, such as the embedded default.
SMALLEST, TINY = "memgpt_tiny", 400_000_000
#: For local models of fewer weights than ``MEDIUM``, which chat well and plan badly.
LOCAL, MEDIUM = "memgpt_local", 9_000_000_000


def suited(window: int | None, parameters: int | None) -> str:
    """The name of the preset that suits a model.

    Args:
        window: tokens of its context; None: not known.
        parameters: its weights; None: not known.
    """
    if parameters and parameters < TINY:
        return SMALLEST
    if parameters and parameters < MEDIUM:
        return LOCAL
    return COMPACT if window and window < NARROW else DEFAULT


def get_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none; the message has the names.
    """
    if name not in PRESETS:
        raise ConfigError(not_known(f"There is no preset {name!r}.", name, "Presets", PRESETS))
    return PRESETS[name]
