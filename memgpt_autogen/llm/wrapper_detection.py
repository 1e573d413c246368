"""The wrapper ``auto``: detects the prompt format of a server's model by its chat template or by its name."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from ..errors import ModelRequestError
from .connection import Connection
from .wrappers import DEFAULT_WRAPPER, Wrapper, by_marks, by_name, from_template

log = logging.getLogger(__name__)


def detect_wrapper(connection: Connection) -> Wrapper | None:
    """The format of a server's model: derived from its chat template, or found by the template's markers or the name.

    Raises:
        ModelServerError: the server cannot be reached.
    """
    found = _from_template(connection) or by_marks(connection.template_text()) or by_name(connection.info.model)
    if found is None:
        log.warning(
            "%s has no known chat template, and the name %r is unknown: the format %s is used. Set another one as "
            "model_wrapper.",
            connection.where,
            connection.info.model,
            DEFAULT_WRAPPER,
        )
    else:
        log.info("%s: its model uses the format %s.", connection.where, found.name)
    return found


def _from_template(connection: Connection) -> Wrapper | None:
    """The format that the server itself renders; None if it cannot, or if that is not markers around each message."""
    path = connection.row.template_path
    if not path:
        return None

    def render(messages: Sequence[Mapping[str, str]], reply: bool) -> str:
        body = {"messages": list(messages), "add_generation_prompt": reply}
        return connection.parse(lambda answer: str(answer["prompt"]), connection.transport.post(path, body))

    try:
        return from_template(render)
    except ModelRequestError as error:  # an old build, or a model without a template
        log.info("%s writes no chats: %s", connection.where, error)
        return None
