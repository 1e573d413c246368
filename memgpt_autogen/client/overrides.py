"""Settings that a program passes to the client in place of the config file: a quick start, or a flat or nested dict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ..config import AgentConfig, EmbeddingConfig, LLMConfig, NamedModel, Settings, from_dict
from ..errors import ConfigError, not_known
from ..llm.choose import DEFAULT_OPENAI_MODEL, choose_model


class QuickstartChoice(Enum):
    """A model to begin with."""

    openai = "openai"  #: OpenAI; needs ``OPENAI_API_KEY``
    embedded = "embedded"  #: a small model on this machine
    local = "local"  #: the server that ``BACKEND_TYPE`` and ``OPENAI_API_BASE`` name


#: Flat keys, and what they are here.
_MODEL = {
    "model": "model",
    "model_endpoint": "model_endpoint",
    "model_endpoint_type": "model_endpoint_type",
    "model_wrapper": "model_wrapper",
    "context_window": "context_window",
    "openai_key": "api_key",
    "azure_key": "api_key",
    "api_key": "api_key",
    "azure_endpoint": "model_endpoint",
    "azure_deployment": "model",
    "temperature": "temperature",
    "timeout": "timeout",
    "settings": "settings",
}
_EMBEDDING = {"embedding_model": "model", "embedding_endpoint": "endpoint", "embedding_key": "api_key"}
_AGENT = ("preset", "persona", "human")
#: What the original's flat form has besides: an embedder is known by its name here, and storage is one file.
_WITHOUT_MEANING = (
    *("embedding_dim", "embedding_chunk_size", "anon_clientid", "memgpt_version", "policies_accepted", "agent"),
    *("archival_storage_type", "archival_storage_path", "archival_storage_uri"),
    *("recall_storage_type", "recall_storage_path", "recall_storage_uri"),
    *("metadata_storage_type", "metadata_storage_path", "metadata_storage_uri"),
    *("persistence_manager_type", "persistence_manager_save_file", "persistence_manager_uri", "config_path"),
)
_EMBEDDERS = {"hugging-face": "openai", "azure": "openai", "local": "auto"}


@dataclass(frozen=True)
class Overrides:
    """The settings that were passed; None or empty: not set.

    Attributes:
        model: which model, with its key.
        embedding: which embedder.
        preset, persona, human: for agents that name none.
    """

    model: LLMConfig | None = None
    embedding: EmbeddingConfig | None = None
    preset: str = ""
    persona: str = ""
    human: str = ""

    def of(self, config: AgentConfig, settings: Settings) -> AgentConfig:
        """An agent's configuration with these settings where it has none. A model given by name alone gets a server."""
        texts = {key: getattr(config, key) or getattr(self, key) for key in _AGENT}
        model = config.model or self.model
        if isinstance(config.model, NamedModel):
            base = self.model or choose_model(settings)
            known = LLMConfig() if base.model_endpoint_type == "embedded" else base
            model = replace(known, model=config.model.model)
        return replace(config, model=model, **texts)


def overrides(
    settings: Settings, quickstart: QuickstartChoice | str | None, config: Mapping[str, Any] | None
) -> Overrides:
    """Read the settings that a program passes.

    Args:
        settings: environment and config file.
        quickstart: a :class:`QuickstartChoice` or its name.
        config: flat (``model``, ``model_endpoint_type``, ``openai_key``, ``preset``, ``embedding_endpoint_type``, ...)
            or nested (``model`` and ``embedding`` are dicts). It takes precedence over ``quickstart``.

    Raises:
        ConfigError: an unknown choice or key.
    """
    found = _quick(settings, quickstart) if quickstart else Overrides()
    return _read(dict(config), found) if config else found


def _quick(settings: Settings, choice: QuickstartChoice | str) -> Overrides:
    name = choice.value if isinstance(choice, Enum) else str(choice)
    if name in ("memgpt", "memgpt_hosted"):
        raise ConfigError('The hosted service is no more. Use quickstart="embedded", "openai" or "local".')
    if name not in [one.value for one in QuickstartChoice]:
        known = [one.value for one in QuickstartChoice]
        raise ConfigError(not_known(f"There is no quickstart {name!r}.", name, "Known", known))
    environ = settings.environ
    if name == "embedded":
        return Overrides(LLMConfig(model_endpoint_type="embedded"))
    if name == "openai":
        # A local model's address has no place here: who says openai means OpenAI.
        return Overrides(LLMConfig(model=environ.get("OPENAI_MODEL") or DEFAULT_OPENAI_MODEL))
    if not (environ.get("BACKEND_TYPE") or environ.get("OPENAI_API_BASE")):
        raise ConfigError(
            'Where is the local server? Set BACKEND_TYPE and OPENAI_API_BASE, or say config={"model_endpoint_type": '
            '"llamacpp", "model_endpoint": "http://127.0.0.1:8080"}.'
        )
    return Overrides()  # the environment says it all


def _read(config: dict[str, Any], found: Overrides) -> Overrides:
    nested_model, nested_embedding = config.get("model"), config.pop("embedding", None)
    if isinstance(nested_model, Mapping):
        del config["model"]
        found = replace(found, model=from_dict(LLMConfig, nested_model))
    if nested_embedding is not None:
        kind = {"kind": nested_embedding} if isinstance(nested_embedding, str) else nested_embedding
        found = replace(found, embedding=from_dict(EmbeddingConfig, kind))
    kind = config.pop("embedding_endpoint_type", None)
    model = {_MODEL[key]: config.pop(key) for key in [*config] if key in _MODEL}
    model = {key: value for key, value in model.items() if value is not None}
    embedding = {_EMBEDDING[key]: config.pop(key) for key in [*config] if key in _EMBEDDING}
    embedding = {key: value for key, value in embedding.items() if value is not None}
    agent = {key: str(config.pop(key) or "") for key in _AGENT if key in config}
    unknown = [key for key in config if key not in _WITHOUT_MEANING and not key.startswith("azure_")]
    if unknown:
        known = [*_MODEL, *_AGENT, *_EMBEDDING, "embedding_endpoint_type", "embedding"]
        raise ConfigError(not_known(f"config has an unknown key {unknown[0]!r}.", unknown[0], "Known", known))
    if model:
        base = found.model or LLMConfig()
        found = replace(found, model=replace(base, **_checked(model)))
    if kind or embedding:
        found = replace(
            found, embedding=from_dict(EmbeddingConfig, {"kind": _EMBEDDERS.get(kind, kind or "openai")} | embedding)
        )
    texts = {key: agent.get(key) or getattr(found, key) for key in _AGENT}
    return Overrides(found.model, found.embedding, **texts)


def _checked(model: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with their types checked.

    Raises:
        ConfigError: one has the wrong type.
    """
    made = from_dict(LLMConfig, model)
    return {key: getattr(made, key) for key in model}
