"""How large a model and its window are, as far as its server, its file or its name tells."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..config import LLMConfig
from ..errors import ConfigError, ModelError
from ..servers import SERVERS
from .connection import connect
from .wrappers import named_by

log = logging.getLogger(__name__)

#: Seconds for each question. A server that takes longer is not waited for: whoever asks can do without.
TIMEOUT = 2.0
#: ``135M``, ``0.5B``, ``1.5b``: a number of weights within a model's name.
_WEIGHTS = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)([mb])(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"m": 10**6, "b": 10**9}


@dataclass(frozen=True)
class ModelSize:
    """What is known of a model; None where nothing is.

    Attributes:
        model: its name.
        window: tokens of its context.
        parameters: weights.
    """

    model: str = ""
    window: int | None = None
    parameters: int | None = None


def size_of(config: LLMConfig, environ: Mapping[str, str] | None = None) -> ModelSize:
    """The size of a configured model. Asks a local server, and does without its answer where none comes soon."""
    if config.model_endpoint_type not in SERVERS or config.model_endpoint_type == "embedded":
        return _named_size(config, environ)
    try:
        with connect(config, timeout=TIMEOUT) as connection:
            info = connection.info
            known = [number for number in (info.window, config.context_window) if number is not None]
            return ModelSize(info.model, min(known, default=None), _weights(connection.parameters(), info.model))
    except ModelError as error:
        log.info("The size of the model is not known: %s", error)
        return _named_size(config, environ)


def _named_size(config: LLMConfig, environ: Mapping[str, str] | None = None) -> ModelSize:
    """What the configuration alone says, or the name of the file that would be run."""
    name, window = "" if named_by("", config.model) else config.model, config.context_window
    if config.model_endpoint_type == "embedded":
        from .embedded import DEFAULT_WINDOW, find_model

        window = window or DEFAULT_WINDOW
        with contextlib.suppress(ConfigError):  # whoever starts it says so
            name = find_model(environ, config.model).stem
    return ModelSize(name, window, parameters_in(name))


def _weights(told: int | None, name: str) -> int | None:
    """The server's figure, or the name's where the two agree: llama.cpp counts embeddings that are shared twice."""
    named = parameters_in(name)
    return named if named and (told is None or told < 2 * named) else told


def parameters_in(name: str) -> int | None:
    """The number of weights that a model's name tells, such as ``SmolLM2-135M-Instruct``; None: it tells none.

    A mixture such as ``8x7B`` tells none either, and is not small.
    """
    found = _WEIGHTS.search(name)
    return round(float(found[1]) * _UNITS[found[2].lower()]) if found else None
