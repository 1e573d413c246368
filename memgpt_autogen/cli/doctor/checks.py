"""The checks of ``memgpt doctor``: home folder, keys, model server, embedder and store."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ...config import LLMConfig, Settings
from ...config.home import open_to_others
from ...config.secrets import FILE, VARIABLES, find_key, stored_accounts, usable_keyring
from ...errors import MemGPTError, ModelServerError
from ...llm.choose import filed_address, with_sampling
from ...llm.detect import is_hosted_openai, probe
from ...llm.hosted_models import KeyRefused, hosted_models
from ...redaction import redact
from ..setup import model_wheel
from .findings import Finding, Findings

MEGABYTE = 1_000_000
_HOSTED = ("openai", "azure")


def home(place: Path, named_by: str) -> Findings:
    """The home folder: its path, what set it, its permissions and its free space."""
    by = {"default": "by default", "XDG_DATA_HOME": "by XDG_DATA_HOME"}.get(named_by, f"by {named_by}")
    if not place.exists():
        yield Finding("home", "ok", f"{place}, {by}; made when it is first needed")
    elif not place.is_dir():
        yield Finding("home", "bad", f"{place} is not a folder", "Move it away, or set MEMGPT_HOME.")
        return
    elif open_to_others(place):
        yield Finding("home", "note", f"{place}, {by}: others may enter it", f"chmod 700 {place}")
    else:
        yield Finding("home", "ok", f"{place}, {by}")
    for file in sorted(place.glob("*")) if place.is_dir() else ():
        if file.is_file() and open_to_others(file):
            yield Finding(file.name, "note", "others may read it", f"chmod 600 {file}")
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    free = shutil.disk_usage(there).free // MEGABYTE
    if free < 500:
        todo = "Make room, or set MEMGPT_HOME to a folder on another disk."
        yield Finding("disk", "bad" if free < 50 else "note", f"{free} MB free", todo)
    else:
        yield Finding("disk", "ok", f"{free / 1000:.1f} GB free")


def keys(model: LLMConfig, settings: Settings) -> Findings:
    """Which keys there are and where they are stored; never their values."""
    try:
        for host, where in stored_accounts(settings.home).items():
            yield Finding(f"key for {host}", "ok", "in the system's keyring" if where == "keyring" else f"in {where}")
        kind = model.model_endpoint_type
        key, where = find_key(kind, model.address, settings.home, settings.environ, filed_address(settings, kind))
    except MemGPTError as error:
        yield Finding("keys", "bad", str(error))
        return
    if model.model_endpoint_type in _HOSTED and not model.api_key and not key:
        needed = model.model_endpoint_type == "azure" or is_hosted_openai(model.address)
        names = VARIABLES[model.model_endpoint_type][0]
        todo = f"Set {names}, or store one with: memgpt configure"
        yield Finding(
            "key", "bad" if needed else "note", f"none for {model.address or 'Azure'}", todo if needed else ""
        )
    elif where in VARIABLES.get(model.model_endpoint_type, ()):
        yield Finding("key", "ok", f"from the variable {where}")
    if (settings.home / FILE).is_file() and usable_keyring() is not None:
        yield Finding("keyring", "ok", "there is one; new keys are stored there")


def model(config: LLMConfig, settings: Settings) -> Findings:
    """Whether the model answers, and which one it is."""
    try:
        with_sampling(config, settings)
    except MemGPTError as error:
        yield Finding("sampling", "bad", str(error))
    if config.model_endpoint_type == "embedded":
        yield from _embedded(config, settings)
    elif config.model_endpoint_type in _HOSTED:
        yield from _hosted(config)
    else:
        yield from _server(config)


def _embedded(config: LLMConfig, settings: Settings) -> Findings:
    from ...llm.embedded import find_model

    try:
        path = find_model(settings.environ, config.model)
        yield Finding("model", "ok", f"on this machine: {path} ({path.stat().st_size // MEGABYTE} MB)")
    except MemGPTError as error:
        yield Finding("model", "bad", str(error), "memgpt quickstart")
    if model_wheel.missing_runner():
        yield Finding(
            "model", "bad", "xllamacpp, which runs it, is not installed", "pip install 'memgpt-autogen[local]'"
        )


def _hosted(config: LLMConfig) -> Findings:
    if not config.address:
        yield Finding("model", "bad", "no address for Azure", "memgpt configure --provider azure")
        return
    if not config.api_key and (config.model_endpoint_type == "azure" or is_hosted_openai(config.address)):
        return  # reported with the keys
    try:
        models = hosted_models(config)
    except KeyRefused as error:
        yield Finding("model", "bad", str(error), "Give the right key with: memgpt configure --key-file FILE")
        return
    except ModelServerError as error:
        yield Finding("model", "bad", str(error))
        return
    except MemGPTError as error:
        yield Finding("model", "note", f"could not be checked: {error}")
        return
    if config.model in models or not models or config.model_endpoint_type == "azure":
        yield Finding("model", "ok", f"{config.model} at {config.address}")
    else:
        yield Finding("model", "bad", f"{config.address} has no {config.model!r}", f"It has: {_few(models)}")


def _server(config: LLMConfig) -> Findings:
    try:
        found = probe(config.address, api_key=config.api_key, login=config.login)
    except MemGPTError as error:
        yield Finding("model", "bad", str(error))
        return
    if found is None:
        told = f"{config.address} answers, but does not say which server it is"
        yield Finding("model", "note", told, f"It is spoken to as {config.model_endpoint_type}.")
    elif found.type != config.model_endpoint_type:
        todo = f"memgpt configure --model-endpoint-type {found.type} --model-endpoint {found.address}"
        yield Finding("model", "bad", f"{found.address} is {found.type}, not {config.model_endpoint_type}", todo)
    else:
        yield Finding("model", "ok", str(found))


def embedder(settings: Settings) -> Findings:
    """The embedder for semantic search."""
    from ...embeddings.choose import build_embedder

    try:
        built = build_embedder(settings.embedding, settings.environ, settings.home)
    except MemGPTError as error:
        yield Finding("embedder", "bad", str(error))
        return
    if built is None:
        asked = settings.embedding.kind == "none"
        todo = "" if asked else "pip install 'memgpt-autogen[local]'"
        yield Finding("embedder", "ok" if asked else "note", "none: searches go by words alone", todo)
    else:
        yield Finding("embedder", "ok", built.name)


def store(settings: Settings) -> Findings:
    """Whether the database is intact and of this version, and what killed processes left. Changes nothing."""
    from ...storage.engines import engine_of

    address = settings.database
    path = redact(address)
    try:
        engine = engine_of(address)
        if not engine.exists(address):
            yield Finding("store", "ok", f"{path}: made with the first agent or source")
            return
        health = engine.check(address)
    except MemGPTError as error:
        yield Finding("store", "bad", str(error))
        return
    if health.faults:
        todo = "Save what can be read with: memgpt doctor --repair; or restore a backup."
        for fault in health.faults:
            yield Finding("store", "bad", f"{path} is damaged: {fault}", todo)
    else:
        held = ", ".join(f"{count} {table}" for table, count in health.counts.items())
        size = f" ({Path(address).stat().st_size // MEGABYTE} MB)" if Path(address).is_file() else ""
        yield Finding("store", "ok", f"{path}{size}, whole, format {health.format}: {held}")
        if not health.checked_index:
            yield Finding("store", "-", "it can only be read, so that its full text index was not compared with it")
    for left in health.left:
        yield Finding("store", "note", left, "Removed when the store is next opened to write.")
    for moment, told in health.swept[:3]:
        yield Finding("store", "ok", f"removed {told} ({moment[:16].replace('T', ' ')} UTC)")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
