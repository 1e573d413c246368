"""Generates ``memgpt load`` commands from the constructors of loaders that have none of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import click
from docstring_parser import parse

from ..sources import LOADERS, loader_class

#: Options of the guessed loaders that are followed by a value.
_WITH_VALUE = ("--name", "--exclude", "--input-files", "--urls")
#: ``run(name, kind, replace, **arguments)``.
Run = Callable[..., None]


class LoaderGroup(click.Group):
    """A group with a command for each loader: added ones, and generated ones for the others.

    Attributes:
        run: loads with a generated command.
        shared: options of every command.
    """

    run: Run
    shared: Sequence[click.Parameter] = ()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*LOADERS, *(name for name in super().list_commands(ctx) if name not in LOADERS)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``load WHAT`` for the loader that reads it: a file, a folder or an address."""
        known = {*self.list_commands(ctx), "-h", "--help"}
        if args and not known & {args[0], args[-1]}:
            args = [*guessed(args), *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        written = super().get_command(ctx, cmd_name)
        if written or cmd_name not in LOADERS:
            return written
        debug = [parameter for parameter in self.params if parameter.name == "debug"]
        return loader_command(cmd_name, self.run, [*self.shared, *debug])


def guessed(args: Sequence[str]) -> list[str]:
    """The loader that reads what is named, with the options that it needs beside; empty: nothing is named.

    Raises:
        click.UsageError: what is named is no file, folder or page.
    """
    values = {args[at + 1] for at, one in enumerate(args[:-1]) if one in _WITH_VALUE}
    named = [one for one in args if not one.startswith("-") and one not in values]
    if not named:
        return []
    what, path = named[0], Path(named[0]).expanduser()
    naming = any(one == "--name" or one.startswith("--name=") for one in args)
    if "://" in what:
        scheme, _, rest = what.partition("://")
        if scheme.lower() not in ("http", "https"):
            kind = "vector-database" if scheme.startswith("chroma") else "database"
            raise click.UsageError(f"For {scheme}:// say more: memgpt load {kind} --help tells what.")
        return ["webpage", *_named(rest.partition("/")[0].rpartition("@")[2].partition(":")[0], naming)]
    if path.is_dir():
        return ["directory", *_named(path.resolve().name, naming), "--recursive"]
    if path.exists():
        return ["directory", *_named(path.stem, naming)]
    raise click.UsageError(
        f"There is no file or folder {what!r}, and no loader of that name. Name a file, a folder, an address with "
        f"https:// in front, or a loader: {', '.join(LOADERS)}."
    )


def _named(name: str, naming: bool) -> list[str]:
    return [] if naming else ["--name", " ".join(name.split()) or "documents"]


def loader_command(kind: str, run: Run, shared: Sequence[click.Parameter] = ()) -> click.Command:
    """A command with an option for each parameter of a loader; the help texts are those of its docstring.

    Args:
        kind: the loader's name in :data:`memgpt_autogen.sources.LOADERS`.
        run: called with the values.
        shared: further options, such as ``--name``.
    """
    loader = loader_class(kind)
    described = parse(inspect.getdoc(loader) or "")
    texts = {one.arg_name: one.description for one in described.params}
    types = get_type_hints(loader.__init__)
    options = [
        _option(parameter, types.get(name, str), texts.get(name) or "")
        for name, parameter in inspect.signature(loader).parameters.items()
    ]

    def callback(name: str, replace: bool, **arguments: Any) -> None:
        run(name, kind, replace, **arguments)

    return click.Command(kind, params=[*shared, *options], callback=callback, help=described.short_description)


def _option(parameter: inspect.Parameter, annotation: Any, text: str) -> click.Option:
    required = parameter.default is inspect.Parameter.empty
    flag = f"--{parameter.name.replace('_', '-')}"
    several = get_origin(annotation) is not None and issubclass(get_origin(annotation) or object, Sequence)
    inner = get_args(annotation)[0] if several else annotation
    if annotation is bool:
        return click.Option([flag], is_flag=True, default=bool(parameter.default), help=text)
    kind: Any = click.Path(path_type=Path) if inner is Path else inner if inner in (int, float) else str
    given: dict[str, Any] = {"multiple": True} if several else {} if required else {"default": parameter.default}
    text = f"{text} May be repeated." if several else text
    return click.Option([flag], type=kind, required=required, help=text, **given)
