"""Keys of models' servers: where they are looked for, where they are kept, and how they stay out of sight.

A key belongs to one host and is sent to no other. It is looked for in the environment, then in what was stored: in the
system's keyring where there is one that works (the package ``keyring``), else in ``credentials.json`` in the home
folder, which its owner alone may read. That file also says which keys are in the keyring, so that a keyring that may
ask for its password is never opened for nothing. Keys are never part of the configuration, an agent's record or an
export; :func:`.redaction.redact` takes them out of whatever is shown or logged.
"""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..redaction import redact, register_secret
from ..text_encoding import decoded
from .home import open_to_others, write_private
from .host_secrets import HostSecret, account_of, is_near, split_address

log = logging.getLogger(__name__)

OPENAI = "https://api.openai.com"
SERVICE = "memgpt-autogen"
FILE = "credentials.json"
#: Stands before the host under which what is secret in an address is filed.
_LOGIN = "login at "
#: Variables and addresses of which it was said that the one is not sent to the other.
_told: set[tuple[str, str]] = set()
#: Variables that hold a key, by the type of the server.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY"),
}
# -- where they are ---------------------------------------------------------------------------------------------------


def key_in_environment(kind: str, address: str, environ: Mapping[str, str], filed: str = "") -> tuple[HostSecret, str]:
    """The key of the environment for a server, and its variable (``""``: none that was given for this host).

    ``OPENAI_API_KEY`` is given for the address in ``OPENAI_API_BASE``, else for that of the config file or OpenAI's;
    ``AZURE_OPENAI_API_KEY`` for ``AZURE_OPENAI_ENDPOINT`` or that of the config file.

    Args:
        kind: the type of the server; a key of ``VARIABLES`` or another.
        address: of the server.
        environ: the environment.
        filed: the address that the config file names for this type of server.
    """
    base = environ.get("OPENAI_API_BASE") or environ.get("OPENAI_BASE_URL") or ""
    azure = environ.get("AZURE_OPENAI_ENDPOINT") or (base if environ.get("BACKEND_TYPE", "").lower() == "azure" else "")
    given_for = {"openai": [base] if base else [OPENAI, filed], "azure": [azure or filed]}.get(kind, [])
    accounts = [account_of(split_address(one)[0]) for one in given_for if one]
    for name in VARIABLES.get(kind, ()):
        if key := environ.get(name, "").strip():
            if account_of(address) in accounts:
                return HostSecret(key, account_of(address)), name
            if (name, address) in _told:
                return HostSecret(""), ""
            _told.add((name, address))
            level = logging.INFO if is_near(address) else logging.WARNING
            told = "%s is for %s and is not sent to %s. Store a key for it with: memgpt configure"
            log.log(level, told, name, " or ".join(accounts) or "no address that is known", account_of(address))
            return HostSecret(""), ""
    return HostSecret(""), ""


def find_key(
    kind: str, address: str, home: Path, environ: Mapping[str, str], filed: str = ""
) -> tuple[HostSecret, str]:
    """The key for a server, and where it is from (``""``: nowhere).

    Args:
        kind, address, environ, filed: see :func:`key_in_environment`.
        home: the home folder.

    Raises:
        ConfigError: the credentials file cannot be read.
    """
    key, name = key_in_environment(kind, address, environ, filed)
    if key:
        return key, name
    return stored_key(address, home)


def stored_key(address: str, home: Path) -> tuple[HostSecret, str]:
    """The key that is stored for the host of an address, and where: ``keyring`` or the file's path. Raises as above."""
    account = account_of(address) if address else ""
    key, where = _stored(account, home)
    return HostSecret(key, account), where


def _stored(account: str, home: Path) -> tuple[str, str]:
    filed = _read(home).get(account) if account else None
    if isinstance(filed, str):
        return filed, str(home / FILE)
    if filed is not None:
        key = _from_keyring(account)
        if key:
            return key, "keyring"
        log.warning("The key for %s is in the system's keyring, which does not return it.", account)
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
    return _store(account_of(address), key, home, place)


def store_login(login: HostSecret, home: Path, *, place: str = "auto") -> str:
    """Keep what is secret in an address (user, password, query) for its host, as :func:`store_key` keeps a key."""
    return _store(f"{_LOGIN}{login.host}", login, home, place)


def stored_login(address: str, home: Path) -> HostSecret:
    """What :func:`store_login` stored for the host of an address; empty: nothing. Raises as :func:`stored_key`."""
    account = account_of(address) if address else ""
    return HostSecret(_stored(f"{_LOGIN}{account}", home)[0], account)


def _store(account: str, key: str, home: Path, place: str) -> str:
    filed = _read(home)
    ring = usable_keyring() if place != "file" else None
    if place == "keyring" and ring is None:
        raise ConfigError("There is no keyring here that works. Store the key in the file, or set OPENAI_API_KEY.")
    if "://" not in key:
        register_secret(key)
    if ring is not None:
        try:
            ring.set_password(SERVICE, account, str(key))
        except Exception as error:
            if place == "keyring":
                raise ConfigError(f"The system's keyring did not take the key: {redact(str(error))}") from error
            log.info("The system's keyring did not take the key: %s", redact(str(error)))
            ring = None
    filed[account] = str(key) if ring is None else {"keyring": True}
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
        log.info("The system's keyring cannot be used: %s", redact(str(error)))
        return None


def _from_keyring(account: str) -> str:
    ring = usable_keyring()
    try:
        return (ring.get_password(SERVICE, account) or "") if ring else ""
    except Exception as error:  # locked, or its service is not running
        log.info("The system's keyring gives no key for %s: %s", account, redact(str(error)))
        return ""


def _read(home: Path) -> dict[str, Any]:
    path = home / FILE
    if not path.is_file():
        return {}
    if open_to_others(path):
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        log.warning("Others could read %s; now you alone can. Consider replacing the keys in it.", path)
    try:
        filed = json.loads(decoded(path.read_bytes()))
    except (ValueError, OSError) as error:  # its text may have a key in it, and is not told
        raise ConfigError(f"{path} cannot be read as JSON. Delete it and store the keys anew.") from error
    if not isinstance(filed, dict):
        raise ConfigError(f"{path} must hold one JSON object, host to key. Delete it and store the keys anew.")
    return filed
