"""An agent with some weeks of memory, for the page's tests and pictures."""

from __future__ import annotations

from collections.abc import Sequence

from memgpt_autogen import MemGPT
from memgpt_autogen.agent import Agent
from memgpt_autogen.llm.scripted import Line, ScriptedModel
from memgpt_autogen.messages import Reply, ToolCall, Usage
from memgpt_autogen.sources.base import Document

#: What no page may take as HTML.
HOSTILE = "<script>document.title='broken'</script><img src=x onerror=alert(1)>\u202eevil\x1b[2J"
_AGAIN = {"request_heartbeat": True}


class Timetable:
    """Two documents."""

    def load(self) -> Sequence[Document]:
        return [
            Document("The island railway runs from Port Anna to Graywater at 7:10, 11:40 and 16:20.", "timetable.md"),
            Document("Dogs travel free on the island railway. Bicycles cost two crowns.", "rules.md"),
        ]


def reply(thought: str, *calls: ToolCall, sent: int = 0) -> Reply:
    return Reply(calls, inner_thoughts=thought, usage=Usage(sent, 40, sent // 2, sent * 2e-6) if sent else Usage())


def say(words: str) -> ToolCall:
    return ToolCall("send_message", {"message": words})


def remember(line: str) -> ToolCall:
    return ToolCall("core_memory_append", {"name": "human", "content": line, **_AGAIN})


def search(query: str) -> ToolCall:
    return ToolCall("archival_memory_search", {"query": query})


def note(content: str) -> ToolCall:
    return ToolCall("archival_memory_insert", {"content": content, **_AGAIN})


def correct(old: str, new: str) -> ToolCall:
    return ToolCall("core_memory_replace", {"name": "human", "old_content": old, "new_content": new, **_AGAIN})


_SISTER = "Ann's sister is Lena; she visits on a Saturday."
_BREAD = "Ann wants to bake a rye bread for Lena's visit."
TALK: tuple[tuple[str, tuple[Line, ...]], ...] = (
    (
        "Hi! I am Ann. I moved to Port Anna last week, and I bake on Sundays.",
        (
            reply("She tells me who she is.", remember("Ann moved to Port Anna. She bakes on Sundays."), sent=1400),
            reply("Now I greet her.", say("Welcome to Port Anna, Ann! What will you bake first?"), sent=1480),
        ),
    ),
    (
        "A rye bread. My sister Lena comes by train on Saturday.",
        (
            reply("Her sister matters to her.", remember(_SISTER), note(_BREAD), sent=1620),
            reply("", say("Rye bread for Lena, lovely. Shall I look up her train?"), sent=1730),
        ),
    ),
    (
        "Yes please. And may she bring her dog?",
        (
            reply("The timetable is in archival memory.", search("railway dogs times"), sent=1850),
            reply("There it is.", say("Trains leave at 7:10, 11:40 and 16:20, and dogs travel free."), sent=2240),
        ),
    ),
    (
        "Sorry, it is Sunday that she comes, not Saturday.",
        (
            reply("A correction.", correct("visits on a Saturday", "visits on a Sunday"), sent=2390),
            reply("", say("Noted: Lena comes on Sunday, just in time for the bread."), sent=2480),
        ),
    ),
    ("What did I want to bake?", (reply("A rye bread.", say("A rye bread, for Lena's visit."), sent=2560),)),
)


def lived(memgpt: MemGPT, name: str = "sam", talk: Sequence[tuple[str, tuple[Line, ...]]] = TALK) -> Agent:
    """An agent that had this talk, with a source attached."""
    model = ScriptedModel([line for _, lines in talk for line in lines], context_window=8192, name="scripted-8k")
    agent = memgpt.create_agent({"name": name, "human": "basic"}, model=model)
    memgpt.load_source("railway", Timetable())
    agent.attach("railway")
    for words, _ in talk:
        memgpt.user_message(agent, words, "Ann")
    return agent
