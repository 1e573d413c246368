"""``python -m memgpt_autogen.cli``."""

from .app import main

main()
