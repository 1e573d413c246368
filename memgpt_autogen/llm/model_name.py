"""What a model's name tells of it."""

from __future__ import annotations

import re

#: ``135M``, ``0.5B``, ``1.5b``: a number of parameters in a model's name.
_PARAMETERS = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)([mb])(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"m": 10**6, "b": 10**9}


def parameters_in(name: str) -> int | None:
    """The number of parameters in a model's name, such as ``SmolLM2-135M-Instruct``; None: it has none.

    A mixture such as ``8x7B`` gives None too; it is not small.
    """
    found = _PARAMETERS.search(name)
    return round(float(found[1]) * _UNITS[found[2].lower()]) if found else None
