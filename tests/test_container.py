"""The Dockerfile and compose.yaml: linted, and built by their own steps as far as that goes without a daemon."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

HOUSE = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile in order, as name and arguments; lines that go on are joined."""
    text = (HOUSE / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, given.strip()) for name, _, given in (line.partition(" ") for line in lines)]


def stage(number: int) -> list[tuple[str, str]]:
    """The instructions of one stage, without its FROM."""
    starts = [place for place, (name, _) in enumerate(instructions()) if name == "FROM"] + [None]
    first, last = starts[number], starts[number + 1]
    assert first is not None
    return instructions()[first + 1 : last]


def linted(program: str, *arguments: str) -> None:
    found = shutil.which(program, path=str(PROGRAMS))
    if found is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([found, *arguments], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_finds_nothing() -> None:
    linted("hadolint", "Dockerfile")


def test_compose_keeps_its_schema() -> None:
    linted("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


def test_compose_passes_on_variables_that_the_program_reads_and_its_head_explains() -> None:
    text = (HOUSE / "compose.yaml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    read = "".join(path.read_text(encoding="utf-8") for path in (HOUSE / "memgpt_autogen").rglob("*.py"))
    for name in services["bot"]["environment"]:
        assert f'"{name}"' in read or name == "PGPASSWORD", name  # libpq reads that one
    for name in set(re.findall(r"\$\{(\w+)", text)):
        assert name in text.partition("services:")[0], f"{name} is not explained"
    assert services["bot"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert not re.search(r"postgresql://\w+:", text), "a password stands in the address"
    assert "pgvector" in services["database"]["image"]
    volumes = yaml.safe_load(text)["volumes"]
    assert {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]} == {*volumes}


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = [line[1:] for line in (HOUSE / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    sources = [word for name, given in stage(0) if name == "COPY" for word in given.split()[:-1]]
    assert len(sources) > 3
    for source in sources:
        assert (HOUSE / source).exists() and any(fnmatch(source, pattern) for pattern in kept), source


def test_the_program_is_started_as_a_user_without_rights_and_in_a_home_of_its_own() -> None:
    given = dict(stage(1))
    assert int(given["USER"]) > 0 and given["VOLUME"] == "/data" and "MEMGPT_HOME=/data" in given["ENV"]
    assert given["ENTRYPOINT"] == '["memgpt"]'
    from memgpt_autogen.cli.app import COMMANDS

    assert re.findall(r"\w+", given["CMD"])[0] in COMMANDS


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_steps_of_the_build_make_an_environment_that_runs(tmp_path: Path) -> None:
    place, folder = tmp_path / "opt", tmp_path / "build"
    folder.mkdir()
    for name, given in stage(0):
        words = shlex.split(given.replace("/opt/memgpt", str(place)))
        if name == "COPY":
            for source in words[:-1]:
                target = folder / words[-1] / ("" if words[-1] != "./" or (HOUSE / source).is_dir() else source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(HOUSE / source, target) if (HOUSE / source).is_dir() else shutil.copy(
                    HOUSE / source, target
                )
        elif name == "RUN":
            words[0] = sys.executable if words[0] == "python" else words[0]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=1000)
            assert done.returncode == 0, done.stdout + done.stderr
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MEMGPT", "DISCORD"))}
    environ["MEMGPT_HOME"] = str(tmp_path / "data")

    def memgpt(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(place / "bin" / "memgpt"), *words]
        return subprocess.run(command, env={**environ, **more}, capture_output=True, text=True, timeout=120)

    assert memgpt("version").returncode == 0
    secret = memgpt("discord", "--new-secret").stdout.strip()
    missing = memgpt("discord", MEMGPT_DISCORD_SECRET=secret)
    assert missing.returncode == 1 and "DISCORD_BOT_TOKEN" in missing.stderr
    imported = [str(place / "bin" / "python"), "-c", "import discord, psycopg_pool, memgpt_autogen.storage.postgres"]
    assert subprocess.run(imported, env=environ, capture_output=True, timeout=120).returncode == 0
