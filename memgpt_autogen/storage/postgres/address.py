"""The address of a store in PostgreSQL: a connection URI of libpq with a few options of our own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from ...errors import ConfigError
from ...redaction import redact, register_secret

#: Our options, beside libpq's.
_OWN = ("schema", "pool_size", "pool_wait", "statement_timeout", "row_security")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,50}")
_YES, _NO = ("1", "on", "true", "yes"), ("", "0", "off", "false", "no")


@dataclass(frozen=True)
class Address:
    """Where a store is, and how this process uses it.

    Attributes:
        uri: for libpq; it may hold a password.
        place: the same without secrets, for messages.
        schema: of the tables.
        pool_size: connections that this process opens at most.
        pool_wait: seconds to wait for a free connection, and for the server.
        statement_timeout: seconds that one statement may take.
        row_security: have the server itself refuse other users' rows.
        every_user: this process works on the rows of all users, as moving a store does.
    """

    uri: str
    place: str
    schema: str = "memgpt"
    pool_size: int = 10
    pool_wait: float = 30.0
    statement_timeout: float = 60.0
    row_security: bool = False
    every_user: bool = False

    @classmethod
    def parse(cls, address: str) -> Address:
        """Read ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS``.

        Raises:
            ConfigError: an option has a value that cannot be.
        """
        try:
            parts = urlsplit(address)
            password = parts.password
        except ValueError as error:
            raise ConfigError(f"The address of the store cannot be read: {error}.") from error
        options = parse_qsl(parts.query, keep_blank_values=True)
        for secret in (unquote(password or ""), *(value for name, value in options if name == "password")):
            register_secret(secret)
        theirs = urlencode([pair for pair in options if pair[0] not in _OWN])
        uri = urlunsplit(("postgresql", parts.netloc, parts.path, theirs, ""))
        ours = {name: value for name, value in options if name in _OWN}
        schema = ours.get("schema", cls.schema)
        if not _NAME.fullmatch(schema) or schema in ("public", "pg_catalog", "information_schema"):
            raise ConfigError(f"schema={schema!r}: a schema of the store's own, of lower case letters, digits and _.")
        secure = ours.get("row_security", "").lower()
        if secure not in (*_YES, *_NO):
            raise ConfigError(f"row_security={secure!r} is neither on nor off.")
        return cls(
            uri,
            redact(urlunsplit(("postgresql", parts.netloc, parts.path, "", ""))),
            schema,
            int(_number(ours, "pool_size", cls.pool_size, least=1)),
            _number(ours, "pool_wait", cls.pool_wait),
            _number(ours, "statement_timeout", cls.statement_timeout),
            secure in _YES,
        )


def _number(options: dict[str, str], name: str, default: float, least: float = 0.01) -> float:
    try:
        value = float(options.get(name, default))
    except ValueError:
        value = 0
    if not least <= value <= 1e6:
        raise ConfigError(f"{name}={options[name]!r} in the address of the store is not a number from {least:g} on.")
    return value
