"""``memgpt list``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click

from ..config import AgentConfig, LLMConfig, Settings, from_dict
from ..errors import ConfigError, MemGPTError
from ..storage.engines import engine_of
from .console import note, show_rows
from .store import open_store

Row = dict[str, Any]
#: The most characters that are shown of a text.
_SHOWN = 60


@click.command("list")
@click.argument("kind", type=click.Choice(["agents", "humans", "personas", "sources", "presets", "models"]))
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
def list_(kind: str, as_json: bool) -> None:
    """List the agents, humans, personas, sources, presets or models.

    Piped output has one line each, with tabs between the columns.
    """
    columns, rows_of, remedy = _KINDS[kind]
    rows = rows_of(Settings.load())
    if not rows and not as_json:
        note(f"There are no {kind} yet. {remedy}")
        return
    show_rows(columns, rows, as_json=as_json)


def _agents(settings: Settings) -> list[Row]:
    address, engine = settings.database, engine_of(settings.database)

    return [
        {
            "name": one.row.name,
            "model": _model_name(one.row.config.get("model")),
            "preset": one.row.config.get("preset") or "by model",
            "messages": one.messages,
            "created": _day(one.row.created_at),
            "sources": one.sources,
            "persona": one.row.config.get("persona", ""),
            "human": one.row.config.get("human", ""),
        }
        for one in (engine.agents(address) if engine.exists(address) else ())
    ]


def _model_name(saved: Any) -> str:
    if not saved:
        return "as configured"
    model = from_dict(AgentConfig, {"name": "any", "model": saved}).model or LLMConfig()
    return model.model or model.model_endpoint_type


def _sources(settings: Settings) -> list[Row]:
    with open_store(settings, read_only=True) as store:
        agents = {agent.name: store.sources.attached(agent.id) for agent in store.agents.list()}
        return [
            {
                "name": source.name,
                "passages": source.passages,
                "vectors": source.embedder or "none",
                "created": _day(source.created_at),
                "agents": [name for name, attached in agents.items() if source.id in {one.id for one in attached}],
            }
            for source in store.sources.list_sources()
        ]


def _texts(kind: Any) -> Callable[[Settings], list[Row]]:
    def rows(settings: Settings) -> list[Row]:
        from ..prompts import names, text_of

        return [
            {
                "name": name,
                "from": "you" if (settings.home / kind / f"{name}.txt").is_file() else "the package",
                "begins": _short(text := text_of(kind, name, settings.home)),
                "text": text,
            }
            for name in names(kind, settings.home)
        ]

    return rows


def _presets(_: Settings) -> list[Row]:
    from ..prompts.presets import PRESETS

    return [
        {
            "name": preset.name,
            "persona": preset.persona,
            "human": preset.human,
            "functions": len(preset.functions) or "all",
            "block_limit": preset.block_limit,
            "searches_first": bool(preset.rules.prefetch),
        }
        for preset in PRESETS.values()
    ]


def _models(settings: Settings) -> list[Row]:
    """The configured model, the models installed here, and the servers that answer at the default addresses."""
    from ..llm.choose import choose_model
    from ..llm.detect import local_servers
    from ..llm.embedded import find_model

    rows = []
    chosen: LLMConfig | None = None
    try:
        chosen = choose_model(settings)
    except MemGPTError as error:
        rows.append(_model_row("", "", "", None, f"chosen, but: {error}"))
    if chosen and chosen.model_endpoint_type != "embedded":
        rows.append(
            _model_row(chosen.model, chosen.model_endpoint_type, chosen.address, chosen.context_window, "chosen")
        )
    for found in local_servers():
        if not (chosen and found.address == chosen.address):
            rows.append(_model_row(found.model, found.type, found.address, found.window, "answers"))
    embedded = chosen if chosen and chosen.model_endpoint_type == "embedded" else None
    try:
        path = find_model(settings.environ, embedded.model if embedded else "")
        why = "chosen" if embedded else "installed"
        rows.append(_model_row(path.name, "embedded", str(path), embedded.context_window if embedded else None, why))
    except ConfigError as error:
        if embedded and embedded.model:
            rows.append(_model_row(embedded.model, "embedded", "", None, f"chosen, but: {error}"))
    return rows


def _model_row(model: str, kind: str, address: str, window: int | None, why: str) -> Row:
    return {"model": model or "?", "type": kind, "address": address, "window": window or "?", "why": why}


def _day(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


_KINDS: dict[str, tuple[Sequence[str], Callable[[Settings], list[Row]], str]] = {
    "agents": (("name", "model", "preset", "messages", "created"), _agents, "Make one with: memgpt run"),
    "humans": (("name", "from", "begins"), _texts("humans"), "Add one with: memgpt add human NAME --text TEXT"),
    "personas": (("name", "from", "begins"), _texts("personas"), "Add one with: memgpt add persona NAME --text TEXT"),
    "sources": (("name", "passages", "vectors", "created"), _sources, "Load one with: memgpt load"),
    "presets": (("name", "persona", "human", "functions"), _presets, ""),
    "models": (("model", "type", "address", "window", "why"), _models, "Set one up with: memgpt quickstart"),
}
