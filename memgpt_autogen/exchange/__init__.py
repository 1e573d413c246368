"""Agents as files: export, import, and import of the original's chat logs."""

from .agent_file import Imported, export_agent, import_agent
from .file_format import AgentFile, Brings, read_agent_file

__all__ = ["AgentFile", "Brings", "Imported", "export_agent", "import_agent", "read_agent_file"]
