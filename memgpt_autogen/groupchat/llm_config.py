"""Reads an AutoGen ``llm_config``: splits our own keys from those for AutoGen. The user's dict is never changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..compat import entry_options, is_memgpt_key, model_hint, named_model
from ..config import LLMConfig

logger = logging.getLogger(__name__)

#: Keys that say where an entry's model is. An entry without any of them falls through to the environment.
_ENDPOINT_KEYS = ("base_url", "api_base", "api_key", "azure_endpoint", "azure_deployment", "model_client_cls")
#: Options of a config that go on to a model which is called directly; those of the chat API to such alone.
_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "seed", "presence_penalty", "frequency_penalty")
_CHAT_API = (
    *("max_tokens", "max_completion_tokens", "stop", "reasoning_effort", "verbosity", "user", "logit_bias"),
    *("service_tier", "default_headers", "organization", "max_retries", "parallel_tool_calls"),
)
#: What AutoGen itself reads, and what the agent reads elsewhere.
_AUTOGENS_OWN = (
    *("model", "api_type", "api_version", "config_list", "tags", "price", "cache_seed", "use_cache", "cache"),
    *("timeout", "request_timeout", "tools", "functions", "stream", "allow_format_str_template", "filter_func"),
    "context",
)
_OPENAI = ("", "openai", "open_ai")


@dataclass(frozen=True)
class LLMConfigEntry:
    """The contents of an ``llm_config``.

    Attributes:
        autogen: the config for AutoGen, without our keys and with old spellings updated; None: none was given.
        explicit: a model in the original's form (``model_endpoint_type`` and so on), called directly.
        hosted: AutoGen's own client can call the model.
        hint: model name, wrapper and window of an entry without an endpoint.
        options: preset, persona, human, name.
    """

    autogen: dict[str, Any] | Any | None
    explicit: LLMConfig | None
    hosted: bool
    hint: LLMConfig
    options: Mapping[str, str]


def read_llm_config(llm_config: Any, context_window: int | None = None) -> LLMConfigEntry:
    """Read an ``llm_config``: a dict, a list of entries, or AutoGen's own LLMConfig.

    Args:
        llm_config: the config; it is not changed.
        context_window: tokens of the model's window, instead of what the config says.

    Raises:
        ConfigError: it names an unknown server type, or the window is no number of tokens.
    """
    entry = _read(llm_config)
    if context_window is None:
        return entry
    window = model_hint({"context_window": context_window}).context_window
    explicit = replace(entry.explicit, context_window=window) if entry.explicit else None
    return replace(entry, explicit=explicit, hint=replace(entry.hint, context_window=window))


def _read(llm_config: Any) -> LLMConfigEntry:
    if not isinstance(llm_config, (Mapping, list, tuple)):
        return _from_object(llm_config)
    whole = dict(llm_config) if isinstance(llm_config, Mapping) else {"config_list": list(llm_config)}
    entries = [dict(entry) for entry in _listed(whole)]
    if not entries:
        return _invalid(llm_config)
    first = {**{key: value for key, value in whole.items() if is_memgpt_key(key)}, **entries[0]}
    explicit = named_model(first)
    hosted = explicit is None and any(_names_endpoint(entry) for entry in entries)
    if not (explicit or hosted) and first.get("model") == "":
        return _invalid(llm_config)
    options = {key: value for key, value in {**whole, **entries[0]}.items() if value is not None}
    explicit = explicit and _with_options(explicit, options)
    if not hosted:
        _warn_of_dropped(options, explicit)
    cleaned = [_for_autogen(entry, explicit, hosted) for entry in entries]
    rest = _up_to_date({key: value for key, value in whole.items() if key != "config_list"})
    autogen = {**rest, "config_list": cleaned} if "config_list" in whole else cleaned[0]
    return LLMConfigEntry(autogen, explicit, hosted, model_hint(first), entry_options(first))


def _honoured(explicit: LLMConfig | None) -> Sequence[str]:
    """The options of a config that reach a model which is called directly."""
    if explicit is None:
        return ()
    return (*_SAMPLING, *_CHAT_API) if explicit.model_endpoint_type in ("openai", "azure") else _SAMPLING


def _with_options(explicit: LLMConfig, options: Mapping[str, Any]) -> LLMConfig:
    """The model with the options of its config that its server knows."""
    settings = {key: options[key] for key in _honoured(explicit) if key in options and key != "temperature"}
    timeout = options.get("timeout", options.get("request_timeout"))
    return replace(
        explicit,
        temperature=options.get("temperature", explicit.temperature),
        timeout=float(timeout) if isinstance(timeout, (int, float)) else explicit.timeout,
        settings={**explicit.settings, **settings},
    )


def _warn_of_dropped(options: Mapping[str, Any], explicit: LLMConfig | None) -> None:
    known = {*_AUTOGENS_OWN, *_ENDPOINT_KEYS, *_honoured(explicit)}
    dropped = sorted(key for key in options if key not in known and not is_memgpt_key(key) and key[:6] != "azure_")
    if dropped:
        where = explicit.model_endpoint_type if explicit else "environment or config file"
        logger.warning(
            "llm_config: %s not used. The model of this agent is called directly (%s), not through AutoGen's client. "
            "Give the entry a base_url and an api_key to have AutoGen call it.",
            f"{', '.join(dropped)} {'is' if len(dropped) == 1 else 'are'}",
            where,
        )


def _from_object(llm_config: Any) -> LLMConfigEntry:
    """AutoGen's own LLMConfig object, or an entry of one. Its entries have a provider, and none of our keys."""
    entries = getattr(llm_config, "config_list", [llm_config])
    if not hasattr(entries[0], "model"):
        return _invalid(llm_config)
    first = dict(entries[0])
    return LLMConfigEntry(llm_config, None, _names_endpoint(first), model_hint(first), entry_options(first))


def _invalid(llm_config: Any) -> LLMConfigEntry:
    """An invalid config: AutoGen itself reports the error, in the words that its users know."""
    return LLMConfigEntry(llm_config, None, True, LLMConfig(), {})


def _listed(whole: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of a config: those of its ``config_list`` (a list or a single entry), or the config itself."""
    listed = whole.get("config_list", whole)
    return [listed] if isinstance(listed, Mapping) else list(listed or ())


def _names_endpoint(entry: Mapping[str, Any]) -> bool:
    return any(entry.get(key) for key in _ENDPOINT_KEYS) or (entry.get("api_type") or "") not in _OPENAI


def _for_autogen(entry: Mapping[str, Any], explicit: LLMConfig | None, hosted: bool) -> dict[str, Any]:
    """One entry in the form that current AutoGen accepts."""
    kept = _up_to_date(entry)
    if explicit:
        kept = {key: value for key, value in kept.items() if not key.startswith("azure_")}
    if not hosted:  # the memory agent calls its model itself; AutoGen's client need only be constructible
        kept["model"] = kept.get("model") or "memgpt"
        kept["api_key"] = kept.get("api_key") or "not-needed"
        # Never called. Without an address AutoGen would warn that the key is not one of OpenAI's.
        address = explicit.address if explicit else ""
        kept.setdefault("base_url", f"{address or 'http://localhost'}/v1")
    return kept


def _up_to_date(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config, or one entry, without our keys and with AutoGen's keys by their current names."""
    kept = {key: value for key, value in config.items() if not is_memgpt_key(key)}
    for old, new in (("api_base", "base_url"), ("request_timeout", "timeout")):
        if old in kept:
            kept.setdefault(new, kept.pop(old))
    if not kept.pop("use_cache", True):
        kept["cache_seed"] = None
    if kept.get("api_type") in ("open_ai", "openai_api"):
        kept["api_type"] = "openai"
    return kept
