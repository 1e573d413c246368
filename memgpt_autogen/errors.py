"""Every error this package raises, in one tree.

    MemGPTError                    anything below
    ├── ConfigError                the user's settings cannot work; the message says what to change
    │   └── MissingDependency      an optional package is not installed; names the pip command
    ├── StoreError                 the database cannot be read or written
    │   ├── AgentNotFound          no agent of that name
    │   ├── AgentBusy              another process, or an outer call, is running this agent
    │   ├── TracesLeft             what was forgotten is deleted, and traces of it are left; carries the receipt
    │   ├── NameTaken              something of that name exists already
    │   └── UndoRefused            there is nothing to take back, or someone else has built on it
    ├── SourceError                a document cannot be loaded, or a source cannot be searched
    ├── ModelError                 a model call failed
    │   ├── ModelServerError       the server: unreachable, overloaded, broken (``retry`` may be true)
    │   ├── ModelRequestError      the request: wrong key, unknown model
    │   │   └── PromptTooLong      the prompt does not fit the model's window
    │   └── ModelReplyError        the model: its reply is not a call that we can run; carries ``text``
    └── ToolError                  a function failed; the text is shown to the model

``fault`` says whose fault it is (``user``, ``server``, ``model``) and ``retry`` whether trying again may
help without changing anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from .printable import printable
from .redaction import redact

Fault = Literal["user", "server", "model"]


class MemGPTError(Exception):
    """Base of every error of this package.

    Its message may name files, addresses and servers' words: secrets are taken out of it, and what a terminal would
    obey is written as an escape.
    """

    fault: ClassVar[Fault] = "user"
    retry: bool = False

    def __init__(self, *args: object) -> None:
        super().__init__(*(printable(redact(arg)) if isinstance(arg, str) else arg for arg in args))


class ConfigError(MemGPTError, ValueError):
    """The settings cannot work. The message says what to change."""


class MissingDependency(ConfigError, ImportError):
    """An optional package is needed and not installed. The message names the pip command."""

    def __init__(self, what: str, install: str) -> None:
        super().__init__(f"{what} Install it with: pip install '{install}'")


class StoreError(MemGPTError):
    """The database cannot be read or written."""

    fault: ClassVar[Fault] = "server"


class AgentNotFound(StoreError):
    """No agent of that name is in the store."""

    fault: ClassVar[Fault] = "user"


class AgentBusy(StoreError):
    """The agent is running elsewhere: in another process, or further up this call stack."""

    fault: ClassVar[Fault] = "user"
    retry = True


class TracesLeft(StoreError):
    """What was to be forgotten is deleted, and the store could not be cleaned of its traces yet. Forget it once more.

    Attributes:
        receipt: a :class:`~memgpt_autogen.storage.records.Forgotten`.
    """

    retry = True

    def __init__(self, message: str, receipt: Any = None) -> None:
        super().__init__(message)
        self.receipt = receipt


class NameTaken(StoreError):
    """Something of that name exists already."""

    fault: ClassVar[Fault] = "user"


class UndoRefused(StoreError):
    """There is nothing to undo, or someone else has changed it since. Nothing was changed."""

    fault: ClassVar[Fault] = "user"


class SourceError(MemGPTError):
    """A document cannot be loaded, or a source cannot be searched as asked."""


class ModelError(MemGPTError):
    """A model call failed."""

    fault: ClassVar[Fault] = "server"


class ModelServerError(ModelError):
    """The model's server did not answer, or failed."""

    def __init__(self, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.retry = retry


class ModelRequestError(ModelError):
    """The server refused the request: a wrong key, an unknown model, a prompt that exceeds its window."""

    fault: ClassVar[Fault] = "user"


class PromptTooLong(ModelRequestError):
    """The prompt does not fit the model's window. Its ``context_window`` is smaller now: make the prompt anew."""


class ModelReplyError(ModelError):
    """The model's reply is not a call that can be run.

    Attributes:
        text: what the model wrote, for the log and for a second attempt.
    """

    fault: ClassVar[Fault] = "model"
    retry = True

    def __init__(self, message: str, *, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class ToolError(MemGPTError):
    """A function failed. The text is written for the model."""

    fault: ClassVar[Fault] = "model"


def not_known(told: str, name: str, label: str, known: Iterable[str]) -> str:
    """A sentence about an unknown name: ``told``, then the closest known name, then all of them.

    >>> not_known("There is no agent named 'sma'.", "sma", "Agents", ["sam", "zoe"])
    "There is no agent named 'sma'. Did you mean 'sam'? Agents: sam, zoe."
    """
    from difflib import get_close_matches

    there = list(known)
    near = get_close_matches(name, there, n=1)
    meant = f" Did you mean {_in_quotes(near[0])}?" if near and near[0] != name else ""
    return f"{told}{meant} {label}: {', '.join(there) or 'none yet'}."


def _in_quotes(name: str) -> str:
    return name if name.startswith("/") else repr(name)  # /memory is typed as it stands
