"""The page of ``memgpt inspect``: what an agent remembers, on a loopback port, rendered by the server."""
