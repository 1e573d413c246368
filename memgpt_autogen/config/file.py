"""Reads and writes ``config.json``: errors name the line, and a write is atomic."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .home import write_private

NAME = "config.json"
#: Raises ConfigError where a top-level setting cannot be.
SettingCheck = Callable[[str, Any], None]


def read_config(path: Path, check: SettingCheck) -> dict[str, Any]:
    """The settings in the file; an empty dict if there is no file.

    Raises:
        ConfigError: it cannot be read, is not JSON, or has an invalid setting; the message has the path and line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        values: Any = json.loads(text)
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}, line {error.lineno}: {error.msg}. Fix or delete the file.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Fix its permissions.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold one JSON object.")
    for key, value in values.items():
        try:
            check(key, value)
        except ConfigError as error:
            raise ConfigError(f"{path}, line {_line(text, key, value, check)}: {error}") from error
    return values


def _line(text: str, key: str, value: Any, check: SettingCheck) -> int:
    """The line of an invalid setting, or of the invalid field inside it."""
    start = _offset(text, key, 0)
    for inner in value if isinstance(value, Mapping) else ():
        try:
            check(key, {inner: value[inner]})
        except ConfigError:
            start = _offset(text, inner, start)
            break
    return text.count("\n", 0, start) + 1


def _offset(text: str, key: str, start: int) -> int:
    found = re.compile(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:").search(text, start)
    return found.start() if found else start


def write_config(path: Path, values: Mapping[str, Any]) -> None:
    """Write the settings to the file, readable by its owner only.

    Raises:
        ConfigError: it cannot be written.
    """
    write_private(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")
