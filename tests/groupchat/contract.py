"""The rows of the table in docs/autogen.md: what a member of AutoGen's chats must honour.

A test holds a row by ``@pytest.mark.contract("row")``. ``make contract-table`` runs the tests on every AutoGen and
writes the table from what came out:

    python tests/groupchat/contract.py RESULTS.json ... docs/autogen.md
"""

from __future__ import annotations

import ast
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- table: begin (make contract-table writes it) -->\n", "<!-- table: end -->\n"

ROWS = {
    "reply slot": "The memory agent answers in the place of AutoGen's model; the order of reply functions stays",
    "async pairing": "Its sync and async replies are a pair, by name",
    "signatures": "It takes the arguments of every version, and messages that are None",
    "constructor": "It is made with AutoGen's arguments, by position or by name",
    "plain agent": "With neither llm_config nor agent it is a plain ConversableAgent",
    "llm_config": "The user's config stays on the agent and is never changed; a wrong one is AutoGen's error",
    "config forms": "Entries in the original's form, and old forms of AutoGen's own",
    "providers": "A hosted model is called through AutoGen's client: failover, refusals, keys",
    "tools": "register_for_llm, register_for_execution, register_function, function_map; its own Python functions",
    "tool results": "Every call gets its result, or one that says that it never came",
    "patterns and handoffs": "initiate_group_chat, patterns, OnCondition, ReplyResult",
    "context variables": "Tools, conditions and system messages see them",
    "message dict": "Content may be None, empty, a list or a callable",
    "group delivery": "In a group, who said it is the author, not the manager",
    "introductions": "What the manager says comes from the system",
    "ingestion": "Each message is heard once, whatever list AutoGen hands over",
    "clear_history": "Clearing a chat does not touch memory, and loses nothing that is unread",
    "resume": "A resumed chat repeats nothing, also in a new process",
    "own messages": "Its own words are not news to it; what others said in its name is",
    "reset": "reset() works, and counts usage anew",
    "termination": "By string and by callable on the message; max_consecutive_auto_reply",
    "human input": "ALWAYS, TERMINATE, NEVER",
    "code execution": "It writes code that others run, and runs code where it is told to",
    "summaries": "last_msg, reflection_with_llm, a function",
    "cost": "Usage and cost are counted, those of local models too",
    "cache": "Cache objects are passed on",
    "hooks": "Hooks that edit, shorten or rewrite what it hears",
    "safeguards": "Safeguards on what goes to the model and what comes back",
    "events": "What is shown goes through IOStream",
    "silent chats": "Silent chats and agents show nothing",
    "logging": "runtime_logging has the agent and its calls",
    "run": "run and run_iter, with events, in their second thread",
    "speaker selection: auto": "Speakers chosen by a model that reads descriptions",
    "speaker selection: round_robin": "Speakers in turn",
    "speaker selection: random": "Speakers by chance",
    "speaker selection: manual": "Speakers named by a person",
    "speaker selection: callable": "Speakers chosen by a function",
    "allowed transitions": "Allowed and disallowed transitions",
    "nested chats": "In them and around them; one that comes back to the agent is an error, not a deadlock",
    "sequential chats": "initiate_chats and a_initiate_chats with carryover",
    "async": "Chats at once run side by side, and the event loop stays free",
    "streaming": "Words appear while they are written",
    "pictures": "Text is read, pictures are described, and shown to a model that looks at them",
    "several agents": "Several memory agents in one chat, and a block that they share",
    "several chats": "One agent in several chats, one after the other and at once",
    "copies": "copy and deepcopy share the memory; repr says what it is",
    "windows": "No message is cut in silence: the window is looked up, asked for, or learned from a refusal",
    "whose memory": "By name, for each user of a service, or fresh; sharing by accident is warned of",
    "names of tools": "A tool keeps its name; a function of the agent makes way, in prompt, calls and grammar",
    "tool settings": "Schemas go out as they are; parallel_tool_calls and tool_choice hold",
    "assistant agent": "MemGPTAssistantAgent has AssistantAgent's defaults and order of arguments",
    "responses API": "The whole conversation goes out, also after a rebuilt client and in a new process",
    "capabilities": "Transforms, Teachability, tools and vision; society of minds, captain, web surfer",
    "crashes": "An interrupt, an error or a kill loses nothing, and leaves no call without a result",
}


def marked() -> dict[str, set[str]]:
    """Row to the tests that are marked with it, as ``file.py::test``."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(HERE.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        whole = [row for one in tree.body if _sets_mark(one) for row in _rows(one)]
        for one in tree.body:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                for row in {*whole, *(row for mark in one.decorator_list for row in _rows(mark))}:
                    found[row].add(f"{path.name}::{one.name}")
    return found


def _sets_mark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "pytestmark"


def _rows(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "contract":
            yield str(ast.literal_eval(call.args[0]))


def table(results: dict[str, dict[str, str]]) -> str:
    """The table: each row, each version, the tests that hold it.

    Args:
        results: version to ``file.py::test`` to its outcome there.
    """
    versions, tests = sorted(results), marked()
    lines = [f"| What | {' | '.join(versions)} | Held by |", f"|---|{'---|' * len(versions)}---|"]
    for row, what in ROWS.items():
        cells = [_cell([_outcome(results[version], test) for test in tests[row]]) for version in versions]
        names = "<br>".join(f"`{test}`" for test in sorted(tests[row]))
        lines.append(f"| **{row}**: {what} | {' | '.join(cells)} | {names} |")
    return "\n".join([*lines, ""])


def _outcome(results: dict[str, str], test: str) -> str:
    """How a test came out; empty: it was not run. A file may be skipped as a whole."""
    return results.get(test) or results.get(f"{test.partition('::')[0]}::*", "")


def _cell(outcomes: list[str]) -> str:
    if "failed" in outcomes:
        return "fails"
    if not any(outcomes):
        return "not run"
    return f"yes ({outcomes.count('passed')})" if "passed" in outcomes else "not there"


def main(*given: str) -> None:
    """Write the table of these results into a page."""
    *files, page = map(Path, given)
    results: dict[str, dict[str, str]] = {}
    for file in files:
        results.update(json.loads(file.read_text(encoding="utf-8")))
    text = page.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    page.write_text(before + "\n" + table(results) + "\n" + after, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
