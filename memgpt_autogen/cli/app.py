"""The program ``memgpt``: its table of commands and its error handling."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module

import click

from .. import __version__
from ..errors import MemGPTError, not_known
from ..printable import printable
from ..redaction import redact
from .console import echo, set_debugging, show_log
from .interrupts import interrupts_between_imports
from .streams import escape_what_cannot_be_shown

#: Command -> ``module:function`` in this package, and its line in ``memgpt --help``.
COMMANDS = {
    "run": ("chat.run:run", "Talk with an agent."),
    "quickstart": ("setup.quickstart:quickstart", "Set up a model to begin with."),
    "configure": ("setup.configure:configure", "Choose the model and all other defaults."),
    "list": ("lists:list_", "List the agents, humans, personas, sources, presets or models."),
    "add": ("texts:add", "Add a persona or a human."),
    "load": ("load:load", "Load documents: files, web pages, a database's rows, a vector database's passages."),
    "attach": ("manage:attach", "Let an agent search a source."),
    "detach": ("manage:detach", "Stop an agent from searching a source."),
    "delete": ("manage:delete", "Delete an agent, a source, a human or a persona."),
    "export": ("exchange:export", "Write an agent into one readable file."),
    "import": ("exchange:import_", "Read an agent from such a file, or from a chat log of the original MemGPT."),
    "inspect": ("inspect:inspect", "Show what an agent remembers on a page of your browser."),
    "log": ("history:log", "Show an agent's turns, with every change of core memory and notes."),
    "show": ("history:show", "Show one turn of an agent, or the prompts that the model was sent in it."),
    "diff": ("history:diff", "Show what has changed in an agent's memory since a turn or day."),
    "blame": ("history:blame", "Show which turn and message each line of core memory comes from."),
    "revert": ("history:revert", "Take back what one turn wrote to core memory and notes."),
    "forget": ("forget:forget", "Delete what an agent remembers about something."),
    "backup": ("backup:backup", "Copy the whole store into one file, while it is in use."),
    "migrate-store": ("migrate_store:migrate_store", "Copy everything to another store: to PostgreSQL, or back."),
    "discord": ("discord:discord", "Run a Discord bot in which each user has an agent."),
    "doctor": ("doctor.run:doctor", "Check everything, show where each setting comes from, and what to do."),
    "version": ("version:version", "Show the versions of this package and of what it uses."),
}

EPILOG = "Start with: memgpt run. Help on a command: memgpt COMMAND --help."


def with_debug(command: click.Command) -> click.Command:
    """Add the option ``--debug`` to a command and its subcommands."""
    if not any(parameter.name == "debug" for parameter in command.params):
        command.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                callback=set_debugging,
                help="Show the log, and the traceback of an error.",
            )
        )
    for below in getattr(command, "commands", {}).values():
        with_debug(below)
    return command


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f".{module}", __package__), name)
        return with_debug(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            told = not_known(f"There is no command {args[0]!r}.", args[0], "The commands are", COMMANDS)
            raise click.UsageError(told, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="memgpt")
def app() -> None:
    """Agents with long-term memory."""


with_debug(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the program. An error is one message that names the next step. Exit code 1, or 2 for wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    escape_what_cannot_be_shown()
    show_log(debug)
    try:
        with interrupts_between_imports():
            code = app.main(arguments, prog_name="memgpt", standalone_mode=False) or 0
        sys.exit(code)
    except click.ClickException as error:
        error.message = printable(redact(error.message))  # type: ignore[misc]
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt, EOFError):
        click.echo("\nStopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:  # `memgpt list agents | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if debug:
            echo(redact(traceback.format_exc()).rstrip(), err=True)
            sys.exit(1)
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        echo(_sentence(error), err=True)
        sys.exit(1)


def _sentence(error: Exception) -> str:
    if isinstance(error, MemGPTError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The system'}: {error.strerror}."
    told = f"{type(error).__name__}: {redact(str(error))}."
    return f"{told} This should not happen; the same command with --debug shows where it did."
