"""How many replies of a real small model on a real llama.cpp server can be read: with the grammar, and without.

    python benchmarks/generations.py [--count 200]

Varied prompts and function sets, SmolLM2-135M at temperature 0.8 (so that every reply is another). With the grammar
a reply counts as unreadable if it is no call, calls an unknown function, or misses a required parameter. Without it,
every fifth of the same prompts, read by the same repair. Target: 0 with the grammar.
"""

from __future__ import annotations

import argparse
import itertools
import time

from memgpt_autogen import LLMConfig, events
from memgpt_autogen.errors import ModelReplyError
from memgpt_autogen.llm.completion import CompletionModel
from memgpt_autogen.llm.repair import check_calls, parse_calls
from memgpt_autogen.messages import Message, ToolSchema

TEXT = {"type": "string"}
TOOLS = (
    ToolSchema("send_message", "Say something.", {"properties": {"message": TEXT}, "required": ["message"]}),
    ToolSchema(
        "core_memory_append",
        "Add to a core memory block.",
        {"properties": {"name": {"enum": ["persona", "human"]}, "content": TEXT}, "required": ["name", "content"]},
    ),
    ToolSchema(
        "archival_memory_search",
        "Search stored text.",
        {"properties": {"query": TEXT, "page": {"type": "integer", "minimum": 0}}, "required": ["query"]},
    ),
    ToolSchema(
        "plan_trip",
        "Plan a trip.",
        {
            "properties": {
                "stops": {"type": "array", "items": TEXT, "minItems": 1},
                "days": {"type": "number"},
                "by_train": {"type": "boolean"},
                "note": {"anyOf": [TEXT, {"type": "null"}]},
            },
            "required": ["stops", "by_train"],
        },
    ),
)
QUESTIONS = (
    "Hello, who are you?",
    "My name is Chad and I like cycling. Remember it.",
    "What did I say about my sister yesterday?",
    'Write a poem with "quotes" and a \\ backslash.',
    "Plan three days in Lisbon and Porto for me.",
    "Wie heißt die Hauptstadt von Österreich? 日本?",
    "Count from 1 to 100, one number a line.",
)
SYSTEM = "You are an assistant that acts only by calling functions."


def prompts(count: int):
    """Prompt and functions of each generation."""
    sets = [TOOLS[:size] for size in range(1, len(TOOLS) + 1)]
    for question, tools in itertools.islice(itertools.cycle(itertools.product(QUESTIONS, sets)), count):
        yield [Message("system", SYSTEM), events.user_message(question, name="Ann")], tools


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    config = LLMConfig(model_endpoint_type="embedded", temperature=0.8, context_window=2048)
    model = CompletionModel(config)
    unreadable, unreadable_bare, started = 0, 0, time.monotonic()
    for number, (messages, tools) in enumerate(prompts(count)):
        try:
            model.complete(messages, tools, max_tokens=160)
        except ModelReplyError as error:
            unreadable += 1
            print(f"  {error}: {error.text[:200]!r}")
        if number % 5 == 0:
            unreadable_bare += not readable_without_grammar(model, messages, tools)
    print(f"{count} prompts in {time.monotonic() - started:.0f} s on {model.name}")
    bare = -(-count // 5)
    print(f"unreadable with the grammar     {unreadable:4d} of {count}  {unreadable / count:7.1%}")
    print(f"unreadable without the grammar  {unreadable_bare:4d} of {bare}  {unreadable_bare / bare:7.1%}")


def readable_without_grammar(model: CompletionModel, messages: list[Message], tools: tuple[ToolSchema, ...]) -> bool:
    """Whether the free reply to the same prompt holds a call that can be run."""
    free = [Message("system", SYSTEM + model.wrapper.functions(tools)), *messages[1:]]
    text = model.complete(free, (), max_tokens=160).text
    try:
        calls, _ = parse_calls(text, tools)
        check_calls(calls, tools, None, text)
    except ModelReplyError:
        return False
    return True


if __name__ == "__main__":
    main()
