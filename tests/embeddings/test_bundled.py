"""wordllama within this package."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEARCH = """
import logging
from memgpt_autogen.embeddings.bundled import BundledEmbedder
assert BundledEmbedder().embed(["tea"]).shape == (1, 256)
logging.getLogger("httpx").info("HTTP Request: POST")
root = logging.getLogger()
print(root.handlers, logging.getLevelName(root.level))
"""


def test_loading_it_leaves_the_logging_of_the_program_alone() -> None:
    pytest.importorskip("wordllama")
    ran = subprocess.run([sys.executable, "-c", SEARCH], capture_output=True, text=True, check=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[] WARNING", "")
