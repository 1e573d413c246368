"""Sources of documents: loading, updating, attaching."""

from .library import Library, Loaded

__all__ = ["Library", "Loaded"]
