"""Two agents with memories of their own share one page of them: what one writes there, the other knows at once.

    python examples/shared_block.py "The party is on Friday at eight."

The planner hears something and writes it on the page; the cook, who was not there, is asked about it in a chat of its
own. Run it again: the page is still there.

Which model: as in agent_groupchat.py.
"""

from __future__ import annotations

import sys

from autogen import UserProxyAgent
from larger_model import need_larger_model

from memgpt_autogen import MemGPT, MemGPTError, create_memgpt_autogen_agent_from_config


def main() -> None:
    news = " ".join(sys.argv[1:]) or "The party is on Friday at eight."

    # A block of core memory is a page that an agent always has before its eyes. The planner gets a block "plan"
    # beside the two that every agent has, and the cook gets the very same one.
    home = MemGPT()
    home.create_agent({"name": "Planner", "blocks": {"plan": "The plan of the week:"}})
    home.create_agent({"name": "Cook"})
    home.share_block("plan", "Planner", "Cook")

    planner = create_memgpt_autogen_agent_from_config(
        "Planner", system_message="You keep the block plan up to date with what you are told.", memgpt=home
    )
    cook = create_memgpt_autogen_agent_from_config("Cook", system_message="You cook for the house.", memgpt=home)
    ann = UserProxyAgent("Ann", human_input_mode="NEVER", code_execution_config=False)
    ann.initiate_chat(planner, message=news, max_turns=1)
    ann.initiate_chat(cook, message="When do we need you, and what for?", max_turns=1)

    print("\nWhat both agents see:\n", cook.core.core.render(), sep="")


if __name__ == "__main__":
    try:
        need_larger_model()
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
