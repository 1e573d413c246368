"""The command line: ``memgpt``. Each command is loaded when it is used, so that ``memgpt --help`` is there at once."""
