"""Several processes with the same agents on one PostgreSQL, which is restarted twice: nothing is lost, doubled
or mixed up.

A minute; run by ``make test-long``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from memgpt_autogen import MemGPT, Settings

from ..postgres import restarting
from ..storage.other_process import ROOT
from .machines import AGENTS, name_of
from .whole import assert_whole

PROCESSES, SECONDS = 4, 60


@pytest.mark.long
@pytest.mark.timeout(900)
def test_many_machines_and_a_server_that_restarts(tmp_path: Path) -> None:
    with restarting() as server:
        address = server.new_address(pool_size=8)
        client = MemGPT(Settings(home=tmp_path, environ={}), store=address, embedder=None)
        for number in range(AGENTS):
            client.create_agent({"name": name_of(number), "preset": "memgpt_chat"})
        command = [sys.executable, "-m", "tests.crash.machines", str(tmp_path), address]
        machines = [
            subprocess.Popen(
                [*command, f"machine{number}", str(SECONDS)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what the pool logs of a server that is gone
                text=True,
                cwd=ROOT,
            )
            for number in range(PROCESSES)
        ]
        for machine in machines:
            assert machine.stdout and machine.stdout.readline() == "ready\n"
        for _ in range(2):
            time.sleep(SECONDS / 3)
            server.restart()
        told = [machine.communicate(timeout=SECONDS + 300)[0].splitlines() for machine in machines]
        assert [machine.returncode for machine in machines] == [0] * PROCESSES
        done = [line.removeprefix("done ") for lines in told for line in lines if line.startswith("done ")]
        said: Counter[str] = Counter()
        for number in range(AGENTS):
            agent = client.store.agents.get(name_of(number)).id
            log = client.store.log.tail(agent, 100_000)
            said.update(message.text for message in log if message.kind == "user_message")
            steps = [step for step, _ in groupby(message.step_id for message in log)]
            assert len(steps) == len({*steps}), "the messages of two steps are mixed up"
        lost = [text for text in done if said[text] != 1]
        assert not lost and max(said.values()) == 1
        assert len(done) > PROCESSES
        client.close()
        assert_whole(address)
        failed = Counter(line for lines in told for line in lines if line.startswith("failed"))
        print(f"{len(done)} turns acknowledged, 0 lost, doubled or mixed up; {dict(failed)}")
