"""Fact extraction: what people say of themselves, as short sentences in the third person.

The model reads the newest messages alone, without the conversation and without what is known already: with known facts
in view, a 1.5B model copies them instead of reading the message (docs/decisions/0014). What it writes is kept only if
the message supports it (:mod:`.facts`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ..errors import ModelReplyError
from ..llm.base import ChatModel
from ..messages import Message, ToolCall, ToolSchema, Usage
from .facts import (
    Fact,
    as_owned,
    capitalised,
    clauses,
    in_third_person,
    key_terms,
    misattributed,
    missed,
    name_line,
    names_and_numbers,
    quotation,
    statements,
    supported,
)

#: The function that the extraction prompt offers. It is not one of the agent's own functions.
SAVE_FACTS = "save_facts"
#: Facts that one message may give, and characters of each.
MOST_FACTS, LONGEST_FACT = 4, 100
#: A clause is told by facts that miss less than this share of its key terms.
MISSED = 1 / 3
#: Characters of a sentence that is kept word for word.
LONGEST_QUOTE = 240
#: How someone is called whose name is not known.
UNNAMED_SPEAKER = "The user"
_NAME = r"([A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)?)"
#: How people say who they are. The last one is weak: "I'm Italian." reads the same, so that it needs a greeting.
_INTRODUCTIONS = (
    re.compile(rf"\b[Mm]y (?:first |full )?name(?: is|'s|’s) {_NAME}"),
    re.compile(rf"\b(?:[Cc]all me|[Tt]his is) {_NAME}(?=[.,!;]|$| and\b| here\b)"),
    re.compile(rf"(?:^|[,.!] ){_NAME} (?:here|speaking)\b"),
    re.compile(r"^(?:hey|hi|hello|yo),? (\w+) here\b", re.IGNORECASE),
    re.compile(r"^(?:hey|hi|hello|yo)[,!]? (?:i['’]?m|i am) (\w+)(?=[,.!;]|$| and\b)", re.IGNORECASE),
    re.compile(rf"^(?:[Hh]i|[Hh]ello|[Hh]ey|[Gg]ood \w+)\b[^.!?]*[.,!:]? ?(?:I am|I'm|I’m) {_NAME}(?=[.,!;]|$| and\b)"),
    re.compile(rf"\b(?:I am|I'm|I’m) {_NAME}, (?:I|and|a|an|the)\b"),
)
_NOT_NAMES = frozenset(
    "everyone everybody someone nobody still right over up nothing all it tired new back here sorry fine good ok okay "
    "not so from in at glad happy sad sick ill hungry bored lost stuck curious ready done home late sure trying "
    "looking afraid busy a an the".split()
)
_INTRODUCES = re.compile(
    r"^(?:[\w ]+[,!:] ?)*(?:(?:I am|I'm|I’m) \w+|[Mm]y name is [\w ]+|(?:\w+ can |[Pp]lease )?[Cc]all me \w+"
    r"|\w+ (?:here|speaking))[.!]?$"
)
#: Tokens of a reply.
_REPLY_TOKENS = 300

_SYSTEM = (
    "You take notes about people. From each message, write down every lasting fact that the speaker tells about "
    "themselves, their family, their work, their things, their plans and their wishes: each as one short sentence in "
    "the third person with the speaker's name. Write down only what the message says. A question or small talk gives "
    "no notes."
)
#: Worked examples: introduction, question, correction, small talk, request. No two speakers of them meet.
_EXAMPLES: Sequence[tuple[str, Sequence[str]]] = (
    (
        "Kim says: Hello there, I'm Kim! I'm a tailor from Oslo and my brother Jon keeps bees.",
        ("Kim is a tailor.", "Kim is from Oslo.", "Kim's brother Jon keeps bees."),
    ),
    ("Ben says: How high is the Eiffel tower?", ()),
    (
        "Olga says: Scratch that, I sold the red van. I ride a bicycle now.",
        ("Olga sold the red van.", "Olga rides a bicycle now."),
    ),
    ("Ben says: Thanks, that was helpful!", ()),
    (
        "Kim says: Note that our mother Rosa visits on 9 June, and please never use emojis.",
        ("Kim's mother Rosa visits on 9 June.", "Kim wants no emojis."),
    ),
)


def extract(
    model: ChatModel, messages: Sequence[tuple[Message, str]], names: Collection[str] = ()
) -> tuple[list[Fact], Usage]:
    """The facts in some messages, by one call of a model.

    Args:
        model: writes the facts.
        messages: each with the name of its speaker.
        names: of whom and what memory tells already.

    Returns:
        Those of the model that the messages support, and statements that it missed, quoted; and the tokens used.

    Raises:
        ModelError: the model's server failed. A reply that cannot be read counts as one without facts.
    """
    labelled = [(message, _label(message, speaker)) for message, speaker in messages]
    shown = "\n".join(f"{label} says: {' '.join(message.text.split())}" for message, label in labelled)
    try:
        reply = model.complete(
            [*_prompt(), Message("user", shown)],
            [_schema(len(messages))],
            only={SAVE_FACTS},
            max_tokens=_REPLY_TOKENS,
        )
        written, usage = _facts_of(reply.tool_calls), reply.usage
    except ModelReplyError:
        written, usage = [], Usage()
    facts: list[Fact] = []
    for message, speaker in messages:
        facts += checked(written, message, speaker, names)
    return facts, usage


def _label(message: Message, speaker: str) -> str:
    return (introduced(message.text) or speaker) if speaker == UNNAMED_SPEAKER else speaker


def checked(written: Sequence[str], message: Message, speaker: str, names: Collection[str] = ()) -> list[Fact]:
    """The facts that the message supports, in the third person, and what they miss of it as quotations.

    Args:
        written: what a model wrote.
        message: what was said.
        speaker: whom the facts are about.
        names: of whom and what memory tells already.
    """
    name = introduced(message.text)
    label = _label(message, speaker)
    about = f"{label} {name}"
    kept = [
        one
        for one in dict.fromkeys(as_owned(fact, message.text, label) for fact in written)
        if in_third_person(one) and supported(one, message.text, about) and not misattributed(one, message.text)
    ]
    named_here = " ".join(capitalised(message.text))

    def is_told(clause: str) -> bool:
        told = key_terms(" ".join([*kept, about]))
        missing = missed(clause, told)
        return (
            not missing & names_and_numbers(clause)
            and len(missing) < MISSED * len(key_terms(clause))
            and any(supported(one, f"{clause} {named_here}", about) for one in kept)
        )

    told_by = [clause for sentence in statements(message.text, names) for clause in clauses(sentence)]
    quoted = [one for one in told_by if not _INTRODUCES.match(one) and not is_told(one)]
    texts = [*kept, *(quotation(label, one[:LONGEST_QUOTE]) for one in quoted)]
    if name and speaker == UNNAMED_SPEAKER:
        texts.insert(0, name_line(name))
    return [Fact(one, message.id, label) for one in texts]


def introduced(text: str) -> str:
    """The name with which a message introduces its speaker; empty: none."""
    for pattern in _INTRODUCTIONS:
        if (found := pattern.search(text)) and found[1].lower() not in _NOT_NAMES:
            return found[1].strip().title() if found[1].islower() else found[1].strip()
    return ""


def _schema(messages: int) -> ToolSchema:
    facts = {
        "type": "array",
        "items": {"type": "string", "minLength": 3, "maxLength": LONGEST_FACT},
        "maxItems": MOST_FACTS * min(messages, 2),
    }
    parameters = {"type": "object", "properties": {"facts": facts}, "required": ["facts"]}
    return ToolSchema(SAVE_FACTS, "Write down what the message tells.", parameters)


def _prompt() -> list[Message]:
    messages = [Message("system", _SYSTEM)]
    for number, (said, facts) in enumerate(_EXAMPLES):
        call = ToolCall(SAVE_FACTS, {"facts": list(facts)}, id=f"example_{number}")
        messages += [
            Message("user", said),
            Message("assistant", "", tool_calls=(call,)),
            Message("tool", "Saved.", author=SAVE_FACTS, call_id=call.id),
        ]
    return messages


def _facts_of(calls: Sequence[ToolCall]) -> list[str]:
    facts = [one for call in calls if call.name == SAVE_FACTS for one in call.arguments.get("facts") or ()]
    return [_sentence(one) for one in facts if isinstance(one, str) and re.search(r"\w", one)]


def _sentence(text: str) -> str:
    """One line that ends in a full stop."""
    line = " ".join(text.split())
    return line if line[-1] in ".!?\"')" else f"{line}."
