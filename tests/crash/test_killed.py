"""``kill -9`` at random moments: what was acknowledged is there, nothing is half, and indexes agree with content.

40 times in ``make test``; ``make test-all`` sets KILLS to 500.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.storage.sqlite.health import check

from ..storage.other_process import ROOT
from .talker import NAMES, talking_agent
from .whole import assert_whole

KILLS, IN_ONE_HOME = int(os.environ.get("KILLS", "40")), 20
#: Turns that a process has at most, and seconds after the last of them.
TURNS, LONGEST = 3, 0.08


@contextmanager
def listing(home: Path) -> Iterator[Counter[int]]:
    """Run ``memgpt list agents`` all the while; the exit codes."""
    codes: Counter[int] = Counter()
    over = threading.Event()
    environ = {**os.environ, "MEMGPT_HOME": str(home), "PYTHONPATH": str(ROOT)}
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


def assert_there(path: Path, acknowledged: list[str]) -> None:
    """Each turn that was acknowledged is in the file once, answered once; and one edition of the source, whole."""
    with closing(sqlite3.connect(path)) as raw:
        said = Counter(row[0] for row in raw.execute("SELECT text FROM messages WHERE kind = 'user_message'"))
        answered = {row[0] for row in raw.execute("SELECT text FROM messages WHERE kind = 'user_message' AND answered")}
        replies = raw.execute("SELECT count(*) FROM messages WHERE role = 'assistant' AND text LIKE 'answer to %'")
        told = replies.fetchone()[0]
        editions = raw.execute(
            "SELECT substr(text, 20), count(*) FROM passages JOIN sources ON sources.id = source_id "
            "WHERE sources.name = 'papers' AND loading_for IS NULL GROUP BY 1"
        ).fetchall()
    turns = [line.removeprefix("done ") for line in acknowledged if line.startswith("done ")]
    assert not [turn for turn in turns if said[turn] != 1 or turn not in answered]
    assert max(said.values(), default=1) == 1 and told >= len(turns)
    loads = [line.removeprefix("loaded ") for line in acknowledged if line.startswith("loaded ")]
    assert len(editions) <= 1 and all(pages == 3 for _, pages in editions)
    if loads:
        assert _place(editions[0][0].strip()) >= _place(loads[-1])


def _place(edition: str) -> tuple[int, ...]:
    return tuple(map(int, edition.split("-")))


@pytest.mark.timeout(60 + 10 * KILLS)
def test_whatever_is_killed_everything_acknowledged_is_there(tmp_path: Path) -> None:
    moments = random.Random(1)
    turns = 0
    for first in range(0, KILLS, IN_ONE_HOME):
        home = tmp_path / str(first)
        home.mkdir()
        command = [sys.executable, "-m", "tests.crash.talker", str(home)]
        acknowledged: list[str] = []
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as talker,
            listing(home) as codes,
        ):
            for run in range(first, min(first + IN_ONE_HOME, KILLS)):
                acknowledged += killed(talker, run, moments.randint(0, TURNS), moments.uniform(0, LONGEST))
                assert_there(home / "memgpt.db", acknowledged)
            assert talker.stdin
            talker.stdin.close()
        assert set(codes) == {0}
        turns += sum(line.startswith("done") for line in acknowledged)
        memgpt = MemGPT(Settings(home=home, environ={}), embedder=None)
        for name in NAMES:
            assert talking_agent(memgpt, name).run([events.user_message(f"{name} afterwards")]).said
        memgpt.close()
        assert_whole(home / "memgpt.db")
        health = check(home / "memgpt.db")
        assert not health.faults and not health.left
    assert turns >= KILLS  # else it tries nothing
    print(f"{KILLS} processes killed, {turns} turns acknowledged, 0 lost")
