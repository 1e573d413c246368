"""Lists the models that a key may use, a request that costs nothing and so checks a key."""

from __future__ import annotations

from ..config import LLMConfig
from ..errors import ModelRequestError
from .transport import Refused, Transport

_AZURE_VERSION = "2024-10-21"
_TIMEOUT = 10.0


class KeyRefused(ModelRequestError):
    """The server does not accept the key."""


def hosted_models(config: LLMConfig) -> list[str]:
    """The names of the models that the configuration's key may use, at an OpenAI-compatible API or Azure.

    Args:
        config: type, address and key.

    Raises:
        KeyRefused: the key is not accepted.
        ModelRequestError: the address has no list of models.
        ModelServerError: nothing answers there.
    """
    azure = config.model_endpoint_type == "azure"
    path = f"/openai/models?api-version={_AZURE_VERSION}" if azure else "/v1/models"
    with Transport(config.address, timeout=_TIMEOUT, attempts=1, api_key=config.api_key) as transport:
        try:
            listed = transport.get(path)
        except Refused as error:
            if error.status in (401, 403):
                raise KeyRefused(f"{transport.where} does not accept this key.") from error
            raise
    rows = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(rows, list):
        raise ModelRequestError(f"{transport.where} did not answer with a list of models.")
    return sorted(str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row)
