"""Which model answers, and building it. :class:`ModelRequest` has the order in which sources are asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..config import DEFAULT_ENDPOINTS, LLMConfig, Settings, from_dict
from ..config.host_secrets import account_of, goes_to, is_near, split_address, without_secrets
from ..config.secrets import find_key, stored_login
from ..errors import ConfigError, ModelError, ModelServerError
from ..servers import SERVERS
from ..text_encoding import decoded
from .base import ChatModel
from .wrappers import named_by

log = logging.getLogger(__name__)

#: Which source named the model.
Origin = Literal["argument", "saved", "entry", "environment", "config file", "default"]

#: OpenAI's model if none is configured.
DEFAULT_OPENAI_MODEL = "gpt-4o-mini"
#: The folder of sampling settings in the home folder: ``completions/<server>.json``.
SAMPLING_FOLDER = "completions"
_RESERVED_CHAT = frozenset({"model", "messages", "tools", "tool_choice", "stream", "functions", "function_call"})


@dataclass(frozen=True)
class ModelRequest:
    """Which model is wanted, by source. The first source that names one wins, in this order:

    1. ``argument``: an explicit argument or flag;
    2. ``saved``: what the saved agent remembers;
    3. ``entry``: a config entry (AutoGen's ``llm_config``) that names an endpoint or a key;
    4. the environment: ``BACKEND_TYPE`` with ``OPENAI_API_BASE`` before ``OPENAI_API_KEY``, so that a request for a
       local model never reaches a hosted one; without ``BACKEND_TYPE`` the server at ``OPENAI_API_BASE`` is probed;
    5. the config file;
    6. the embedded model.

    Attributes:
        argument, saved, entry: see above; None: that source names none.
        hint: a config entry that names no endpoint. Its wrapper, context window and model name are applied to a model
            that comes from the environment, the config file or the default.
    """

    argument: LLMConfig | None = None
    saved: LLMConfig | None = None
    entry: LLMConfig | None = None
    hint: LLMConfig | None = None

    def resolve(self, settings: Settings) -> tuple[LLMConfig, Origin]:
        """The model's configuration with its API key, and the source that named it.

        Raises:
            ConfigError: ``BACKEND_TYPE`` names no known server, or the config file's model is not valid.
            ModelServerError: ``BACKEND_TYPE`` is not set, and nothing answers at ``OPENAI_API_BASE``.
        """
        given: tuple[tuple[Origin, LLMConfig | None], ...] = (
            ("argument", self.argument),
            ("saved", self.saved),
            ("entry", self.entry),
        )
        for origin, config in given:
            if config is not None:
                return _with_key(config, settings), origin
        config, origin = _from_environment(settings.environ), "environment"
        if config is None:
            config, origin = _from_file(settings), "config file"
        if config is None:
            config, origin = LLMConfig(model_endpoint_type="embedded"), "default"
        config = _with_key(config, settings)
        return (_with_hint(config, self.hint) if self.hint else config), origin


def choose_model(settings: Settings, request: ModelRequest = ModelRequest()) -> LLMConfig:
    """The configuration of the model to use: :meth:`ModelRequest.resolve` without the source."""
    return request.resolve(settings)[0]


def _from_environment(environ: Mapping[str, str]) -> LLMConfig | None:
    backend = environ.get("BACKEND_TYPE", "").strip().lower()
    base = environ.get("OPENAI_API_BASE") or environ.get("OPENAI_BASE_URL") or ""
    key = environ.get("OPENAI_API_KEY", "")
    if backend:
        if backend not in DEFAULT_ENDPOINTS:
            known = ", ".join(DEFAULT_ENDPOINTS)
            raise ConfigError(f"BACKEND_TYPE={backend} is not a known server. Known: {known}.")
        model = environ.get("OPENAI_MODEL") or (DEFAULT_OPENAI_MODEL if backend == "openai" else "")
        if backend == "azure":
            key = environ.get("AZURE_OPENAI_API_KEY") or environ.get("AZURE_OPENAI_KEY") or key
        elif backend != "openai" and not base:
            key = ""  # meant for OpenAI, as nothing says otherwise
        return LLMConfig(model=model, model_endpoint_type=backend, model_endpoint=base, api_key=key)
    found = _detected(base, key) if base else None
    if found:
        return LLMConfig(
            model=environ.get("OPENAI_MODEL", ""), model_endpoint_type=found, model_endpoint=base, api_key=key
        )
    if base or key:
        config = LLMConfig(model=environ.get("OPENAI_MODEL", ""), model_endpoint=base, api_key=key)
        return config if config.model else replace(config, model=_default_model(config))
    return None


def _default_model(config: LLMConfig) -> str:
    """The model of an OpenAI-compatible API where none is named: on this machine or network one that is there."""
    from .hosted_models import hosted_models

    if not is_near(config.address):
        return DEFAULT_OPENAI_MODEL
    try:
        listed = hosted_models(config)
    except ModelError as error:
        log.info("%s", error)
        return DEFAULT_OPENAI_MODEL
    return DEFAULT_OPENAI_MODEL if DEFAULT_OPENAI_MODEL in listed or not listed else listed[0]


def _detected(base: str, key: str) -> str:
    """The type of the server at an address; empty: treat it as an OpenAI-compatible API.

    A hosted address with a key is not probed. An address on this machine or network is probed even with a key, because
    many local servers accept any.
    """
    from .detect import is_hosted_openai, probe

    if is_hosted_openai(base) or (key and not is_near(base)):
        return ""
    try:
        found = probe(base, api_key=key)
    except ModelServerError as error:
        raise ModelServerError(
            f"{error} If it is right and only slow to start, set BACKEND_TYPE to the type of the server: "
            f"{', '.join(DEFAULT_ENDPOINTS)}.",
            retry=error.retry,
        ) from None
    if found is None:
        log.info("%s is not a known server: it is taken for an OpenAI-compatible API.", base)
        return ""
    log.info("%s is a server of the type %s, with the model %s.", base, found.type, found.model or "unknown")
    return found.type


def _from_file(settings: Settings) -> LLMConfig | None:
    saved = settings.defaults.get("model")
    if not saved:
        return None
    if not isinstance(saved, Mapping):
        raise ConfigError(f'{settings.config_file}: "model" must be an object with the fields of LLMConfig.')
    return from_dict(LLMConfig, saved)


def _with_key(config: LLMConfig, settings: Settings) -> LLMConfig:
    """The configuration with the key and login that are set or stored for its host, if it has none of its own."""
    address = config.address
    if not (config.login and goes_to(config.login, address)):
        config = replace(config, login=stored_login(address, settings.home))
    if config.api_key and goes_to(config.api_key, address):
        return config
    kind = config.model_endpoint_type
    key, _ = find_key(kind, address, settings.home, settings.environ, filed_address(settings, kind))
    return replace(config, api_key=key)


def filed_address(settings: Settings, kind: str) -> str:
    """The address that the config file names for the model, if its server is of this type; else empty."""
    saved = settings.defaults.get("model")
    if not isinstance(saved, Mapping) or saved.get("model_endpoint_type", "openai") != kind:
        return ""
    return from_dict(LLMConfig, saved).address


def _with_hint(chosen: LLMConfig, hint: LLMConfig) -> LLMConfig:
    return replace(
        chosen,
        model=hint.model if hint.model and chosen.model_endpoint_type == "openai" else chosen.model,
        model_wrapper=named_by(hint.model_wrapper, hint.model) or chosen.model_wrapper,
        context_window=hint.context_window or chosen.context_window,
    )


def with_sampling(config: LLMConfig, settings: Settings) -> LLMConfig:
    """The configuration merged with the settings file of its server, ``completions/<type>.json`` in the home folder.

    The configuration's own settings take precedence.

    Raises:
        ConfigError: the file is not a JSON object, or has reserved fields.
    """
    path = settings.home / SAMPLING_FOLDER / f"{config.model_endpoint_type}.json"
    if not path.is_file():
        return config
    try:
        filed: Any = json.loads(decoded(path.read_bytes()))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}. Fix or delete the file.") from error
    if not isinstance(filed, dict):
        raise ConfigError(f"{path} must hold one JSON object, of fields that the server's API knows.")
    row = SERVERS.get(config.model_endpoint_type)
    fixed = sorted(set(filed) & (row.reserved if row else _RESERVED_CHAT))
    if fixed:
        raise ConfigError(f"{path} sets {', '.join(fixed)}, which the program decides for each reply. Leave it out.")
    base = settings.environ.get("OPENAI_API_BASE") or settings.environ.get("OPENAI_BASE_URL") or ""
    kind = config.model_endpoint_type
    own = (DEFAULT_ENDPOINTS[kind], base, filed_address(settings, kind))
    if account_of(config.address) not in [account_of(split_address(one)[0]) for one in own if one]:
        filed = without_secrets(filed)  # its headers are for the user's own server
    temperature = filed.pop("temperature", None)
    if temperature is not None and (isinstance(temperature, bool) or not isinstance(temperature, (int, float))):
        raise ConfigError(f"{path}: temperature must be a number, not {temperature!r}.")
    return replace(
        config,
        temperature=temperature if config.temperature is None else config.temperature,
        settings={**filed, **config.settings},
    )


def build_model(
    config: LLMConfig,
    settings: Settings,
    *,
    inner_thoughts: bool = True,
    temperature: float | None = None,
    wrapper: str = "",
) -> ChatModel:
    """A model, ready for calls. An embedded server is started at the first call.

    Args:
        config: which model.
        settings: where to look for keys and files.
        inner_thoughts: whether calls have inner thoughts.
        temperature, wrapper: defaults, if neither the configuration nor the settings file sets them.

    Raises:
        ConfigError: a key, a file or a package is missing; the message says what to do.
    """
    config = with_sampling(config, settings)
    config = replace(
        config,
        temperature=temperature if config.temperature is None else config.temperature,
        model_wrapper=named_by(config.model_wrapper, config.model) or wrapper,
    )
    if config.model_endpoint_type in ("openai", "azure"):
        from .openai import OpenAIChat

        return OpenAIChat(config, inner_thoughts=inner_thoughts, environ=settings.environ)
    from .completion import CompletionModel

    return CompletionModel(config, inner_thoughts=inner_thoughts, environ=settings.environ)
