"""A group chat in which an agent with a lasting memory uses a tool that AutoGen runs.

    python examples/groupchat_with_tool.py "What does a return ticket to the island cost, for two?"

Sam may look prices up. The function is registered as for any AutoGen agent: Sam sees it beside the functions of its own
memory, and the guide, who runs it, hands the result back. Run the script again: Sam remembers what you asked before.

Which model: as in agent_groupchat.py.
"""

from __future__ import annotations

import sys
from typing import Annotated

from autogen import ConversableAgent, GroupChat, GroupChatManager, UserProxyAgent, register_function
from larger_model import need_larger_model

from memgpt_autogen import MemGPTError, create_memgpt_autogen_agent_from_config

PRICES = {"island": 12.5, "lighthouse": 4.0, "harbour": 2.5}
FAREWELL = "Have a nice trip!"


def ticket_price(place: Annotated[str, "island, lighthouse or harbour"]) -> str:
    return f"A return ticket to the {place} costs {PRICES[place]:.2f} euros."


def main() -> None:
    question = " ".join(sys.argv[1:]) or "What does a return ticket to the island cost, for two?"

    # Nobody sits at the keyboard here; with human_input_mode="ALWAYS" you would.
    visitor = UserProxyAgent("Visitor", human_input_mode="NEVER", code_execution_config=False)
    sam = create_memgpt_autogen_agent_from_config(
        "Sam",
        system_message="You sell tickets. Look the price up before you name one.",
        interface_kwargs={"show_function_outputs": True},  # what Sam does with its memory is shown, too
    )
    guide = ConversableAgent("Guide", llm_config=False, human_input_mode="NEVER", default_auto_reply=FAREWELL)
    register_function(ticket_price, caller=sam, executor=guide, description="The price of a return ticket.")

    # Sam speaks after everyone else; after Sam the guide, who runs the function if Sam has called it.
    group = GroupChat(
        agents=[visitor, sam, guide],
        messages=[],
        max_round=10,
        speaker_selection_method=lambda last, chat: guide if last is sam else sam,
    )
    manager = GroupChatManager(
        group, llm_config=False, is_termination_msg=lambda message: message["content"] == FAREWELL
    )
    visitor.initiate_chat(manager, message=question)


if __name__ == "__main__":
    try:
        need_larger_model()
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
