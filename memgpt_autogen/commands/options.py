"""Options of the search commands, such as ``/archival walks --since 2026-11-01``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ..errors import ConfigError
from ..storage.search.dates import days_meant

_OPTION = re.compile(r"(?:^|\s)--(\w+)(?:[= ]\s*(\"[^\"]*\"|[^\s-]\S*))?")
_DAYS = {"since": "DAY", "until": "DAY", "page": "N"}
_OPTIONS = {"source": "NAME", **_DAYS}
_FULL = re.compile(r"(?:^|\s)--full(?=\s|$)")


@dataclass(frozen=True)
class Search:
    """The parsed arguments of a search.

    Attributes:
        query: may be empty.
        source: the name of an attached source; None: not given.
        since, until: local days, both included; None: no bound.
        page: from 1.
        full: show whole passages, not the best lines of each.
    """

    query: str
    source: str | None = None
    since: date | None = None
    until: date | None = None
    page: int = 1
    full: bool = False


def listed(*, sources: bool) -> str:
    """The options for help; ``sources``: of a search in sources too."""
    options = [f"--{name} {value}" for name, value in (_OPTIONS if sources else _DAYS).items()]
    return ", ".join([*options, *(["--full"] if sources else [])])


def search_in(given: str, *, sources: bool) -> Search:
    """Parse the arguments of a search command.

    Raises:
        ConfigError: an unknown option, or a missing or invalid value.
    """
    full = bool(sources and _FULL.search(given))
    given = _FULL.sub(" ", given) if full else given
    said = {name: value.strip('"') for name, value in _OPTION.findall(given)}
    for name, value in said.items():
        if name not in (_OPTIONS if sources else _DAYS) or not value:
            raise ConfigError(f"--{name} cannot be used so. The options are: {listed(sources=sources)}.")
    page = said.get("page", "1")
    if not page.isdecimal():
        raise ConfigError(f"{page!r} is not a page. Pages are numbers from 1.")
    query = " ".join(_OPTION.sub(" ", given).split())
    since, until = parse_day(said.get("since")), parse_day(said.get("until"), last=True)
    return Search(query, said.get("source"), since, until, int(page), full)


def parse_day(text: str | None, *, last: bool = False) -> date | None:
    """A day as YYYY-MM-DD, or the first day (or the last) of a time such as ``yesterday`` or ``2026-05``; None: none.

    Raises:
        ConfigError: it is not one.
    """
    try:
        return days_meant(text, date.today())[last] if text else None
    except ValueError as error:
        raise ConfigError(str(error)) from None
