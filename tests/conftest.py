"""Fixtures that several folders of tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from memgpt_autogen.llm.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[EmbeddedServer]:
    """The bundled model on a real server of 2,048 tokens, the only one of the session."""
    pytest.importorskip("xllamacpp")
    from memgpt_autogen.errors import ConfigError
    from memgpt_autogen.llm.embedded import find_model, shared_server

    try:
        server = shared_server(find_model({}), 2048)
    except ConfigError as error:
        pytest.skip(str(error))
    yield server
    server.stop()
