"""``presets.use_preset`` and its constants, where scripts of the first releases look for them."""

from .compat import DEFAULT, DEFAULT_PRESET, SYNC_CHAT, use_preset

__all__ = ["DEFAULT", "DEFAULT_PRESET", "SYNC_CHAT", "use_preset"]
