"""Settings and the records that they are made of: from the environment, the config file, an agent's own record.

The records (``LLMConfig``, ``EmbeddingConfig``, ``AgentConfig``) are frozen dataclasses. :func:`from_dict` reads them
from dicts and reports an unknown key or a wrong type instead of ignoring it. Secrets are never written to disk:
``to_dict`` leaves out ``LLMConfig.api_key``.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError, not_known
from ..printable import one_line
from ..servers import SERVERS
from .file import NAME, read_config
from .home import home_folder, make_folder
from .host_secrets import bound, sealed, split_address, with_scheme
from .pasted import Environment, pasted_address, pasted_key
from .serialize import from_dict, to_dict

#: The known values of ``model_endpoint_type``, each with its default address.
DEFAULT_ENDPOINTS: Mapping[str, str] = {
    "openai": "https://api.openai.com/v1",
    "azure": "",
    **{row.name: row.endpoint for row in SERVERS.values()},
}


@dataclass(frozen=True)
class LLMConfig:
    """Which model, and where.

    Attributes:
        model: the model's name; for ``embedded`` the path of a ``.gguf`` file, or empty for the bundled one.
        model_endpoint_type: a key of ``DEFAULT_ENDPOINTS``.
        model_endpoint: the server's address, with or without ``/v1``. A user, a password and a query that it is given
            with are moved to ``login``.
        model_wrapper: the prompt format, for servers that take plain prompts.
        context_window: tokens; None: what the server says, or what is known of the model.
        api_key: sent to the host of ``model_endpoint`` as it is at first, and to no other; never written to disk.
        login: what stood in the address and is a secret; as ``api_key``.
        temperature: None leaves it to the server.
        timeout: seconds for one request.
        settings: further request fields, passed on as they are.
    """

    model: str = ""
    model_endpoint_type: str = "openai"
    model_endpoint: str = ""
    model_wrapper: str = ""
    context_window: int | None = None
    api_key: str = field(default="", repr=False)
    temperature: float | None = None
    timeout: float = 300.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    login: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.model_endpoint_type not in DEFAULT_ENDPOINTS:
            known = ", ".join(DEFAULT_ENDPOINTS)
            raise ConfigError(f"Unknown model endpoint type {self.model_endpoint_type!r}. Known: {known}.")
        object.__setattr__(self, "model_endpoint", pasted_address(self.model_endpoint, "model_endpoint"))
        if not 0 < self.timeout < math.inf or (self.context_window is not None and self.context_window < 1):
            raise ConfigError("timeout is a number of seconds, and context_window one of tokens, above 0.")
        _seal(self, "model_endpoint")
        object.__setattr__(self, "api_key", bound(pasted_key(self.api_key, "api_key"), self.address))
        object.__setattr__(self, "settings", sealed(self.settings, self.address))

    @property
    def address(self) -> str:
        """The server's address without a trailing ``/`` or ``/v1``, so that both ways of writing it work."""
        endpoint = (self.model_endpoint or DEFAULT_ENDPOINTS[self.model_endpoint_type]).rstrip("/")
        return with_scheme(endpoint).removesuffix("/v1").rstrip("/")

    @staticmethod
    def of(value: Any) -> Any:
        """See :func:`as_model`."""
        return as_model(value)


class NamedModel(LLMConfig):
    """A model given by its name alone; the server is chosen as if no model were given."""


def as_model(value: Any) -> Any:
    """A model's name as :class:`NamedModel`, no name as None; anything else as it is."""
    return (NamedModel(value) if value else None) if isinstance(value, str) else value


@dataclass(frozen=True)
class EmbeddingConfig:
    """Which embedder turns text into vectors.

    Attributes:
        kind: ``auto`` (one that is installed), ``none`` (search by words alone), ``bundled``, ``minilm`` or ``openai``
            (any server with ``/v1/embeddings``).
        model: the model's name; for ``minilm`` a folder with ``model.onnx`` and ``tokenizer.json``, or empty.
        endpoint: the server's address, with or without ``/v1``; empty: OpenAI.
        api_key, login: as those of :class:`LLMConfig`.
    """

    kind: str = "auto"
    model: str = ""
    endpoint: str = ""
    api_key: str = field(default="", repr=False)
    login: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoint", pasted_address(self.endpoint, "endpoint"))
        _seal(self, "endpoint")
        address = self.endpoint or DEFAULT_ENDPOINTS["openai"]
        object.__setattr__(self, "api_key", bound(pasted_key(self.api_key, "api_key"), with_scheme(address)))


def _seal(record: LLMConfig | EmbeddingConfig, field_name: str) -> None:
    """Move the secrets of an address to ``login``."""
    clean, login = split_address(getattr(record, field_name))
    if login:
        object.__setattr__(record, field_name, clean)
        object.__setattr__(record, "login", login)


#: Who looks after memory: the program or the model's function calls.
UPKEEP = ("auto", "functions")


@dataclass(frozen=True)
class AgentConfig:
    """What an agent is made of, and what its record in the store remembers.

    Attributes:
        name: unique in the store.
        preset: a name from :mod:`memgpt_autogen.prompts`; empty: the one that suits the model.
        persona, human: names of the texts that come with the package or stand in the home folder, or the text itself.
        model: None: chosen as :func:`memgpt_autogen.llm.choose.choose_model` says. A name alone (a str) is the name of
            the model at the server that is chosen so.
        max_steps: model calls in one turn.
        blocks: further core memory blocks, label to text.
        rules: which function may be called when, in place of the preset's rules of the same name: ``first``, ``after``,
            ``last``, ``prefetch`` (see :class:`memgpt_autogen.prompts.tool_rules.ToolRules`).
        system: the system prompt's text, in place of the preset's.
        tools: further functions by import path, as ``package.module:function``.
        clock: whether the model is told the time of each event. Without it, the same conversation gives the same
            prompts, which a cache of replies then finds.
        recall: ``auto``: the program searches memory before each turn; ``functions``: the model does, by its functions;
            empty: as the preset has it.
        remember: likewise, who writes down what people tell of themselves.
    """

    name: str
    preset: str = ""
    persona: str = ""
    human: str = ""
    model: LLMConfig | None = None
    embedding: EmbeddingConfig = EmbeddingConfig()
    max_steps: int = 12
    blocks: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    system: str = ""
    tools: list[str] = field(default_factory=list)
    clock: bool = True
    recall: str = ""
    remember: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", as_model(self.model))
        if not self.name or not self.name.strip():
            raise ConfigError("An agent needs a name.")
        if one_line(self.name) != self.name:
            raise ConfigError(f"{self.name!r} cannot be a name: it holds what cannot be printed.")
        for key in ("recall", "remember"):
            if getattr(self, key) not in ("", *UPKEEP):
                raise ConfigError(f"{key} must be one of {', '.join(UPKEEP)}, not {getattr(self, key)!r}.")
        if self.max_steps < 1:
            raise ConfigError(f"max_steps must be at least 1, not {self.max_steps}.")
        if not all(isinstance(path, str) for path in self.tools):
            raise ConfigError(f"tools must be import paths, as package.module:function, not {self.tools!r}.")


#: What ``config.json`` may hold.
FILE_SETTINGS: Mapping[str, type] = {
    "model": LLMConfig,
    "embedding": EmbeddingConfig,
    "preset": str,
    "persona": str,
    "human": str,
    "storage": str,
    "vectors": str,
}


def check_setting(key: str, value: Any) -> None:
    """Validate one setting of the config file.

    Raises:
        ConfigError: it is unknown, has the wrong type, or is a secret.
    """
    kind = FILE_SETTINGS.get(key)
    if kind is None:
        raise ConfigError(not_known(f"unknown setting {key!r}.", key, "Known", FILE_SETTINGS))
    if kind is str:
        if not isinstance(value, str):
            raise ConfigError(f"{key} must be a text, not {value!r}.")
        if key == "storage" and re.search(r"//[^/?#]*:[^/?#]*@|[?&]password=", value):
            raise ConfigError(
                "storage: passwords have no place in this file. Set MEMGPT_STORAGE to the whole address, or keep the "
                "password in PGPASSWORD or ~/.pgpass."
            )
        if key == "vectors" and "@" in value:
            raise ConfigError("vectors: tokens have no place in this file. Set MEMGPT_VECTORS to the whole address.")
        return
    if kind is EmbeddingConfig and isinstance(value, str):
        return  # its kind alone
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key} must be an object with the fields of {kind.__name__}.")
    if "api_key" in value:
        raise ConfigError("api_key: keys have no place in this file. Take it out, and store it with: memgpt configure.")
    from_dict(kind, value)


@dataclass(frozen=True)
class Settings:
    """The settings of this process.

    Attributes:
        home: the folder of the database, personas and humans; created with mode 0700 when first written to.
        defaults: the content of the config file.
        environ: the environment that settings are read from.
    """

    home: Path
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "environ", Environment(self.environ))

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, home: str | Path | None = None) -> Settings:
        """Read ``config.json`` in the home folder (:func:`memgpt_autogen.config.home.home_folder`).

        Raises:
            ConfigError: the config file is not JSON or has an invalid setting; the message has its path and line.
        """
        environ = os.environ if environ is None else environ
        place = Path(home).expanduser() if home else home_folder(environ)[0]
        return cls(home=place, defaults=read_config(place / NAME, check_setting), environ=environ)

    @property
    def config_file(self) -> Path:
        """The path of the config file."""
        return self.home / NAME

    @property
    def embedding(self) -> EmbeddingConfig:
        """The embedder of the config file: ``embedding``, a kind or an object.

        Raises:
            ConfigError: it is neither, or has an unknown key.
        """
        said = self.defaults.get("embedding", {})
        if isinstance(said, str):
            return EmbeddingConfig(said)
        if not isinstance(said, Mapping):
            raise ConfigError(f"embedding in config.json is a kind or an object, not {said!r}.")
        return from_dict(EmbeddingConfig, said)

    @property
    def vectors(self) -> str:
        """The address of the vector store for passages: ``MEMGPT_VECTORS``, else ``vectors`` of the config file; empty:
        the database.

        Raises:
            ConfigError: it is not a string.
        """
        said = self.environ.get("MEMGPT_VECTORS") or self.defaults.get("vectors", "")
        if not isinstance(said, str):
            raise ConfigError(f"vectors in config.json is an address such as chroma:///folder, not {said!r}.")
        return said

    @property
    def database(self) -> str:
        """The address of the store, which holds every agent: ``MEMGPT_STORAGE``, else ``storage`` of the config file,
        else the path of an SQLite file in the home folder.

        Raises:
            ConfigError: it is not a string.
        """
        said = self.environ.get("MEMGPT_STORAGE") or self.defaults.get("storage") or str(self.home / "memgpt.db")
        if not isinstance(said, str):
            raise ConfigError(f"storage in config.json is an address such as postgresql://host/database, not {said!r}.")
        return said

    def default(self, key: str) -> str:
        """A text of the config file, such as ``preset``; empty if it is not set."""
        return str(self.defaults.get(key) or "")

    def make_home(self) -> Path:
        """Create the home folder, for its owner only, if it is not there."""
        return make_folder(self.home)


__all__ = [
    "DEFAULT_ENDPOINTS",
    "FILE_SETTINGS",
    "AgentConfig",
    "EmbeddingConfig",
    "LLMConfig",
    "Settings",
    "from_dict",
    "to_dict",
]
