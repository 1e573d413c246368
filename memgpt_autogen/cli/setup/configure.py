"""``memgpt configure``: asks for every default, each of which a flag can say instead, and writes the config file."""

from __future__ import annotations

from dataclasses import replace
from typing import IO, Any

import click

from ...config import DEFAULT_ENDPOINTS, EmbeddingConfig, Settings, to_dict
from ..console import say
from . import questions
from .api_keys import (
    key_file_option,
    key_place_option,
    model_record,
    obtain_key,
    warn_if_overridden,
    write_settings,
)
from .questions import Given

ASK = Given()
_TYPES = click.Choice([*DEFAULT_ENDPOINTS])


@click.command()
@click.option("--provider", type=click.Choice([*questions.PROVIDERS]), help="Who runs the model.")
@click.option("--model", help="Its name; for azure the deployment's; for embedded the path of a .gguf file.")
@click.option("--model-endpoint", help="The server's address.")
@click.option("--model-endpoint-type", type=_TYPES, help="Which server it is; found out from the address if left out.")
@click.option("--model-wrapper", help="The prompt format, for servers that take plain prompts; auto suits most.")
@click.option("--context-window", type=click.IntRange(min=512), help="Tokens, where the server does not say.")
@click.option("--embedding", type=click.Choice([*questions.EMBEDDERS]), help="What turns text into vectors.")
@click.option("--embedding-endpoint", help="For --embedding openai: the address; OpenAI's own if left out.")
@click.option("--embedding-model", help="For --embedding openai: the model's name.")
@click.option(
    "--vectors", help="Where vectors of passages are kept: chroma:///folder, chroma+http://host:port, or sqlite."
)
@click.option("--preset", help="What new agents are made of; see: memgpt list presets.")
@click.option("--persona", help="Who new agents are: a name or the text itself.")
@click.option("--human", help="Whom they talk to: a name or the text itself.")
@key_file_option
@key_place_option
@click.option("--yes", is_flag=True, help="Do not ask: take the default wherever no flag says otherwise.")
def configure(key_file: IO[str] | None, place: str, **said: Any) -> None:
    """Choose the model, its server and format, the embedder and what new agents are made of.

    Asks, with what is in the config file as default, and writes config.json in the home folder. The environment and
    flags of other commands come before it; memgpt doctor shows which value comes from where.
    """
    ask_all(Settings.load(), Given(**said), key_file, place)


def ask_all(settings: Settings, given: Given = ASK, key_file: IO[str] | None = None, place: str = "auto") -> Settings:
    """Ask for whatever is not given and write it down. The settings as they are then.

    Raises:
        ConfigError: a value that cannot be.
        click.UsageError: there is no terminal to ask on, and neither a flag nor ``--yes`` answers.
    """
    saved = given.saved_model(settings)
    provider = questions.provider(given, saved)
    model = questions.endpoint(provider, given, saved)
    hosted = provider in ("openai", "azure")
    if hosted or key_file is not None:
        asked_for = replace(model, model=given.model or "")  # the key is checked with it
        model = obtain_key(asked_for, settings, key_file, place, needed=questions.needs_key(model))
    model = questions.model_name(model, given, saved)
    if not hosted:
        model = replace(model, model_wrapper=questions.wrapper(model, given, saved))
    model = replace(model, context_window=questions.context_window(model, given, saved))
    if saved.model_endpoint_type == model.model_endpoint_type:  # what is not asked for stays
        model = replace(model, temperature=saved.temperature, timeout=saved.timeout, settings=saved.settings)
    embedding = questions.embedding(given, settings)
    vectors = questions.vectors(given, settings)
    preset = questions.preset(given, settings)
    persona = questions.text("personas", given.persona, given, settings)
    human = questions.text("humans", given.human, given, settings)
    written = write_settings(
        settings,
        model=model_record(model),
        embedding=_short(embedding),
        vectors=vectors,
        preset=preset,
        persona=persona,
        human=human,
    )
    warn_if_overridden(settings)
    say("Now talk: memgpt run. Is everything as it should be? memgpt doctor")
    return written


def _short(embedding: EmbeddingConfig) -> dict[str, Any] | None:
    usual = to_dict(EmbeddingConfig())
    return {key: value for key, value in to_dict(embedding).items() if value != usual[key]} or None
