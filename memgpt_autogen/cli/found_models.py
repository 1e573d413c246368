"""The models that could be used: the chosen one, those on this machine, and what answers at the usual addresses."""

from __future__ import annotations

from typing import Any

from ..config import LLMConfig, Settings
from ..errors import ConfigError, MemGPTError
from ..llm.choose import choose_model
from ..llm.detect import local_servers
from ..llm.embedded import find_model


def models(settings: Settings) -> list[dict[str, Any]]:
    """One row for each model that was found. Asks the default addresses of this machine, a second each at most."""
    rows = []
    chosen: LLMConfig | None = None
    try:
        chosen = choose_model(settings)
    except MemGPTError as error:
        rows.append(_row("", "", "", None, f"chosen, but: {error}"))
    if chosen and chosen.model_endpoint_type != "embedded":
        rows.append(_row(chosen.model, chosen.model_endpoint_type, chosen.address, chosen.context_window, "chosen"))
    for found in local_servers():
        if not (chosen and found.address == chosen.address):
            rows.append(_row(found.model, found.type, found.address, found.window, "answers"))
    embedded = chosen if chosen and chosen.model_endpoint_type == "embedded" else None
    try:
        path = find_model(settings.environ, embedded.model if embedded else "")
        why = "chosen" if embedded else "installed"
        rows.append(_row(path.name, "embedded", str(path), embedded.context_window if embedded else None, why))
    except ConfigError as error:
        if embedded and embedded.model:
            rows.append(_row(embedded.model, "embedded", "", None, f"chosen, but: {error}"))
    return rows


def _row(model: str, kind: str, address: str, window: int | None, why: str) -> dict[str, Any]:
    return {"model": model or "?", "type": kind, "address": address, "window": window or "?", "why": why}
