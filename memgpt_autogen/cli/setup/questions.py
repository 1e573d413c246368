"""The questions of ``memgpt configure``: each takes a flag's answer, else the default with ``--yes``, else asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import click

from ...config import DEFAULT_ENDPOINTS, EmbeddingConfig, LLMConfig, Settings, from_dict
from ...errors import ConfigError, ModelServerError
from ...llm.choose import DEFAULT_OPENAI_MODEL
from ...llm.detect import is_hosted_openai, local_servers, probe
from ...llm.wrappers import AUTO, WRAPPERS, get_wrapper, is_auto
from ...prompts import names, text_of
from ...prompts.presets import PRESETS, get_preset
from ...redaction import redact
from ...servers import SERVERS
from ..console import ask, choose, confirm, note, say
from .validators import checked, is_address, is_chroma, is_there, is_window

PROVIDERS = {
    "openai": "OpenAI, or another with its API",
    "azure": "Azure OpenAI",
    "local": "a model on this machine or network",
}
EMBEDDERS = {
    "auto": "whichever is installed",
    "bundled": "wordllama, offline, small",
    "minilm": "MiniLM, offline, better, slower",
    "openai": "a server with /v1/embeddings",
    "none": "none: search by words alone",
}
_EMBEDDING_MODEL = "text-embedding-3-small"
#: Takes the value away that the config file has.
_BY_MODEL, _BY_PRESET = "as suits the model", "as the preset has it"


@dataclass(frozen=True)
class Given:
    """What flags said; None: nothing. ``yes``: take defaults instead of asking."""

    provider: str | None = None
    model: str | None = None
    model_endpoint: str | None = None
    model_endpoint_type: str | None = None
    model_wrapper: str | None = None
    context_window: int | None = None
    embedding: str | None = None
    embedding_endpoint: str | None = None
    embedding_model: str | None = None
    vectors: str | None = None
    preset: str | None = None
    persona: str | None = None
    human: str | None = None
    yes: bool = False

    def saved_model(self, settings: Settings) -> LLMConfig:
        """The model in the config file."""
        return from_dict(LLMConfig, settings.defaults.get("model") or {})

    def or_ask(self, said: str | None, default: str, question: Callable[[], str]) -> str:
        """What was said, the default with ``--yes``, or the answer to a question."""
        if said is not None:
            return said
        return default if self.yes else question()


def provider(given: Given, saved: LLMConfig) -> str:
    """``openai``, ``azure`` or ``local``."""
    kind = given.model_endpoint_type or ("" if given.provider else saved.model_endpoint_type)
    default = kind if kind in ("openai", "azure") else "local"
    if given.model_endpoint_type:
        if given.provider not in (None, default):
            raise click.UsageError(f"--model-endpoint-type {kind} does not go with --provider {given.provider}.")
        return default
    if given.provider is None and given.model_endpoint is not None:
        return "openai" if is_hosted_openai(given.model_endpoint) else "local"
    return given.or_ask(
        given.provider, default, lambda: choose("Who runs the model?", PROVIDERS, flag="--provider", default=default)
    )


def endpoint(provider: str, given: Given, saved: LLMConfig) -> LLMConfig:
    """Which server, and where."""
    if provider == "local":
        return _local(given, saved)
    same = saved.model_endpoint if saved.model_endpoint_type == provider else ""
    default = same or DEFAULT_ENDPOINTS[provider]
    question = "Its address:" if provider == "openai" else "The resource's address (https://...):"
    address = given.or_ask(
        given.model_endpoint,
        default,
        lambda: ask(question, flag="--model-endpoint", default=default, check=is_address),
    )
    checked(address, is_address, "--model-endpoint")
    usual = address.rstrip("/") == DEFAULT_ENDPOINTS[provider]
    return LLMConfig(model_endpoint_type=provider, model_endpoint="" if usual else address)


def _local(given: Given, saved: LLMConfig) -> LLMConfig:
    kind, address = given.model_endpoint_type, given.model_endpoint
    if kind is None and address is None:
        kind, address = _pick_server(given, saved)
    if kind == "embedded":
        return LLMConfig(model_endpoint_type=kind)
    if kind is not None and address is None:
        default = saved.model_endpoint if saved.model_endpoint_type == kind else ""
        default = default or DEFAULT_ENDPOINTS[kind]
        address = given.or_ask(
            None, default, lambda: ask("Its address:", flag="--model-endpoint", default=default, check=is_address)
        )
    checked(address or "", is_address, "--model-endpoint")
    return _probed(kind, address or "", given)


def _pick_server(given: Given, saved: LLMConfig) -> tuple[str, str | None]:
    """A type, and the address where a server of it answers."""
    was = saved.model_endpoint_type if saved.model_endpoint_type not in ("openai", "azure") else "embedded"
    if given.yes:
        return was, saved.model_endpoint or None
    say("Looking for servers at the usual addresses of this machine ...", "dim")
    found = {one.type: one for one in local_servers()}
    rows = {kind: f"{kind}: answers, {one.model}"[:38] for kind, one in found.items()}
    rows["embedded"] = "embedded: started by memgpt"
    rows |= {kind: kind for kind in SERVERS if kind not in rows}
    default = was if was in found or not found else next(iter(found))
    kind = choose("Which server?", rows, flag="--model-endpoint-type", default=default)
    return kind, found[kind].address if kind in found else None


def _probed(kind: str | None, address: str, given: Given) -> LLMConfig:
    """The server at an address, asked what it is; what was said stands where it does not answer."""
    try:
        found = probe(address)
    except ModelServerError as error:
        note(str(error))
        if kind is None:
            raise ConfigError(f"Say which server it is, with --model-endpoint-type: {', '.join(SERVERS)}.") from error
        if not given.yes and not confirm("Write it down all the same?", default=True):
            raise click.Abort from error
        return LLMConfig(model_endpoint_type=kind, model_endpoint=address)
    if found is None:
        note(f"{redact(address)} answers, but does not say which server it is.")
        return LLMConfig(model_endpoint_type=kind or "openai", model_endpoint=address)
    say(f"{found}.")
    if kind not in (None, found.type):
        note(f"That is {found.type}, not {kind}.")
        if given.model_endpoint_type is None and (given.yes or confirm(f"Take it for {found.type}?", default=True)):
            kind = found.type
    return LLMConfig(model_endpoint_type=kind or found.type, model_endpoint=address)


def needs_key(model: LLMConfig) -> bool:
    """Whether a server takes nobody without a key."""
    return model.model_endpoint_type == "azure" or is_hosted_openai(model.address)


def model_name(model: LLMConfig, given: Given, saved: LLMConfig) -> LLMConfig:
    """The configuration with the model's name, where it needs one."""
    kind = model.model_endpoint_type
    default = saved.model if saved.model_endpoint_type == kind else ""
    if kind in ("openai", "azure"):
        default = default or (DEFAULT_OPENAI_MODEL if kind == "openai" else "")
        question = "The deployment's name:" if kind == "azure" else "Which model?"
        name = given.or_ask(
            given.model, default, lambda: ask(question, flag="--model", default=default, check=is_there)
        )
        return replace(model, model=checked(name, is_there, "--model"))
    if kind == "embedded":
        from ...llm.embedded import find_model

        def wrong(path: str) -> str | None:
            try:
                find_model({}, path)
            except ConfigError as error:
                return str(error) if path else None
            return None

        question = "A .gguf file (Enter: the small model):"
        path = given.or_ask(given.model, default, lambda: ask(question, flag="--model", default=default, check=wrong))
        return replace(model, model=checked(path, wrong, "--model"))
    if not SERVERS[kind].needs_model:
        return replace(model, model=given.model or "")
    question = "Which of its models? (Enter: the first)"
    return replace(
        model, model=given.or_ask(given.model, default, lambda: ask(question, flag="--model", default=default))
    )


def wrapper(model: LLMConfig, given: Given, saved: LLMConfig) -> str:
    """The prompt format."""
    default = saved.model_wrapper if saved.model_endpoint_type == model.model_endpoint_type else ""
    rows = {AUTO: f"{AUTO} (recommended)", **{name: name for name in WRAPPERS}}
    default = default or AUTO
    name = given.or_ask(
        given.model_wrapper, default, lambda: choose("Prompt format?", rows, flag="--model-wrapper", default=default)
    )
    get_wrapper(name)
    return "" if is_auto(name) and model.model_endpoint_type == "embedded" and not model.model else name


def context_window(model: LLMConfig, given: Given, saved: LLMConfig) -> int | None:
    """Tokens; None: what the server says, or what is known of the model."""
    if given.context_window is not None:
        return given.context_window
    same = (saved.model_endpoint_type, saved.model) == (model.model_endpoint_type, model.model)
    default = str(saved.context_window or "") if same else ""
    question = "Context window in tokens (Enter: what the server says):"
    said = given.or_ask(None, default, lambda: ask(question, flag="--context-window", default=default, check=is_window))
    return int(said) if said else None


def embedding(given: Given, settings: Settings) -> EmbeddingConfig:
    """The embedder."""
    filed = settings.defaults.get("embedding") or {}
    saved = EmbeddingConfig(filed) if isinstance(filed, str) else from_dict(EmbeddingConfig, filed)
    kind = given.or_ask(
        given.embedding or ("openai" if given.embedding_endpoint or given.embedding_model else None),
        saved.kind,
        lambda: choose("What finds by meaning?", EMBEDDERS, flag="--embedding", default=saved.kind),
    )
    if kind != "openai":
        return saved if kind == saved.kind else EmbeddingConfig(kind)
    address = given.or_ask(
        given.embedding_endpoint,
        saved.endpoint,
        lambda: ask("Its address (Enter: OpenAI):", flag="--embedding-endpoint", default=saved.endpoint),
    )
    checked(address or DEFAULT_ENDPOINTS["openai"], is_address, "--embedding-endpoint")
    default = saved.model or _EMBEDDING_MODEL
    name = given.or_ask(
        given.embedding_model, default, lambda: ask("Which model?", flag="--embedding-model", default=default)
    )
    return EmbeddingConfig(kind, name, address)


def vectors(given: Given, settings: Settings) -> str:
    """Where the vectors of passages are kept; empty: in the SQLite file with everything else."""
    default = settings.default("vectors")
    said = given.vectors
    if said is None and not given.yes:
        rows = {"": "the SQLite file", "chroma": "Chroma, at an address"}
        said = choose("Where are vectors kept?", rows, flag="--vectors", default="chroma" if default else "")
        if said == "chroma":
            said = ask("Its address (chroma:///folder):", flag="--vectors", default=default, check=is_chroma)
    said = default if said is None else "" if said == "sqlite" else said
    return checked(said, is_chroma, "--vectors") if said else ""


def preset(given: Given, settings: Settings) -> str:
    """A preset's name; empty: the one that suits the model."""
    default = settings.default("preset")
    rows = {"": f"{_BY_MODEL} (recommended)", **{name: name for name in PRESETS}}
    name = given.or_ask(
        given.preset, default, lambda: choose("New agents' preset?", rows, flag="--preset", default=default)
    )
    return get_preset(name).name if name else ""


def text(kind: Literal["personas", "humans"], said: str | None, given: Given, settings: Settings) -> str:
    """A persona or human: its name or text; empty: the preset's."""
    one = kind.removesuffix("s")
    default = settings.default(one)
    rows = {"": _BY_PRESET, **({default: default[:36]} if default else {})}
    rows |= {name: name for name in names(kind, settings.home)}
    name = given.or_ask(said, default, lambda: choose(f"New agents' {one}?", rows, flag=f"--{one}", default=default))
    if name:
        text_of(kind, name, settings.home)
    return name
