"""HTML of the parts, by Jinja with every value escaped."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependency
from ..printable import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(**packages: str) -> Environment:
    """An environment with the templates of this room, and those of other packages by a prefix.

    Raises:
        MissingDependency: Jinja is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
    except ImportError as error:
        raise MissingDependency("HTML needs the package jinja2.", "memgpt-autogen[inspect]") from error
    loaders = {name: PackageLoader(package) for name, package in {"views": __package__, **packages}.items()}
    made = Environment(
        loader=PrefixLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "number": number, "argument": argument}
    return made


def shown(value: object) -> object:
    """A value as it is shown: text without control characters and bidirectional overrides; Jinja escapes the rest."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def moment(at: datetime) -> str:
    """A moment in local time."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def number(value: float) -> str:
    """A number with separators."""
    return f"{value:,.0f}"


def argument(value: object) -> str:
    """The value of an argument."""
    return value if isinstance(value, str) else repr(value)


@cache
def _own() -> Environment:
    return environment()


def fragment(macro: str, *arguments: Any) -> str | None:
    """One part as HTML for a notebook, with its styles; None: Jinja is not installed."""
    try:
        template = _own().get_template("views/parts.html")
    except MissingDependency:
        return None
    style = resources.files(__package__).joinpath("templates/parts.css").read_text(encoding="utf-8")
    return f'<div class="memgpt"><style>{style}</style>{getattr(template.module, macro)(*arguments)}</div>'
