"""Presets: which prompt, functions, rules and limits make an agent. Weak models lean on the rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timezone
from typing import Any

from .. import events
from ..errors import ConfigError, not_known
from ..messages import Message, ToolCall, ToolResult

#: What calls are told that were left undone because of another one in the same reply.
NOT_RUN = "No call of this reply was run: call one function at a time, in the order that is allowed."
LONG_AGO = datetime(2024, 1, 1, 12, 0, tzinfo=timezone.utc)

ALL_FUNCTIONS = (
    "send_message",
    "core_memory_append",
    "core_memory_replace",
    "conversation_search",
    "conversation_search_date",
    "archival_memory_insert",
    "archival_memory_search",
    "pause_heartbeats",
)


@dataclass(frozen=True)
class ToolRules:
    """Which function may be called when, within one turn.

    Attributes:
        first: the only functions that may come first; empty: any.
        after: what may follow a function; a function without an entry may be followed by any.
        last: functions that end the turn once they have worked, whether or not the model asks to run again. A turn that
            owes someone words goes on for those alone.
        prefetch: searches that the program makes with the user's own words before the model is asked; the one that
            finds the best sentence is put in front of the model (:mod:`memgpt_autogen.grounding.retrieve`).
    """

    first: tuple[str, ...] = ()
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    last: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()

    def changed(self, given: Mapping[str, Any]) -> ToolRules:
        """These rules with an agent's own in their place: ``{"first": [...], "after": {NAME: [...]}, ...}``.

        Raises:
            ConfigError: a rule that is not known, or one that is no list of names.
        """
        known = [one.name for one in fields(self)]
        read: dict[str, Any] = {}
        for rule, value in given.items():
            if rule not in known:
                raise ConfigError(f"There is no tool rule {rule!r}. Known: {', '.join(known)}.")
            if rule != "after":
                read[rule] = _names(rule, value)
            elif isinstance(value, Mapping):
                read[rule] = {name: _names(f"after {name}", follow) for name, follow in value.items()}
            else:
                raise ConfigError(f"The tool rule after must map a function to a list of functions, not {value!r}.")
        return replace(self, **read)

    def allowed(self, called: Sequence[str], names: Collection[str]) -> frozenset[str] | None:
        """The functions that may come next.

        Args:
            called: what was called in this turn so far, in order.
            names: all there are.

        Returns:
            None: any of them.
        """
        rule = self.after.get(called[-1]) if called else self.first
        possible = frozenset(rule or ()) & frozenset(names)
        return possible or None

    def checked(self, calls: Sequence[ToolCall], called: Sequence[str], names: Collection[str]) -> tuple[ToolCall, ...]:
        """The calls of one reply, as they are or, if one may not follow the one before it, each with an error.

        The first one is not looked at: what it may be, the model was told. None runs where one may not, as a plan of
        which only a part was carried out would be worse than none.

        Args:
            calls: in order.
            called: what was called in this turn before them.
            names: all functions there are.
        """
        before = [*called, *(call.name for call in calls)]
        for index, call in enumerate(calls[1:], start=len(called) + 1):
            allowed = self.allowed(before[:index], names)
            if allowed is not None and call.name not in allowed:
                wrong = (
                    f"{call.name} may not follow {before[index - 1]}; only {', '.join(sorted(allowed))} may. {NOT_RUN}"
                )
                return tuple(replace(one, error=wrong if one is call else one.error or NOT_RUN) for one in calls)
        return tuple(calls)

    def offered(self, names: Sequence[str]) -> list[str]:
        """The functions that a model may ever call; the others are the program's alone."""
        if not self.first:
            return list(names)
        reached, last = set(), set(self.first)
        while last:
            reached |= last
            last = {name for one in last for name in self.after.get(one, names)} - reached
        return [name for name in names if name in reached]


def _names(rule: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ConfigError(f"The tool rule {rule} must be a list of functions, not {value!r}.")
    return tuple(value)


@dataclass(frozen=True)
class Example:
    """A worked example of a look-up: asked this, finding this sentence, the answer is that sentence."""

    speaker: str
    question: str
    found: str


@dataclass(frozen=True)
class Preset:
    """What an agent is made of.

    Attributes:
        system: the name of a system prompt.
        persona, human: what stands in core memory at first, unless the user says otherwise.
        functions: names of memory functions.
        rules: which function when.
        core: whether core memory is in the prompt; the smallest models only stumble over it.
        inner_thoughts: whether the model writes a monologue before each call.
        summarise: whether the model writes a summary of what leaves the window.
        block_limit: characters of a core memory block.
        page_size: hits on a page of search results.
        message: JSON Schema keywords that narrow what ``send_message`` may say, such as ``maxLength``; a grammar also
            knows ``{"format": "sentence"}``: one sentence that ends in a full stop.
        temperature, wrapper: for models that we call ourselves, unless their config says otherwise.
        examples: worked examples.
        talk: worked examples of turns without a search: what is said, and the reply.
        not_found: the sentence put in front of the model where the program's search finds no answer to a question.
        grounded: whether replies are checked: one that does not rest on the sentence that was found is replaced by it,
            one that only repeats is asked for again. Such replies are not streamed.
    """

    name: str
    system: str
    persona: str = "memgpt_starter"
    human: str = "basic"
    functions: tuple[str, ...] = ALL_FUNCTIONS
    rules: ToolRules = ToolRules()
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

    def shown(self) -> list[Message]:
        """The worked examples as messages; the same, to the byte, every time."""
        messages: list[Message] = []
        for number, example in enumerate(self.examples):
            search = ToolCall("archival_memory_search", {"query": example.question}, id=f"example_{number}_search")
            answer = ToolCall("send_message", {"message": example.found}, id=f"example_{number}_answer")
            found = found_text(example.found, example.question)
            messages += [
                events.user_message(example.question, name=example.speaker, at=LONG_AGO),
                events.reply("", (search,), ""),
                events.tool_result(ToolResult(search.id, search.name, found), at=LONG_AGO),
                events.reply("", (answer,), ""),
                events.tool_result(ToolResult(answer.id, answer.name, "Sent."), at=LONG_AGO),
            ]
        return messages

    def talked(self) -> list[Message]:
        """The worked examples of mere talk, as messages; likewise the same every time."""
        messages: list[Message] = []
        for number, (said, reply) in enumerate(self.talk):
            call = ToolCall("send_message", {"message": reply}, id=f"talk_{number}")
            messages += [
                events.user_message(said, name="Kim", at=LONG_AGO),
                events.reply("", (call,), ""),
                events.tool_result(ToolResult(call.id, call.name, "Sent."), at=LONG_AGO),
            ]
        return messages


def found_text(sentence: str, question: str) -> str:
    """What a look-up puts in front of the model: the question once more, as small models need, and the sentence."""
    return f"Question: {question}\n{_TITLE.sub(_NO_STOP, sentence)}"


# A full stop behind a title looks to small models like the end of what there is to say.
_TITLE, _NO_STOP = re.compile(r"\b(Mr|Mrs|Ms|Dr|St)\."), r"\1"


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
        # For local models that answer without looking: the program looks first.
        Preset(
            "memgpt_docs_small",
            "memgpt_docs",
            persona="memgpt_doc",
            functions=("send_message", "core_memory_append", "conversation_search", "archival_memory_search"),
            rules=ToolRules(prefetch=("conversation_search", "archival_memory_search")),
            page_size=3,
            temperature=0.0,
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


def suited(window: int | None, parameters: int | None) -> str:
    """The name of the preset that suits a model.

    Args:
        window: tokens of its context; None: not known.
        parameters: its weights; None: not known.
    """
    if parameters and parameters < TINY:
        return SMALLEST
    return COMPACT if window and window < NARROW else DEFAULT


def get_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none; the message has the names.
    """
    if name not in PRESETS:
        raise ConfigError(not_known(f"There is no preset {name!r}.", name, "Presets", PRESETS))
    return PRESETS[name]
