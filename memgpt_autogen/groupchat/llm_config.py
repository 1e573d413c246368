"""AutoGen's ``llm_config``, read: what is ours in it, and what AutoGen gets to see. The user's dict stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..compat import entry_options, is_memgpt_key, model_hint, named_model
from ..config import LLMConfig

#: Keys that say where an entry's model is; an entry without any of them falls through to the environment.
_PLACES = ("base_url", "api_base", "api_key", "azure_endpoint", "azure_deployment", "model_client_cls")
_OPENAI = ("", "openai", "open_ai")


@dataclass(frozen=True)
class Entry:
    """What an ``llm_config`` says.

    Attributes:
        autogen: the config AutoGen gets: entries without our keys, old forms brought up to date; None: none was given.
        explicit: a model named in the original's form (``model_endpoint_type`` and so on), to be called by us.
        hosted: the entry names a place that AutoGen's own client knows how to call.
        hint: what an entry without a place still says: model name, wrapper, window.
        options: preset, persona, human, name.
    """

    autogen: dict[str, Any] | Any | None
    explicit: LLMConfig | None
    hosted: bool
    hint: LLMConfig
    options: Mapping[str, str]


def read_entry(llm_config: Any) -> Entry:
    """Read an ``llm_config``: a dict, a list of entries, or AutoGen's own LLMConfig.

    Raises:
        ConfigError: it names a server that is not known.
    """
    if not isinstance(llm_config, (Mapping, list, tuple)):
        return _from_object(llm_config)
    whole = dict(llm_config) if isinstance(llm_config, Mapping) else {"config_list": list(llm_config)}
    entries = [dict(entry) for entry in _listed(whole)]
    if not entries:
        return _for_autogen_to_judge(llm_config)
    first = {**{key: value for key, value in whole.items() if is_memgpt_key(key)}, **entries[0]}
    explicit = named_model(first)
    hosted = explicit is None and any(_names_place(entry) for entry in entries)
    if not (explicit or hosted) and first.get("model") == "":
        return _for_autogen_to_judge(llm_config)
    cleaned = [_for_autogen(entry, explicit, hosted) for entry in entries]
    rest = _up_to_date({key: value for key, value in whole.items() if key != "config_list"})
    autogen = {**rest, "config_list": cleaned} if "config_list" in whole else cleaned[0]
    return Entry(autogen, explicit, hosted, model_hint(first), entry_options(first))


def _from_object(llm_config: Any) -> Entry:
    """AutoGen's LLMConfig, or an entry of one: typed entries cannot hold our keys, and always know their provider."""
    entries = getattr(llm_config, "config_list", [llm_config])
    if not hasattr(entries[0], "model"):
        return _for_autogen_to_judge(llm_config)
    first = dict(entries[0])
    return Entry(llm_config, None, _names_place(first), model_hint(first), entry_options(first))


def _for_autogen_to_judge(llm_config: Any) -> Entry:
    """Something that no agent can be made from: AutoGen says what is wrong with it, in the words its users know."""
    return Entry(llm_config, None, True, LLMConfig(), {})


def _listed(whole: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of a config: those of its ``config_list``, which may be a single one, or the config itself."""
    listed = whole.get("config_list", whole)
    return [listed] if isinstance(listed, Mapping) else list(listed or ())


def _names_place(entry: Mapping[str, Any]) -> bool:
    return any(entry.get(key) for key in _PLACES) or (entry.get("api_type") or "") not in _OPENAI


def _for_autogen(entry: Mapping[str, Any], explicit: LLMConfig | None, hosted: bool) -> dict[str, Any]:
    """One entry as AutoGen accepts it today."""
    kept = _up_to_date(entry)
    if explicit:
        kept = {key: value for key, value in kept.items() if not key.startswith("azure_")}
    if not hosted:  # the core calls its model itself; AutoGen's client only has to be constructible
        kept["model"] = kept.get("model") or "memgpt"
        kept["api_key"] = kept.get("api_key") or "not-needed"
        # Nothing is ever sent there; without an address AutoGen warns that the key is not one of OpenAI's.
        address = explicit.address if explicit else ""
        kept.setdefault("base_url", f"{address or 'http://localhost'}/v1")
    return kept


def _up_to_date(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config, or one entry of it, without our keys and with AutoGen's own by their names of today."""
    kept = {key: value for key, value in config.items() if not is_memgpt_key(key)}
    for old, new in (("api_base", "base_url"), ("request_timeout", "timeout")):
        if old in kept:
            kept.setdefault(new, kept.pop(old))
    if not kept.pop("use_cache", True):
        kept["cache_seed"] = None
    if kept.get("api_type") in ("open_ai", "openai_api"):
        kept["api_type"] = "openai"
    return kept
