"""``memgpt doctor``: checks of the installation, each with the next step."""
