"""A coder with a lasting memory writes a program, and AutoGen's user proxy runs it.

    python examples/coder_with_execution.py "Print the first ten prime numbers."

What the program prints, or its error, goes back to the coder, who says TERMINATE once it is content. What it learned
lasts: tell it "I prefer type hints" in one run, and it knows in the next.

The program runs in the folder coding/, on this machine, as you. With "use_docker": True it runs in a container.
Which model: as in agent_groupchat.py.
"""

from __future__ import annotations

import sys

from autogen import UserProxyAgent
from larger_model import need_larger_model

from memgpt_autogen import MemGPTError, create_memgpt_autogen_agent_from_config

HOW = """You write Python. Answer with one whole program between ```python and ```. It is run at once, and you are told
what it printed. If that is what was asked for, answer with the result and the word TERMINATE, without a program."""


def main() -> None:
    task = " ".join(sys.argv[1:]) or "Print the first ten prime numbers."
    coder = create_memgpt_autogen_agent_from_config("Coder", system_message=HOW)
    runner = UserProxyAgent(
        "Runner",
        human_input_mode="NEVER",  # "ALWAYS" asks you before each program is run
        code_execution_config={"work_dir": "coding", "use_docker": False},
        is_termination_msg=lambda message: "TERMINATE" in (message["content"] or ""),
        default_auto_reply="There was no program in that. Please write one.",
        max_consecutive_auto_reply=3,
    )
    runner.initiate_chat(coder, message=task)


if __name__ == "__main__":
    try:
        need_larger_model()
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
