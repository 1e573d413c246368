"""A group chat of three: a user proxy, a product manager and a coder, who has a memory that lasts.

    python examples/agent_groupchat.py "Write a function that finds the n-th Fibonacci number."

Set USE_MEMGPT to False and the coder is one of AutoGen's own assistants: nothing else changes.

Which model: OPENAI_API_BASE and BACKEND_TYPE name a local server (its OpenAI-compatible address serves the plain
agents), else OPENAI_API_KEY means OpenAI, else the model on this machine, which is too
small unless MEMGPT_EMBEDDED_MODEL names a larger one. Run the script again and the coder remembers the first run;
MEMGPT_HOME says where.
"""

from __future__ import annotations

import argparse
import sys

from autogen import AssistantAgent, GroupChat, GroupChatManager, UserProxyAgent
from larger_model import need_larger_model

from memgpt_autogen import MemGPTError, create_memgpt_autogen_agent_from_config, plain_config_list

USE_MEMGPT = True
ROUNDS = 7
CODER = "I am a 10x engineer, trained in Python. I was the first engineer at Uber."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", nargs="?", default="Write a function that finds the n-th Fibonacci number.")
    task = parser.parse_args().task
    llm_config = {"config_list": plain_config_list(), "cache_seed": None, "max_tokens": 200}

    user_proxy = UserProxyAgent(
        "User_proxy",
        system_message="A human admin.",
        human_input_mode="TERMINATE" if sys.stdin.isatty() else "NEVER",
        code_execution_config=False,  # with {"work_dir": "coding", "use_docker": False} the coder's code is run
        default_auto_reply="Go on, please.",
    )
    product_manager = AssistantAgent(
        "Product_manager",
        system_message="Creative in software product ideas. Answers in two sentences.",
        llm_config=llm_config,
    )
    if USE_MEMGPT:
        coder = create_memgpt_autogen_agent_from_config(
            "MemGPT_coder", system_message=CODER, interface_kwargs={"show_inner_thoughts": True}
        )
    else:
        coder = AssistantAgent("Coder", system_message=CODER, llm_config=llm_config)

    group = GroupChat(
        agents=[user_proxy, product_manager, coder],
        messages=[],
        max_round=ROUNDS,
        speaker_selection_method="round_robin",  # "auto" lets a model choose; it takes a good one
    )
    manager = GroupChatManager(group, llm_config=llm_config)
    user_proxy.initiate_chat(manager, message=task)


if __name__ == "__main__":
    try:
        need_larger_model()
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
