"""``kill -9`` at random moments: what was acknowledged is there, nothing is half, and indexes agree with content.

40 times in ``make test``; ``make test-all`` sets KILLS to 500.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.storage.engines import engine_of

from ..postgres import new_address
from ..storage.other_process import ROOT
from .talker import NAMES, talking_agent
from .whole import assert_whole, rows_of

KILLS, IN_ONE_HOME = int(os.environ.get("KILLS", "40")), 20
STORES = {"sqlite": lambda home: str(home / "memgpt.db"), "postgres": lambda home: new_address()}
#: Turns that a process has at most, and seconds after the last of them.
TURNS, LONGEST = 3, 0.08


@contextmanager
def listing(home: Path, address: str) -> Iterator[Counter[int]]:
    """Run ``memgpt list agents`` all the while; the exit codes."""
    codes: Counter[int] = Counter()
    over = threading.Event()
    environ = {**os.environ, "MEMGPT_HOME": str(home), "MEMGPT_STORAGE": address, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "memgpt_autogen.cli", "list", "agents"]

    def run() -> None:
        while not over.is_set():
            codes[subprocess.run(command, env=environ, capture_output=True).returncode] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield codes
    finally:
        over.set()
        thread.join()


def killed(talker: subprocess.Popen[str], run: int, turns: int, moment: float) -> list[str]:
    """What a process said until it was killed: so many seconds after so many turns."""
    assert talker.stdin and talker.stdout
    talker.stdin.write(f"{run}\n")
    talker.stdin.flush()
    heard: list[str] = []
    process = 0
    while "ready" not in heard or not process or sum(line.startswith("done") for line in heard) < turns:
        heard.append(talker.stdout.readline().strip())
        assert heard[-1] not in ("", "over"), "the process ended by itself"
        if heard[-1].startswith("pid "):
            process = int(heard[-1].removeprefix("pid "))
    time.sleep(moment)
    os.kill(process, signal.SIGKILL)
    while heard[-1] != "over":
        heard.append(talker.stdout.readline().strip())
    return heard


def assert_there(address: str, acknowledged: list[str]) -> None:
    """Each turn that was acknowledged is stored once, answered once; and one edition of the source, whole."""
    with rows_of(address) as rows:
        users = rows("SELECT text, answered FROM messages WHERE kind = 'user_message'")
        said, answered = Counter(text for text, _ in users), {text for text, done in users if done}
        told = len(rows("SELECT 1 FROM messages WHERE role = 'assistant' AND text LIKE 'answer to %'"))
        editions = rows(
            "SELECT substr(text, 20), count(*) FROM passages JOIN sources ON sources.id = source_id "
            "WHERE sources.name = 'papers' AND loading_for IS NULL GROUP BY 1"
        )
    turns = [line.removeprefix("done ") for line in acknowledged if line.startswith("done ")]
    assert not [turn for turn in turns if said[turn] != 1 or turn not in answered]
    assert max(said.values(), default=1) == 1 and told >= len(turns)
    loads = [line.removeprefix("loaded ") for line in acknowledged if line.startswith("loaded ")]
    assert len(editions) <= 1 and all(pages == 3 for _, pages in editions)
    if loads:
        assert _place(editions[0][0].strip()) >= _place(loads[-1])


def _place(edition: str) -> tuple[int, ...]:
    return tuple(map(int, edition.split("-")))


@pytest.mark.parametrize("engine", STORES)
@pytest.mark.timeout(60 + 10 * KILLS)
def test_whatever_is_killed_everything_acknowledged_is_there(tmp_path: Path, engine: str) -> None:
    moments = random.Random(1)
    turns = 0
    for first in range(0, KILLS, IN_ONE_HOME):
        home = tmp_path / str(first)
        home.mkdir()
        address = STORES[engine](home)
        command = [sys.executable, "-m", "tests.crash.talker", str(home), address]
        acknowledged: list[str] = []
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as talker,
            listing(home, address) if engine == "sqlite" else nullcontext({0: 1}) as codes,  # a file has locks to lose
        ):
            for run in range(first, min(first + IN_ONE_HOME, KILLS)):
                acknowledged += killed(talker, run, moments.randint(0, TURNS), moments.uniform(0, LONGEST))
                assert_there(address, acknowledged)
            assert talker.stdin
            talker.stdin.close()
        assert set(codes) == {0}
        turns += sum(line.startswith("done") for line in acknowledged)
        memgpt = MemGPT(Settings(home=home, environ={"MEMGPT_STORAGE": address}), embedder=None)
        for name in NAMES:
            assert talking_agent(memgpt, name).run([events.user_message(f"{name} afterwards")]).said
        memgpt.close()
        assert_whole(address)
        health = engine_of(address).check(address)
        assert not health.faults and not health.left
    assert turns >= KILLS  # else it tries nothing
    print(f"{KILLS} processes killed, {turns} turns acknowledged, 0 lost")
