"""Says that an example needs a larger model, and how to get one, before it prints words without sense."""

from __future__ import annotations

import sys

from memgpt_autogen.config import Settings
from memgpt_autogen.llm.choose import choose_model
from memgpt_autogen.llm.model_size import size_of

#: Parameters from which a model calls functions and writes sentences worth reading.
ENOUGH = 1_000_000_000
GET_ONE = """This example needs a model of a billion parameters or more; {model} would only print words without sense.

With 8 GB of memory, for example:
    pip install huggingface_hub
    hf download Qwen/Qwen3-4B-GGUF Qwen3-4B-Q4_K_M.gguf --local-dir models
    MEMGPT_EMBEDDED_MODEL=models/Qwen3-4B-Q4_K_M.gguf python {script}

Or set OPENAI_API_KEY, or BACKEND_TYPE and OPENAI_API_BASE for a server. README.md has a model for each size."""


def need_larger_model() -> None:
    """End the program with that message if the model that would answer is known to be too small."""
    settings = Settings.load()
    size = size_of(choose_model(settings), settings.environ)
    if size.parameters is not None and size.parameters < ENOUGH:
        sys.exit(GET_ONE.format(model=size.model, script=sys.argv[0]))
