"""The servers that complete prompts: a table, one row of data and pure functions for each.

To add a server, write a module with its row and add the row to :data:`SERVERS`. Connections are opened by
:mod:`memgpt_autogen.llm`; this package is below :mod:`memgpt_autogen.config`, which takes default addresses from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from .base import (
    Completion,
    CompletionRequest,
    Constraint,
    Dialect,
    Fetch,
    ModelNotLoaded,
    Probe,
    SamplingParams,
    Server,
    ServerInfo,
    StreamFormat,
    TokenCountEndpoint,
)
from .koboldcpp import KOBOLDCPP
from .llamacpp import EMBEDDED, LLAMACPP
from .lmstudio import LMSTUDIO
from .ollama import OLLAMA
from .vllm import VLLM
from .webui import WEBUI, WEBUI_LEGACY

#: The rows by ``model_endpoint_type``. Detection tries them in this order, which matters because several servers
#: imitate the paths of others: koboldcpp answers like Ollama and llama.cpp, llama.cpp lists its model like Ollama,
#: and LM Studio answers any path with 200.
SERVERS: Mapping[str, Server] = {
    row.name: row for row in (KOBOLDCPP, LLAMACPP, VLLM, WEBUI, LMSTUDIO, OLLAMA, WEBUI_LEGACY, EMBEDDED)
}

__all__ = [
    "SERVERS",
    "Completion",
    "CompletionRequest",
    "Constraint",
    "Dialect",
    "Fetch",
    "ModelNotLoaded",
    "Probe",
    "SamplingParams",
    "Server",
    "ServerInfo",
    "StreamFormat",
    "TokenCountEndpoint",
]
