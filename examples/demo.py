"""The whole story in one go, on a small model on this machine: documents, a group chat, and a memory that lasts.

    python examples/demo.py                                  the demonstration (make demo)
    python examples/demo.py --docs FOLDER --ask "Question?"  the same agent on documents of your own

A better model is used if the environment names one:

    OPENAI_API_KEY=...                                                    OpenAI
    BACKEND_TYPE=llamacpp OPENAI_API_BASE=http://127.0.0.1:8080           a llama.cpp server of yours
    MEMGPT_EMBEDDED_MODEL=/path/to/model.gguf                             a larger model, run by us
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
DOCUMENTS = HERE / "demo_documents"


class Question(NamedTuple):
    asker: str
    text: str
    expected: str


QUESTIONS = (
    Question("Alice", "What is the name of the emergency shelter?", "Walrus"),
    Question("Alice", "What gas is the glass dome of the lamp filled with?", "argon"),
    Question("Alice", "What does the winner of the barrel race receive?", "goose"),
    Question("Alice", "How deep has the deep drill reached?", "1,340"),
    Question("Alice", "Where should I send a broken lamp?", "Dunmarrow"),
)
FACT = "By the way, my locker code is 7391."
RECALLED = Question("Alice", "What is my locker code?", "7391")
FAREWELL = "That is all for today. See you tomorrow!"
ALICE = (
    "It rained all night and my shoes are wet.",
    "My bus was late again, so I walked the last part of the way.",
    "In the evening I want to repair the kitchen chair.",
    "I have sorted all the letters on my desk by colour.",
    "There is a new bakery beside the library.",
    "The lift is out of order until the end of the week.",
    "I found a red glove on the stairs this morning.",
    "The plants on the window sill need more light.",
    "Someone has borrowed my umbrella and left a hat.",
    "I am learning to play the accordion.",
    "The heating in our room makes a whistling sound.",
    "On the way home I will buy apples and cheese.",
)
BOB = (
    "I always forget that.",
    "Thank you, Sam.",
    "I would have guessed a ham.",
    "That is deep!",
    "Good to know.",
    "Good morning everyone, the coffee is ready.",
    "I am reading a long book about trees and mountains.",
    "Lunch was great today, the soup had carrots and ginger in it.",
    "My sister is coming to visit us on Sunday with her two dogs.",
    "The printer is out of paper, I will bring some up later.",
    "Tomorrow the windows will be cleaned.",
    "I have fixed the squeaking door with a drop of oil.",
    "The meeting has been moved to the large room.",
    "Last night I saw a fox behind the house.",
    "I will water the plants.",
    "The clock in the hall is five minutes slow.",
    "My neighbour sings in a choir.",
    "I have ordered new pencils.",
)

# -- what is seen on the screen -------------------------------------------------------------------------------------

COLOURS = {"Alice": 36, "Bob": 33, "Sam": 32, "dim": 2, "bold": 1}


def paint(text: str, style: str) -> str:
    """Coloured where a terminal shows colours."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{COLOURS[style]}m{text}\033[0m"


def heading(text: str) -> None:
    print(f"\n{paint(text, 'bold')}\n", flush=True)


def spoken(name: str, text: str) -> None:
    print(f"  {paint(f'{name:>5}', name)}  {text}", flush=True)


def note(text: str) -> None:
    print(paint(f"         {text}", "dim"), flush=True)


# -- the two processes ----------------------------------------------------------------------------------------------


def make_sam():
    """The agent: found again by its name if it is in the store already."""
    from memgpt_autogen import create_memgpt_autogen_agent_from_config
    from memgpt_autogen.observers import FunctionCalled, FunctionReturned

    local = os.environ.get("BACKEND_TYPE") or os.environ.get("MEMGPT_EMBEDDED_MODEL")
    if local or os.environ.get("OPENAI_API_KEY"):
        entry = {"context_window": 4096, "preset": "memgpt_docs_small" if local else "memgpt_docs"}
    else:
        entry = {"context_window": 1536}  # the bundled model, with the preset that suits it
    sam = create_memgpt_autogen_agent_from_config("Sam", llm_config={"config_list": [entry]})

    def show(sight) -> None:
        if isinstance(sight, FunctionCalled) and sight.call.name != "send_message":
            who = "the preset's first search" if sight.by_program else "the model calls"
            note(f"{who}: {sight.call.name}({json.dumps(dict(sight.call.arguments), ensure_ascii=False)})")
        if isinstance(sight, FunctionReturned) and sight.result.name != "send_message":
            note(f"-> {sight.result.content[:300]}")

    sam.core.observers.append(show)
    return sam


def make_person(name: str, lines: Iterator[str]):
    """Someone at the keyboard: says the next line whenever it is their turn."""
    from autogen import ConversableAgent

    person = ConversableAgent(name, llm_config=False, human_input_mode="NEVER", code_execution_config=False)
    person.register_reply([ConversableAgent, None], lambda *_, **__: (True, next(lines)), position=0)
    return person


def chat(people, first: str, rounds: int) -> list[dict[str, str]]:
    """A group chat in which everyone speaks in turn; it is drawn here, and AutoGen's own notes are left out."""
    from autogen import GroupChat, GroupChatManager
    from autogen.io import IOConsole, IOStream

    class Quiet(IOConsole):
        def print(self, *objects, **options) -> None:
            pass

        def send(self, message) -> None:
            pass

    def show(sender, message, recipient, silent):
        spoken(sender.name, message if isinstance(message, str) else message["content"])
        return message

    for person in people:
        person.hook_lists["process_message_before_send"] = [show]
    group = GroupChat(agents=people, messages=[], max_round=rounds, speaker_selection_method="round_robin")
    manager = GroupChatManager(
        group, llm_config=False, silent=True, is_termination_msg=lambda message: message["content"] == FAREWELL
    )
    with IOStream.set_default(Quiet()):
        people[0].initiate_chat(manager, message=first, silent=True)
    return group.messages


def counts(answer: str, question: Question) -> bool:
    """Whether an answer is right: short, with the expected words and none of the other questions'."""
    others = [other.expected for other in (*QUESTIONS, RECALLED) if other != question]

    def holds(words: str) -> bool:
        return bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", answer, re.IGNORECASE))

    return len(answer) <= 200 and holds(question.expected) and not any(holds(words) for words in others)


def answers_of(messages: list[dict[str, str]]) -> list[str]:
    return [message["content"] for message in messages if message["name"] == "Sam"]


def first_process() -> list[bool]:
    from memgpt_autogen import MemGPT
    from memgpt_autogen.sources.directory import DirectoryLoader

    heading("(a) Three short documents are loaded and attached")
    home = MemGPT()
    source = home.load_source("demo", DirectoryLoader(DOCUMENTS))
    files = sorted(path.name for path in DOCUMENTS.iterdir())
    note(f"{', '.join(files)}: {source.passages} passages")
    home.close()
    sam = make_sam()
    sam.core.attach("demo")
    note(f"Sam runs on {sam.core.model.name}, with a window of {sam.core.model.context_window} tokens.")

    heading("(b) A group chat asks five questions that only the documents answer")
    people = [make_person("Alice", alice_s_lines(sam)), sam, make_person("Bob", iter(BOB))]
    said = answers_of(chat(people, QUESTIONS[0].text, rounds=60))
    return [counts(answer, question) for answer, question in zip(said, QUESTIONS, strict=False)]


def alice_s_lines(sam) -> Iterator[str]:
    """The other questions, then the fact, then talk until the fact has left the window."""
    yield from (question.text for question in QUESTIONS[1:])
    heading("(c) Alice tells Sam something about herself")
    yield FACT
    heading("(d) More talk follows, until that has left the window")
    log, agent = sam.core.store.log, sam.core.id
    for line in ALICE:
        yield line
        window = log.window(agent)
        if not any(FACT in message.text for message in window):
            note(f"Sam's log has {log.count(agent)} entries, the window the last {len(window)}: the code is out.")
            break
    yield FAREWELL


def second_process() -> list[bool]:
    heading("(e) That process has ended. A new one finds Sam by name, and Alice asks")
    sam = make_sam()
    messages = chat([make_person("Alice", iter(())), sam], RECALLED.text, rounds=2)
    return [counts(answer, RECALLED) for answer in answers_of(messages)]


def own_documents(folder: str, questions: list[str]) -> None:
    from memgpt_autogen import MemGPT
    from memgpt_autogen.sources.directory import DirectoryLoader

    home = MemGPT()
    source = home.load_source("mine", DirectoryLoader(folder, recursive=True))
    heading(f"{folder} ({source.passages} passage{'s' * (source.passages != 1)})")
    home.close()
    sam = make_sam()
    sam.core.attach("mine")
    for question in questions:
        chat([make_person("Alice", iter(())), sam], question, rounds=2)


# -- the program ----------------------------------------------------------------------------------------------------


def run_part(part: str, home: str) -> list[bool]:
    """Run one part in a process of its own; what it found out comes back through a file."""
    environ = {**os.environ, "MEMGPT_HOME": home}
    done = subprocess.run([sys.executable, str(Path(__file__).resolve()), "--part", part], env=environ)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads((Path(home) / f"{part}.json").read_text(encoding="utf-8"))


def demonstrate() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        right = run_part("first", home) + run_part("second", home)
    heading("What came of it")
    for question, ok in zip((*QUESTIONS, RECALLED), right, strict=True):
        print(f"  {'right' if ok else 'wrong'}  {question.text}")
    print(f"\n  {time.monotonic() - started:.0f} seconds. The bundled model is one of the smallest there are: it")
    print("  repeats the sentence that memory finds. For a model that thinks, set OPENAI_API_KEY, or BACKEND_TYPE and")
    print("  OPENAI_API_BASE for a server of yours, or MEMGPT_EMBEDDED_MODEL to a .gguf file, and run this again.\n")
    print(f"{sum(right)} of {len(right)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", help="a file or folder of text or Markdown to ask about")
    parser.add_argument("--ask", action="append", default=[], help="a question; may be given several times")
    parser.add_argument("--part", choices=("first", "second"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    if options.part:
        right = first_process() if options.part == "first" else second_process()
        Path(os.environ["MEMGPT_HOME"], f"{options.part}.json").write_text(json.dumps(right), encoding="utf-8")
    elif options.docs:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            os.environ["MEMGPT_HOME"] = home
            own_documents(options.docs, options.ask or ["What is this about?"])
    else:
        demonstrate()


if __name__ == "__main__":
    from memgpt_autogen import MemGPTError

    try:
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit(130)
