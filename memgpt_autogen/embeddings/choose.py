"""Chooses and builds the embedder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakValueDictionary

from ..config import EmbeddingConfig
from ..config.host_secrets import goes_to
from ..config.pasted import Environment
from ..config.secrets import find_key, key_in_environment
from ..errors import ConfigError, MissingDependency
from .base import Embedder
from .bundled import BundledEmbedder
from .minilm import MiniLMEmbedder
from .openai import OpenAIEmbedder, address_of

logger = logging.getLogger(__name__)

#: Logged once if no embedder is installed.
WORDS_ALONE = (
    "Searching by words alone: no embedder is installed. What shares no word with a question is not found (turns of a "
    "conversation among the first ten: 80.2 of 100 instead of 82.2; passages of documents: 90.0 instead of 92.5). "
    "Install one that works offline with: pip install 'memgpt-autogen[local]'"
)
#: Embedders in use by name.
_in_use: WeakValueDictionary[str, Embedder] = WeakValueDictionary()
_told: set[str] = set()


def build_embedder(
    config: EmbeddingConfig, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> Embedder | None:
    """The embedder of a configuration; None: search by words alone.

    ``auto``: the bundled one or MiniLM, whichever is installed; else None, with one log message. ``none``:
    None. ``bundled``, ``minilm``, ``openai``: that one.

    Args:
        config: ``model`` is the model's name (``openai``) or a folder (``minilm``); ``endpoint`` and ``api_key`` are
            for ``openai``.
        environ: may have the key; default: the process's.
        home: the home folder with stored keys.

    Raises:
        ConfigError: an unknown kind, or a missing setting.
        MissingDependency: what it needs is not installed.
    """
    environ = Environment(os.environ if environ is None else environ)
    kinds: Mapping[str, Callable[[], Embedder | None]] = {
        "auto": _auto,
        "none": lambda: None,
        "bundled": BundledEmbedder,
        "minilm": lambda: MiniLMEmbedder(config.model),
        "openai": lambda: OpenAIEmbedder(
            config.model, config.endpoint, _key(config, environ, home), login=config.login
        ),
    }
    if config.kind not in kinds:
        raise ConfigError(f"Unknown kind of embedder {config.kind!r}. Known: {', '.join(kinds)}.")
    return _shared(kinds[config.kind]())


def embedder_named(name: str) -> Embedder | None:
    """The embedder of a source, if this process has it or can build it without further settings."""
    if name in _in_use:
        return _in_use[name]
    for kind in (BundledEmbedder, MiniLMEmbedder):
        try:
            built: Embedder = kind()
        except MissingDependency:
            continue
        if built.name == name:
            return _shared(built)
    return None


def _shared(embedder: Embedder | None) -> Embedder | None:
    """The embedder of that name already in use, so that a model is loaded once; of servers the latest."""
    if embedder is None:
        return None
    if isinstance(embedder, OpenAIEmbedder):
        _in_use[embedder.name] = embedder
    return _in_use.setdefault(embedder.name, embedder)


def _auto() -> Embedder | None:
    for kind in (BundledEmbedder, MiniLMEmbedder):
        try:
            return kind()
        except MissingDependency:
            continue
    if WORDS_ALONE not in _told:
        _told.add(WORDS_ALONE)
        logger.warning(WORDS_ALONE)
    return None


def _key(config: EmbeddingConfig, environ: Mapping[str, str], home: Path | None) -> str:
    """The key for this host: a key is only sent to the host that it was given for."""
    address = address_of(config.endpoint)
    if config.api_key and goes_to(config.api_key, address):
        return config.api_key
    if home is None:
        return key_in_environment("openai", address, environ)[0]
    return find_key("openai", address, home, environ)[0]
