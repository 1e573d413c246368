"""Keys of models' servers: where they are looked for, where they are kept, and how they stay out of sight.

A key belongs to one host and is sent to no other. It is looked for in the environment, then in what was stored: in the
system's keyring where there is one that works (the package ``keyring``), else in ``credentials.json`` in the home
folder, which its owner alone may read. That file also says which keys are in the keyring, so that a keyring that may
ask for its password is never opened for nothing. Keys are never part of the configuration, an agent's record or an
export; :func:`hide` takes them out of whatever is shown or logged.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigError
from .home import open_to_others, write_private

log = logging.getLogger(__name__)

SERVICE = "memgpt-autogen"
FILE = "credentials.json"
#: Variables that hold a key, by the type of the server.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY"),
}
_HIDDEN = "***"
#: Shorter values are no keys but words such as EMPTY, which would blot out half a text.
_SHORTEST = 8
_known: set[str] = set()

_PATTERNS = (
    (re.compile(r"\b(sk|pk|rk)-[A-Za-z0-9_-]{8,}"), _HIDDEN),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{_HIDDEN}"),
    (
        re.compile(r"(?i)([?&](?:api[-_]?key|key|token|access[-_]token|password|secret|sig)=)[^&\s\"']+"),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"(//)[^/@\s\"']+@"), rf"\1{_HIDDEN}@"),
)
#: Names of request settings and headers that hold a secret.
_SECRET_NAME = re.compile(r"(?i)^(proxy-)?authorization$|api[-_]?key$|secret|password|^(access[-_]?|auth[-_]?)?token$")


# -- out of sight -----------------------------------------------------------------------------------------------------


def remember(key: str) -> str:
    """Have :func:`hide` hide this key from now on. Returns it."""
    if len(key) >= _SHORTEST:
        _known.add(key)
    return key


def hide(text: str) -> str:
    """The text without keys: those seen so far, those of the environment, what looks like one, passwords in URLs."""
    named = {value for name, value in os.environ.items() if name.upper().endswith(("_API_KEY", "_OPENAI_KEY"))}
    for key in sorted(_known | {value for value in named if len(value) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(key, _HIDDEN)
    for pattern, put in _PATTERNS:
        text = pattern.sub(put, text)
    return text


def without_password(url: str) -> str:
    """The address without user, password and query."""
    return re.sub(r"//[^/@]*@", "//", url).partition("?")[0]


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Request settings without those that hold a key, such as an ``Authorization`` header."""
    return {
        name: without_secrets(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if not _SECRET_NAME.search(str(name))
    }


# -- where they are ---------------------------------------------------------------------------------------------------


def account_of(address: str) -> str:
    """What a key is stored under: the host of an address, with its port where it has one."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    return parts.netloc.rpartition("@")[2].lower()


def find_key(kind: str, address: str, home: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """The key for a server, and where it is from (``""``: nowhere).

    Args:
        kind: the type of the server; a key of ``VARIABLES`` or another.
        address: of the server.
        home: the home folder.
        environ: the environment.

    Raises:
        ConfigError: the credentials file cannot be read.
    """
    for name in VARIABLES.get(kind, ()):
        if environ.get(name, "").strip():
            return remember(environ[name].strip()), name
    return stored_key(address, home)


def stored_key(address: str, home: Path) -> tuple[str, str]:
    """The key that is stored for the host of an address, and where: ``keyring`` or the file's path. Raises as above."""
    filed = _read(home).get(account_of(address)) if address else None
    if isinstance(filed, str):
        return remember(filed), str(home / FILE)
    if filed is not None:
        key = _from_keyring(account_of(address))
        if key:
            return remember(key), "keyring"
        log.warning("The key for %s is in the system's keyring, which does not give it.", account_of(address))
    return "", ""


def store_key(address: str, key: str, home: Path, *, place: str = "auto") -> str:
    """Keep a key for the host of an address.

    Args:
        address: of the server.
        key: the key.
        home: the home folder.
        place: ``keyring``, ``file``, or ``auto``: the keyring where there is one.

    Returns:
        Where it is now: ``keyring`` or the file's path.

    Raises:
        ConfigError: there is no keyring, or the file cannot be written.
    """
    account = account_of(address)
    filed = _read(home)
    ring = usable_keyring() if place != "file" else None
    if place == "keyring" and ring is None:
        raise ConfigError("There is no keyring here that works. Store the key in the file, or set OPENAI_API_KEY.")
    remember(key)
    if ring is not None:
        try:
            ring.set_password(SERVICE, account, key)
        except Exception as error:
            if place == "keyring":
                raise ConfigError(f"The system's keyring did not take the key: {hide(str(error))}") from error
            log.info("The system's keyring did not take the key: %s", hide(str(error)))
            ring = None
    filed[account] = key if ring is None else {"keyring": True}
    write_private(home / FILE, json.dumps(filed, indent=2) + "\n")
    return "keyring" if ring is not None else str(home / FILE)


def stored_accounts(home: Path) -> dict[str, str]:
    """The hosts that a key is stored for, and where. Raises as :func:`stored_key`."""
    return {host: str(home / FILE) if isinstance(value, str) else "keyring" for host, value in _read(home).items()}


def usable_keyring() -> Any:
    """The system's keyring, or None where ``keyring`` is not installed or has no backend that keeps anything."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        ring = keyring.get_keyring()
        return keyring if ring.priority >= 1 else None
    except Exception as error:  # a backend of somebody else's
        log.info("The system's keyring cannot be used: %s", hide(str(error)))
        return None


def _from_keyring(account: str) -> str:
    ring = usable_keyring()
    try:
        return (ring.get_password(SERVICE, account) or "") if ring else ""
    except Exception as error:  # locked, or its service is not running
        log.info("The system's keyring gives no key for %s: %s", account, hide(str(error)))
        return ""


def _read(home: Path) -> dict[str, Any]:
    path = home / FILE
    if not path.is_file():
        return {}
    if open_to_others(path):
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        log.warning("Others could read %s; now you alone can. Consider replacing the keys in it.", path)
    try:
        filed = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:  # its text may have a key in it, and is not told
        raise ConfigError(f"{path} cannot be read as JSON. Delete it and store the keys anew.") from error
    if not isinstance(filed, dict):
        raise ConfigError(f"{path} must hold one JSON object, host to key. Delete it and store the keys anew.")
    return filed
