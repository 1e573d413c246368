"""The texts of prompts: system prompts, personas, humans. The home folder's text of the same name takes precedence."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from ..errors import ConfigError, not_known
from ..text_encoding import decoded

Kind = Literal["system", "personas", "humans"]


@cache
def packaged(path: str) -> str:
    """A text of the package, such as ``system/memgpt_chat.txt``."""
    return (resources.files(__name__) / path).read_text(encoding="utf-8").strip()


def names(kind: Kind, home: Path | None = None) -> list[str]:
    """The names of the texts of a kind."""
    found = {Path(item.name).stem for item in (resources.files(__name__) / kind).iterdir()}
    if home and (home / kind).is_dir():
        found |= {path.stem for path in (home / kind).glob("*.txt")}
    return sorted(name for name in found if not name.startswith("_"))


def text_of(kind: Kind, name_or_text: str, home: Path | None = None) -> str:
    """The text of that name. Anything that is not a plain name is the text itself.

    Raises:
        ConfigError: it looks like a name, and no text has it.
    """
    if not name_or_text.replace("_", "").replace("-", "").isalnum():
        return name_or_text
    if home and (own := home / kind / f"{name_or_text}.txt").is_file():
        return decoded(own.read_bytes()).strip()
    known = names(kind)
    if name_or_text in known:
        return packaged(f"{kind}/{name_or_text}.txt")
    if "_" not in name_or_text and "-" not in name_or_text:
        return name_or_text
    told = f"There is no text {name_or_text!r} among the {kind}."
    raise ConfigError(not_known(told, name_or_text, "Known", names(kind, home)))
