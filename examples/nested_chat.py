"""An agent that asks others before it answers: a nested chat, with a memory inside.

    python examples/nested_chat.py "Whose bicycle is the green one?"

To the outside there is one desk. Behind it an archivist, who has a lasting memory, says what it knows, and a clerk, one
of AutoGen's plain assistants, makes a polite answer of it. Run it twice: the archivist knows what came to it before.

Which model: as in agent_groupchat.py.
"""

from __future__ import annotations

import sys

from autogen import AssistantAgent, ConversableAgent, UserProxyAgent
from larger_model import need_larger_model

from memgpt_autogen import MemGPTError, create_memgpt_autogen_agent_from_config, plain_config_list


def main() -> None:
    question = " ".join(sys.argv[1:]) or "Whose bicycle is the green one?"
    visitor = UserProxyAgent("Visitor", human_input_mode="NEVER", code_execution_config=False)
    archivist = create_memgpt_autogen_agent_from_config(
        "Archivist",
        system_message="You remember what you are told, and say what you know of a question in one sentence.",
    )
    clerk = AssistantAgent(
        "Clerk",
        system_message="You turn what you are given into one polite sentence.",
        llm_config={"config_list": plain_config_list(), "cache_seed": None, "max_tokens": 100},
    )
    desk = ConversableAgent("Desk", llm_config=False, human_input_mode="NEVER")

    # Whatever the visitor says to the desk goes to the archivist, and what comes of that to the clerk.
    desk.register_nested_chats(
        [
            {"recipient": archivist, "max_turns": 1, "summary_method": "last_msg"},
            {"recipient": clerk, "message": "Please say this:", "max_turns": 1, "summary_method": "last_msg"},
        ],
        trigger=visitor,
    )
    visitor.initiate_chat(desk, message=question, max_turns=1)


if __name__ == "__main__":
    try:
        need_larger_model()
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
