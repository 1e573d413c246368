"""How many threads a model on this machine gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError
from .model_name import parameters_in

#: Weights from which a model gains more by a second thread than it loses when a core is busy.
_LARGE = 400_000_000
#: The same for a file whose name does not tell its weights: its bytes, at 8 bits a weight.
_LARGE_FILE = _LARGE


def threads_for(gguf: Path, environ: Mapping[str, str]) -> int:
    """Threads for a model's file: ``MEMGPT_THREADS``, else 1 for a small model and all cores but one for a larger.

    One core is left to the program and the rest of the machine: llama.cpp's threads wait for each other, so that one
    busy core slows them all.

    Raises:
        ConfigError: ``MEMGPT_THREADS`` is not a number from 1 up.
    """
    value = environ.get("MEMGPT_THREADS", "")
    if value:
        if not value.isdigit() or int(value) < 1:
            raise ConfigError(f"MEMGPT_THREADS must be a number from 1 up, not {value!r}.")
        return int(value)
    return max(1, physical_cores() - 1) if _is_large(gguf) else 1


def _is_large(gguf: Path) -> bool:
    parameters = parameters_in(gguf.stem)
    if parameters is not None:
        return parameters > _LARGE
    return gguf.is_file() and gguf.stat().st_size > _LARGE_FILE


def physical_cores() -> int:
    """Cores that this process may use, without the second thread that some run."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        import psutil
    except ImportError:
        return allowed
    return min(allowed, psutil.cpu_count(logical=False) or allowed)
