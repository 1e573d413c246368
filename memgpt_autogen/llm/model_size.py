"""The size of a model and its window, from its server, its file or its name."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ..config import LLMConfig
from ..errors import ConfigError, ModelError
from ..servers import SERVERS
from .connection import connect
from .model_name import parameters_in
from .wrappers import named_by

log = logging.getLogger(__name__)

#: Seconds for each request. The answer is optional, so a slow server is not waited for.
TIMEOUT = 2.0


@dataclass(frozen=True)
class ModelSize:
    """The size of a model; None where unknown.

    Attributes:
        model: its name.
        window: tokens of its context.
        parameters: how many it has.
    """

    model: str = ""
    window: int | None = None
    parameters: int | None = None


def size_of(config: LLMConfig, environ: Mapping[str, str] | None = None) -> ModelSize:
    """The size of a configured model. Asks a local server; without a quick answer the name decides."""
    if config.model_endpoint_type not in SERVERS or config.model_endpoint_type == "embedded":
        return _size_by_name(config, environ)
    try:
        with connect(config, timeout=TIMEOUT) as connection:
            info = connection.info
            known = [number for number in (info.window, config.context_window) if number is not None]
            return ModelSize(info.model, min(known, default=None), _parameters(connection.parameters(), info.model))
    except ModelError as error:
        log.info("The size of the model is not known: %s", error)
        return _size_by_name(config, environ)


def _size_by_name(config: LLMConfig, environ: Mapping[str, str] | None = None) -> ModelSize:
    """The size by the configuration alone, or by the name of the embedded model's file."""
    name, window = "" if named_by("", config.model) else config.model, config.context_window
    if config.model_endpoint_type == "embedded":
        from .embedded import DEFAULT_WINDOW, find_model

        window = window or DEFAULT_WINDOW
        with contextlib.suppress(ConfigError):  # reported when it is started
            name = find_model(environ, config.model).stem
    return ModelSize(name, window, parameters_in(name))


def _parameters(told: int | None, name: str) -> int | None:
    """The number in the name if the server's agrees with it: llama.cpp counts shared embeddings twice."""
    named = parameters_in(name)
    return named if named and (told is None or told < 2 * named) else told
