"""Checks an installed package in an environment without extras.

Every module imports, or its error names the missing extra; ``memgpt doctor`` runs and finds nothing broken but the
model, which an extra brings.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import memgpt_autogen
from memgpt_autogen.errors import MissingDependency

#: Rooms that need an extra of their own.
OPTIONAL = ("memgpt_autogen.groupchat", "memgpt_autogen.agentchat", "memgpt_autogen.discord")
#: Runs the program when imported.
SKIP = ("memgpt_autogen.cli.__main__",)


def imports() -> list[str]:
    """What fails to import; empty if nothing does."""
    failures = []
    repository = Path(__file__).resolve().parent.parent
    if Path(memgpt_autogen.__file__).is_relative_to(repository / "memgpt_autogen"):
        failures.append("The repository was imported instead of the installed package.")
    for found in pkgutil.walk_packages(memgpt_autogen.__path__, "memgpt_autogen.", onerror=lambda name: None):
        if found.name in SKIP:
            continue
        try:
            importlib.import_module(found.name)
        except MissingDependency as error:
            if not found.name.startswith(OPTIONAL):
                failures.append(f"{found.name}: {error}")
        except Exception as error:
            failures.append(f"{found.name}: {type(error).__name__}: {error}")
    for name in memgpt_autogen.__all__:
        try:
            getattr(memgpt_autogen, name)
        except MissingDependency:
            continue
        except Exception as error:
            failures.append(f"memgpt_autogen.{name}: {type(error).__name__}: {error}")
    return failures


def doctor() -> list[str]:
    """What ``memgpt doctor`` finds broken in an empty home folder, but for the model."""
    program = Path(sys.executable).with_name("memgpt")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "MEMGPT_", "BACKEND_"))
    }
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [program, "doctor", "--json"],
            env=kept | {"MEMGPT_HOME": home},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=120,
        )
    try:
        findings = json.loads(done.stdout)[0]["findings"]
    except (ValueError, LookupError):
        return [f"memgpt doctor ended with {done.returncode}: {done.stdout}{done.stderr}"]
    return [
        f"memgpt doctor: {one['about']}: {one['found']}"
        for one in findings
        if one["state"] == "bad" and one["about"] != "model"
    ]


if __name__ == "__main__":
    failed = imports() + doctor()
    print("\n".join(failed) or f"memgpt-autogen {memgpt_autogen.__version__}: every module imports, and doctor runs.")
    sys.exit(bool(failed))
