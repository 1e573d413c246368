"""The wrapper ``auto``: the format of the model that a server runs, as the server tells it or its model's name does."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from ..errors import ModelRequestError
from .connection import Connection
from .wrappers import DEFAULT_WRAPPER, Wrapper, by_marks, by_name, from_template

log = logging.getLogger(__name__)


def detect_wrapper(connection: Connection) -> Wrapper | None:
    """The format of a server's model: read off its chat template, else by the template's marks, else by its name.

    Raises:
        ModelServerError: the server cannot be reached.
    """
    found = _from_template(connection) or by_marks(connection.format_shown()) or by_name(connection.info.model)
    if found is None:
        log.warning(
            "%s tells no chat template that is known, nor does the name %r: the format %s is used. Name another as "
            "model_wrapper.",
            connection.where,
            connection.info.model,
            DEFAULT_WRAPPER,
        )
    else:
        log.info("%s: the format %s suits its model.", connection.where, found.name)
    return found


def _from_template(connection: Connection) -> Wrapper | None:
    """The format as the server itself writes chats; None where it cannot, or not in markers around each message."""
    path = connection.row.template_path
    if not path:
        return None

    def render(messages: Sequence[Mapping[str, str]], reply: bool) -> str:
        body = {"messages": list(messages), "add_generation_prompt": reply}
        return connection.understood(lambda answer: str(answer["prompt"]), connection.transport.post(path, body))

    try:
        return from_template(render)
    except ModelRequestError as error:  # an old build, or a model without a template
        log.info("%s writes no chats: %s", connection.where, error)
        return None
