"""``memgpt quickstart`` and ``memgpt configure``: choosing a model and the other defaults."""
