"""What psycopg raises, as errors of the store that say what to do."""

from __future__ import annotations

from psycopg import Error, IntegrityError, OperationalError, errors

from ...errors import StoreError
from ..sql.rows import Duplicate

_AGAIN = "Nothing of this step was written. Try again"
_ADVICE: tuple[tuple[tuple[type[Error], ...], str], ...] = (
    (
        (errors.QueryCanceled,),
        f"{_AGAIN}; statement_timeout=SECONDS in the store's address allows more.",
    ),
    ((errors.DiskFull,), "The server's disk is full: make room there and try again; nothing of this step was written."),
    ((errors.TooManyConnections,), "The server has no connection left: lower pool_size, or raise its max_connections."),
    ((errors.ReadOnlySqlTransaction,), "This server is a standby: use the address of the primary one."),
    ((errors.InsufficientPrivilege,), "Give this user the right, or name another user in the store's address."),
    ((errors.InvalidPassword, errors.InvalidAuthorizationSpecification), "Check user and password of the address."),
    ((errors.InvalidCatalogName,), "Create that database, or name another one in the store's address."),
    ((errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable), f"{_AGAIN}: another was at it."),
    ((errors.ForeignKeyViolation,), "What it belongs to was deleted meanwhile, perhaps by another program."),
    (
        (errors.UndefinedFile,),
        "Install pgvector on the server, or use a server that has it.",
    ),
)
_GONE = f"{_AGAIN} when the server is back."


def store_error(error: Error, place: str) -> StoreError:
    """An error of the server, or of the way to it, as one of the store."""
    told = " ".join(str(error).split()).rstrip(".")
    advice = next((advice for kinds, advice in _ADVICE if isinstance(error, kinds)), "")
    if isinstance(error, IntegrityError):
        return Duplicate(f"The database {place} refused a row: {told}. {advice}".rstrip())
    if not advice:
        advice = _GONE if isinstance(error, OperationalError) else "Nothing of this step was written."
    return StoreError(f"The database {place} failed: {told}. {advice}")
