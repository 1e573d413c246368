"""Agents as files: export, import, and import of the original's chat logs."""

from .agent_file import Imported, export_agent, import_agent

__all__ = ["Imported", "export_agent", "import_agent"]
