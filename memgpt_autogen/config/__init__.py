"""Configuration: settings and records, ``config.json``, the home folder, stored keys."""

from .settings import (
    DEFAULT_ENDPOINTS,
    FILE_SETTINGS,
    AgentConfig,
    EmbeddingConfig,
    LLMConfig,
    NamedModel,
    Settings,
    as_model,
    check_setting,
    from_dict,
    to_dict,
)

__all__ = [
    "DEFAULT_ENDPOINTS",
    "FILE_SETTINGS",
    "AgentConfig",
    "EmbeddingConfig",
    "LLMConfig",
    "NamedModel",
    "Settings",
    "as_model",
    "check_setting",
    "from_dict",
    "to_dict",
]
