"""The memory agent as a participant of AutoGen chats. The only package that imports classic AutoGen."""

from . import _autogen  # noqa: F401  (its error says what to install if AutoGen is missing)
