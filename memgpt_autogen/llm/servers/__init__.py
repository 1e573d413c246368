"""The servers that turn a prompt into text: a table with one row of data and pure functions for each.

Nothing here talks to a network; :mod:`..completion` does, through :mod:`..transport`. A new server is one more row.
"""

from __future__ import annotations

from collections.abc import Mapping

from .base import Ask, Completion, Facts, NoModel, Order, Params, Question, Server, Stream, Way
from .koboldcpp import KOBOLDCPP
from .llamacpp import EMBEDDED, LLAMACPP
from .lmstudio import LMSTUDIO
from .ollama import OLLAMA
from .vllm import VLLM
from .webui import WEBUI, WEBUI_LEGACY

#: The rows by ``model_endpoint_type``.
SERVERS: Mapping[str, Server] = {
    row.name: row for row in (LLAMACPP, KOBOLDCPP, VLLM, OLLAMA, LMSTUDIO, WEBUI, WEBUI_LEGACY, EMBEDDED)
}

__all__ = ["SERVERS", "Ask", "Completion", "Facts", "NoModel", "Order", "Params", "Question", "Server", "Stream", "Way"]
