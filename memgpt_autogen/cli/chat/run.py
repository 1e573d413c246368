"""``memgpt run``: talk with an agent."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...config import DEFAULT_ENDPOINTS, Settings
from ...config.home import HISTORY
from ...errors import ConfigError
from ..activity import ACTIVITY
from ..console import debugging, interactive, quoted

if TYPE_CHECKING:
    from ...client import MemGPT
    from .open_agent import Wanted
    from .session import Session

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Span(click.ParamType):  # type: ignore[type-arg]
    """A span of time, such as ``10m``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d+)([smhd])", value.strip())
        if not found or not int(found[1]):
            self.fail(f"{value!r} is not a span of time. Write a number and s, m, h or d, such as 10m.", param, ctx)
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


@click.command()
@click.option("--agent", "-a", default="", help="The name of an existing or new agent.")
@click.option("--persona", default="", help="Who the agent is: a name from `memgpt list personas`, or the text itself.")
@click.option("--human", default="", help="Who you are: a name from `memgpt list humans`, or the text itself.")
@click.option("--model", default="", help="The model's name; embedded: a .gguf file.")
@click.option("--model-wrapper", default="", help="The prompt format, for servers that take plain prompts.")
@click.option("--model-endpoint", default="", help="The server's address.")
@click.option("--model-endpoint-type", type=click.Choice([*DEFAULT_ENDPOINTS]), help="The server's type.")
@click.option("--context-window", type=click.IntRange(min=1), help="Tokens of the model's window.")
@click.option("--preset", default="", help="Prompt, functions and rules: a name from `memgpt list presets`.")
@click.option("--system-file", type=click.Path(path_type=Path), help="A file with another system prompt.")
@click.option("--first", is_flag=True, help="You speak first; else a new agent greets you.")
@click.option("--heartbeat-every", type=Span(), help="Run the agent this often without being spoken to, such as 10m.")
@click.option("--stream/--no-stream", default=None, help="Show words as they are written; the default in a terminal.")
@click.option("--strip-ui", is_flag=True, help="Plain text, as when piped.")
@click.option("--quiet", is_flag=True, help="Show nothing but what the agent says.")
@click.option("--no-verify", is_flag=True, help="Skip the check that the model answers and its window is large enough.")
@click.option("--yes", "-y", is_flag=True, help="Ask no questions.")
def run(**options: Any) -> None:
    """Talk with an agent.

    An existing agent is loaded by its name with its memory; options about the agent and its model are stored with it.
    In the chat, /help lists the commands. Piped input works: each line is a message.
    """
    from .input import typing_kept

    attended = interactive()
    fancy = attended and not options["strip_ui"]
    with typing_kept() if attended else nullcontext():
        with _spinning(fancy, "starting"):
            from ...client import MemGPT
            from ..setup.quickstart import offer

            settings = Settings.load()
            wanted = _wanted(options)
            if not wanted.model:
                settings = offer(settings, yes=wanted.yes)
            memgpt = MemGPT(settings)
        failed = _chat(memgpt, wanted, options, fancy=fancy)
    if failed and not attended:
        click.get_current_context().exit(1)


def _chat(memgpt: MemGPT, wanted: Wanted, options: dict[str, Any], *, fancy: bool) -> bool:
    """Open the agent and talk until the user ends it; whether the last turn failed."""
    from ...llm.embedded import LOADING_WATCHERS

    if ACTIVITY.tell not in LOADING_WATCHERS:
        LOADING_WATCHERS.append(ACTIVITY.tell)
    try:
        with _spinning(fancy, "opening the agent"):
            session, new = _session(memgpt, wanted, options, fancy=fancy)
        _begin(session, new, greet=not options["first"] and interactive())
        session.loop()
    finally:
        with _spinning(fancy, "saving"):
            memgpt.close()
    session.view.hint(f"Saved. Go on with: memgpt run --agent {quoted(session.agent.name)}")
    return session.failed


def _spinning(fancy: bool, what: str) -> AbstractContextManager[None]:
    return ACTIVITY.running(f"{what} (Ctrl-C stops)") if fancy else nullcontext()


def _wanted(options: dict[str, Any]) -> Wanted:
    from ...commands.agent_info import text_in
    from .open_agent import Wanted

    fields = ("model", "model_wrapper", "model_endpoint", "model_endpoint_type", "context_window")
    system = text_in(options["system_file"]) if options["system_file"] else ""
    if options["system_file"] and not system:
        raise ConfigError(f"{options['system_file']} is empty. A system prompt tells the agent of its functions.")
    return Wanted(
        agent=options["agent"],
        texts={name: options[name] for name in ("persona", "human") if options[name]},
        preset=options["preset"],
        system=system,
        model={name: options[name] for name in fields if options[name]},
        yes=options["yes"],
        verify=not options["no_verify"],
    )


def _session(memgpt: MemGPT, wanted: Wanted, options: dict[str, Any], *, fancy: bool) -> tuple[Session, bool]:
    from .input import LineReader, Piped
    from .open_agent import open_agent
    from .session import Session
    from .slash_commands import complete, take
    from .view import View

    agent, new = open_agent(memgpt, wanted)
    attended = interactive()
    view = View(agent.name, fancy=fancy, quiet=options["quiet"], debug=debugging())
    history = memgpt.settings.home / HISTORY
    reader = LineReader(history, lambda text: complete(session, text)) if attended else Piped()
    stream = attended if options["stream"] is None else options["stream"]
    every, yes = options["heartbeat_every"], options["yes"]
    session = Session(memgpt, agent, view, reader, take, stream=stream, every=every, yes=yes)
    return session, new


def _begin(session: Session, new: bool, *, greet: bool) -> None:
    """Show the agent's name and model, and tell the agent that its user is there."""
    from .open_agent import described

    agent = session.agent
    count = agent.store.log.count(agent.id)
    since = "new" if new or not count else f"{count} messages so far"
    session.view.hint(f"{agent.name}: {since}. {described(session.memgpt, agent)}. /help lists the commands.")
    if count:
        session.resume()
    elif greet:
        session.greet()
