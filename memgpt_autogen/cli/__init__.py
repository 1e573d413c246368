"""The command line program ``memgpt``. Commands are imported when they are used, so that ``memgpt --help`` is fast."""
