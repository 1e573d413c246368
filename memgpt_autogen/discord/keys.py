"""The keys that users of the bot give for their own model: in the system's keyring, or encrypted in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from ..config.home import write_private
from ..config.secrets import usable_keyring
from ..errors import ConfigError
from ..redaction import register_secret

#: Holds the secret that encrypts the file. ``memgpt discord --new-secret`` makes one.
SECRET = "MEMGPT_DISCORD_SECRET"
FILE = "discord_keys.json"
_SERVICE = "memgpt-autogen discord"


class UserKeys:
    """Users' keys, never in plain text on disk.

    With ``MEMGPT_DISCORD_SECRET`` in the environment they are encrypted with it in ``discord_keys.json`` in the home
    folder; else they are in the system's keyring, where there is one.

    Args:
        home: the home folder.
        environ: the environment.

    Raises:
        ConfigError: the secret is not one that ``--new-secret`` makes.
    """

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._path = home / FILE
        secret = environ.get(SECRET, "").strip()
        try:
            self._cipher = Fernet(secret) if secret else None
        except ValueError as error:
            raise ConfigError(f"{SECRET} is not a secret. Make one with: memgpt discord --new-secret") from error
        self._ring = None if secret else usable_keyring()

    @staticmethod
    def new_secret() -> str:
        """A new secret for ``MEMGPT_DISCORD_SECRET``."""
        return Fernet.generate_key().decode()

    @property
    def available(self) -> bool:
        """Whether there is a place for keys."""
        return self._cipher is not None or self._ring is not None

    def get(self, user: int) -> str:
        """A user's key; empty: they have given none.

        Raises:
            ConfigError: the file was encrypted with another secret.
        """
        if self._ring is not None:
            key = self._ring.get_password(_SERVICE, str(user)) or ""
        elif self._cipher is not None and (sealed := self._read().get(str(user))):
            try:
                key = self._cipher.decrypt(sealed.encode()).decode()
            except InvalidToken as error:
                raise ConfigError(f"{self._path} was encrypted with another {SECRET}. Set that one again.") from error
        else:
            key = ""
        if key:
            register_secret(key)
        return key

    def put(self, user: int, key: str) -> None:
        """Keep a user's key.

        Raises:
            ConfigError: there is no place for it, or the file cannot be written.
        """
        register_secret(key)
        if self._ring is not None:
            self._ring.set_password(_SERVICE, str(user), key)
        elif self._cipher is not None:
            self._write({**self._read(), str(user): self._cipher.encrypt(key.encode()).decode()})
        else:
            raise ConfigError(
                f"This bot keeps no keys: its operator has neither a keyring nor {SECRET} set. Ask them to set it."
            )

    def remove(self, user: int) -> bool:
        """Forget a user's key; whether there was one."""
        there = bool(self.get(user))
        if there and self._ring is not None:
            self._ring.delete_password(_SERVICE, str(user))
        elif there:
            self._write({name: sealed for name, sealed in self._read().items() if name != str(user)})
        return there

    def _read(self) -> dict[str, str]:
        if not self._path.is_file():
            return {}
        return {str(name): str(sealed) for name, sealed in json.loads(self._path.read_text(encoding="utf-8")).items()}

    def _write(self, sealed: Mapping[str, str]) -> None:
        write_private(self._path, json.dumps(sealed, indent=1))
