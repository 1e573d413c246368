"""Shared by ``configure`` and ``quickstart``: asking for keys, checking and storing them, writing the config file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import click

from ...config import LLMConfig, Settings, to_dict
from ...config.file import write_config
from ...config.secrets import VARIABLES, find_key, store_key
from ...errors import ModelError
from ...llm.choose import filed_address
from .. import console
from ..console import ask, note, say

#: The values of ``--keep-key-in``.
PLACES = ("auto", "keyring", "file")

key_file_option = click.option(
    "--key-file",
    type=click.File(encoding="utf-8-sig"),
    help="A file with the API key; - is standard input. It is stored in the keyring or in credentials.json.",
)
key_place_option = click.option(
    "--keep-key-in",
    "place",
    type=click.Choice(PLACES),
    default="auto",
    help="Where a key is stored; auto: the system's keyring where there is one, else a file of mode 0600.",
)


def write_settings(settings: Settings, **changes: Any) -> Settings:
    """Change settings in the config file, and print its path.

    Args:
        settings: the current ones.
        changes: new values of top-level settings; None removes one.
    """
    values = {key: value for key, value in {**settings.defaults, **changes}.items() if value not in (None, "")}
    settings.make_home()
    write_config(settings.config_file, values)
    say(f"Written: {settings.config_file}", "green")
    return replace(settings, defaults=values)


def model_record(config: LLMConfig) -> dict[str, Any]:
    """A model as stored in the config file: what differs from the defaults, without the key."""
    usual = to_dict(LLMConfig())
    record = {key: value for key, value in to_dict(config).items() if value != usual[key]}
    return {"model_endpoint_type": config.model_endpoint_type, **record}


def warn_if_overridden(settings: Settings) -> None:
    """Warn if the environment overrides the model in the config file."""
    for name in ("BACKEND_TYPE", "OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        if settings.environ.get(name):
            note(f"{name} is set and comes before the config file: unset it to use what was written.")
            return


def obtain_key(config: LLMConfig, settings: Settings, file: IO[str] | None, place: str, *, needed: bool) -> LLMConfig:
    """The configuration with a key: from a file, an existing one, or asked for. A new one is checked and stored.

    Args:
        config: the server.
        settings: environment and home folder.
        file: has the key.
        place: where to store it.
        needed: whether the server requires a key.

    Raises:
        click.UsageError: it is needed, none is there, and there is no terminal to ask on.
        KeyRefused: the server does not accept it; nothing is stored.
    """
    variables = " or ".join(VARIABLES.get(config.model_endpoint_type, ()))
    if file is None:
        kind = config.model_endpoint_type
        filed = filed_address(settings, kind)
        found_key, where = find_key(kind, config.address, settings.home, settings.environ, filed)
        if found_key:
            say(f"The key for {config.address}: {_told(where)}.")
            found = replace(config, api_key=found_key)
            _check(found, f" It is {_told(where)}: replace it, or give another with --key-file.")
            return found
        if not needed and not console.interactive():
            return config
        flag = f"--key-file FILE{' or the variable ' + variables if variables else ''}"
        optional = "" if needed else " (Enter: none)"
        key = ask(f"API key for {config.address}{optional}:", flag=flag, hidden=True, check=_is_key if needed else None)
    else:
        key = file.read().strip()
        if wrong := _is_key(key):
            raise click.UsageError(f"{file.name}: {wrong}")
    if not key:
        return config
    found = replace(config, api_key=key)
    _check(found, " It was not stored.")
    say(f"The key is stored: {_told(store_key(config.address, key, settings.home, place=place))}.")
    return found


def _told(where: str) -> str:
    if where == "keyring":
        return "in the system's keyring"
    return f"in {where}" if Path(where).is_absolute() else f"from the variable {where}"


def _is_key(text: str) -> str | None:
    if not text.strip():
        return "A key is needed."
    return None if text.isascii() and text.isprintable() and " " not in text.strip() else "That is not a key."


def _check(config: LLMConfig, remedy: str) -> None:
    """Ask the server whether it takes the key. One that cannot be reached may be reached later."""
    from ...llm.hosted_models import KeyRefused, hosted_models

    try:
        models = hosted_models(config)
    except KeyRefused as error:
        raise KeyRefused(f"{error}{remedy}") from error
    except ModelError as error:
        note(f"The key could not be checked: {error}")
        return
    if config.model and models and config.model not in models and config.model_endpoint_type != "azure":
        note(f"{config.address} does not list {config.model} among its {len(models)} models.")
