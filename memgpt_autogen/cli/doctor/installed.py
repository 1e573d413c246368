"""Checks which other packages are installed: AutoGen and the extras."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from .findings import Finding, Findings

#: Extra -> (one of its modules, its purpose).
EXTRAS = {
    "local": ("xllamacpp", "a small model on this machine; with it wordllama, which finds by meaning offline"),
    "minilm": ("onnxruntime", "better vectors offline"),
    "docs": ("markitdown", "Word, PowerPoint and Excel files as sources"),
    "database": ("sqlalchemy", "tables of databases as sources"),
    "postgres": ("psycopg_pool", "a store for many machines, in PostgreSQL"),
    "chroma": ("chromadb", "Chroma"),
    "keyring": ("keyring", "keys in the system's keyring"),
    "agentchat": ("autogen_agentchat", "the newer AutoGen"),
}


def autogen() -> Findings:
    """Which distributions own the folder ``autogen/``: several would overwrite each other's files."""
    owners = sorted(set(importlib.metadata.packages_distributions().get("autogen", ())))
    told = [f"{name} {importlib.metadata.version(name)}" for name in owners]
    if len(owners) > 1:
        todo = f"pip uninstall {' '.join(owners)}, then install one: pip install 'memgpt-autogen[autogen]'"
        yield Finding("AutoGen", "bad", f"{' and '.join(told)} write the same folder", todo)
    elif owners:
        yield Finding("AutoGen", "ok", told[0])
    elif importlib.util.find_spec("autogen"):
        yield Finding("AutoGen", "note", "there is a module autogen, but of no distribution that is installed")
    else:
        todo = "For group chats: pip install 'memgpt-autogen[autogen]' (or pyautogen, or ag2)"
        yield Finding("AutoGen", "note", "not installed", todo)


def extras() -> Findings:
    """Which extras are installed, and what the others are for."""
    there = [name for name, (module, _) in EXTRAS.items() if importlib.util.find_spec(module)]
    yield Finding("extras", "ok", ", ".join(there) or "none")
    for name, (_, purpose) in EXTRAS.items():
        if name not in there:
            yield Finding(f"extra {name}", "-", f"not installed; for {purpose}: pip install 'memgpt-autogen[{name}]'")
