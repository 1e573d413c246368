"""``memgpt run``: a chat with an agent in the terminal, and its slash commands."""
