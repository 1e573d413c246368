"""``memgpt doctor``: checks everything and shows where each setting comes from."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import click

from ...config import AgentConfig, EmbeddingConfig, LLMConfig, Settings, from_dict
from ...config.home import home_folder
from ...errors import MemGPTError, StoreError
from ...llm.choose import ModelRequest, Origin
from ...redaction import redact
from ..console import console, say, show_rows
from .findings import Finding

_STYLES = {"ok": "green", "-": "dim", "note": "yellow", "bad": "bold red"}


@click.command()
@click.option("--agent", help="Show the settings of this agent.")
@click.option("--json", "as_json", is_flag=True, help="Print it all as JSON.")
@click.option("--repair", is_flag=True, help="Recover what can be read of a damaged store into a new file.")
@click.pass_context
def doctor(context: click.Context, agent: str | None, as_json: bool, repair: bool) -> None:
    """Check the configuration, keys, model, store, AutoGen and extras, and name the next step for each.

    First come the effective settings and their sources: the agent (with --agent), the environment, the config file or
    the default. Flags of memgpt run take precedence over all of these. The exit code is 1 if something is broken.

    With --repair a damaged store is replaced by a new one with everything that can be recovered; the old file is kept.
    """
    if repair:
        _repair(Settings.load())
        return
    from . import checks, installed

    place, named_by = home_folder(os.environ)
    findings = [*checks.home(place, named_by)]
    try:
        settings = Settings.load()
        findings.append(Finding("config file", "ok", _there(settings)))
    except MemGPTError as error:
        settings = Settings(place, {}, os.environ)
        findings.append(Finding("config file", "bad", str(error), "Until then the defaults hold."))
    saved = _agent(settings, agent)
    values: list[dict[str, Any]] = []
    try:
        model, origin = ModelRequest(saved=saved.model if saved else None).resolve(settings)
        values = _values(settings, saved, model, origin)
        findings += [*checks.keys(model, settings), *checks.model(model, settings)]
    except MemGPTError as error:
        findings.append(Finding("model", "bad", str(error)))
    findings += [*checks.embedder(settings), *checks.store(settings), *installed.autogen(), *installed.extras()]
    if as_json:
        show_rows((), [{"values": values, "findings": [asdict(one) for one in findings]}], as_json=True)
    else:
        _show(values, findings)
    if any(one.state == "bad" for one in findings):
        context.exit(1)


def _repair(settings: Settings) -> None:
    from ...storage.engines import engine_of

    address, path = settings.database, redact(settings.database)
    engine = engine_of(address)
    if not engine.exists(address):
        say(f"There is no store {path} yet.")
        return
    try:
        faults = engine.check(address).faults
    except StoreError as error:
        faults = (str(error),)
    if not faults:
        say(f"{path} is whole. Nothing was changed.")
        return
    for fault in faults:
        say(f"Damaged: {fault}")
    done = engine.repair(address)
    say("Saved: " + ", ".join(f"{count} {table}" for table, count in done.saved.items()))
    if done.unread:
        say("Could not be read: " + ", ".join(f"{count} {table}" for table, count in done.unread.items()))
    say(f"The old file is kept: {done.kept}")


def _there(settings: Settings) -> str:
    return str(settings.config_file) if settings.config_file.is_file() else f"{settings.config_file}: not there yet"


def _agent(settings: Settings, name: str | None) -> AgentConfig | None:
    if name is None:
        return None
    from ..store import open_store

    with open_store(settings, read_only=True) as store:
        return from_dict(AgentConfig, store.agents.get(name).config)


def _values(settings: Settings, saved: AgentConfig | None, model: LLMConfig, origin: Origin) -> list[dict[str, Any]]:
    """Each setting with its value and its source."""
    where = "the agent" if origin == "saved" else origin
    usual = LLMConfig(model_endpoint_type=model.model_endpoint_type)
    rows = [{"setting": "model_endpoint_type", "value": model.model_endpoint_type, "from": where}]
    for name in ("model", "model_endpoint", "model_wrapper", "context_window", "temperature", "timeout"):
        value = getattr(model, name)
        same = value == getattr(usual, name)
        shown = model.address if name == "model_endpoint" else value
        rows.append({"setting": name, "value": _told(shown), "from": "default" if same else where})
    for name in ("preset", "persona", "human"):
        own = getattr(saved, name) if saved else ""
        filed = "" if saved else settings.default(name)
        where = "the agent" if own else "config file" if filed else "default"
        rows.append({"setting": name, "value": _told(own or filed), "from": where})
    own_embedding = saved.embedding if saved and saved.embedding != EmbeddingConfig() else None
    embedding = own_embedding or settings.embedding
    where = "the agent" if own_embedding else "config file" if settings.defaults.get("embedding") else "default"
    rows.append({"setting": "embedding", "value": embedding.kind, "from": where})
    filed = "config file" if settings.default("storage") else "default"
    by = "environment" if settings.environ.get("MEMGPT_STORAGE") else filed
    rows.append({"setting": "storage", "value": redact(settings.database), "from": by})
    by = "environment" if settings.environ.get("MEMGPT_VECTORS") else "config file" if settings.vectors else "default"
    return [*rows, {"setting": "vectors", "value": redact(settings.vectors) or "in the store", "from": by}]


def _told(value: object) -> str:
    return "-" if value in (None, "") else " ".join(str(value).split())[:60]


def _show(values: list[dict[str, Any]], findings: list[Finding]) -> None:
    if values:
        show_rows(("setting", "value", "from"), values)
        say()
    from rich.text import Text

    out = console()
    for one in findings:
        out.print(Text.assemble((f"{one.state:<5}", _STYLES[one.state]), (f"{one.about}: ", "bold"), one.found))
        if one.todo:
            out.print(Text(f"      {one.todo}"))
    broken = sum(one.state == "bad" for one in findings)
    say()
    say(f"{broken} to mend." if broken else "Nothing is broken.", "bold red" if broken else "green")
