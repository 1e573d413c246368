"""One writer per agent across processes and machines; each store with a holder of its own stands for a process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import AgentBusy, StoreError
from memgpt_autogen.storage import locks
from memgpt_autogen.storage.postgres import leases
from memgpt_autogen.storage.postgres.address import Address
from memgpt_autogen.storage.postgres.migrate import connect
from memgpt_autogen.storage.postgres.store import PostgresStore

from ..other_process import ROOT
from .conftest import Open

HOLD = """
import sys, time
from memgpt_autogen.storage.postgres.store import PostgresStore
from memgpt_autogen import events
store = PostgresStore(sys.argv[1])
with store.lock(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.readline()
    try:
        store.log.append(sys.argv[2], [events.user_message("from the other process")])
        print("written", flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""


@contextmanager
def holding(address: str, agent: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds an agent until it is told to write."""
    command = [sys.executable, "-c", HOLD, address, agent]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdin and process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def sql(address: str, statement: str) -> None:
    with closing(connect(Address.parse(address))) as raw:
        raw.execute(statement)


def test_another_process_is_waited_for_and_then_told_of(store: PostgresStore, agent: str, address: str) -> None:
    with holding(address, agent) as process:
        with pytest.raises(AgentBusy, match="another process"), store.lock(agent):
            pass
        threading.Timer(0.3, lambda: answer(process)).start()
        with store.lock(agent, wait=10):
            assert [message.text for message in store.log.tail(agent, 5)] == ["from the other process"]


def test_a_killed_process_holds_nothing_any_more(store: PostgresStore, agent: str, address: str) -> None:
    with holding(address, agent) as process:
        process.kill()
        process.wait()
        begun = time.monotonic()
        with store.lock(agent, wait=10):
            store.log.append(agent, [events.user_message("mine")])
        assert time.monotonic() - begun < leases.LASTS / 2  # it is not waited until the lease runs out
    assert [message.text for message in store.log.tail(agent, 5)] == ["mine"]


@pytest.mark.parametrize("how", ["it ran out", "its connection broke"])
def test_who_lost_the_lease_cannot_commit(store: PostgresStore, agent: str, address: str, how: str) -> None:
    with holding(address, agent) as process:
        if how == "it ran out":
            sql(address, "UPDATE leases SET expires_at = now() - interval '1 second'")
        else:
            sql(
                address,
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                "AND (classid::bigint << 32) | objid::bigint IN (SELECT holder FROM leases)",
            )
        with store.lock(agent, wait=5):
            store.log.append(agent, [events.user_message("mine")])
            told = answer(process)
        assert told.startswith("StoreError") and "another one has taken the agent over" in told
    assert [message.text for message in store.log.tail(agent, 5)] == ["mine"]


def test_leases_are_renewed_while_they_are_held(
    store: PostgresStore, agent: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW", 0.05)
    with store.lock(agent):
        sql(address, "UPDATE leases SET expires_at = now() + interval '1 second'")
        time.sleep(0.4)
        with closing(connect(Address.parse(address))) as raw:
            row = raw.execute("SELECT expires_at > now() + interval '10 seconds' FROM leases").fetchone()
        assert row == (True,)


def test_users_with_sources_of_one_name_do_not_wait_for_each_other(opened: Open) -> None:
    ann, bob = opened(user_id="ann"), opened(user_id="bob")
    with ann.lock("source papers"), bob.lock("source papers"):
        pass
    with ann.lock("source papers"), pytest.raises(AgentBusy), opened(user_id="ann").lock("source papers"):
        pass


def test_a_write_outside_of_a_lease_is_not_refused(opened: Open, store: PostgresStore, agent: str) -> None:
    with store.lock(agent):
        thread = threading.Thread(target=store.log.append, args=(agent, [events.user_message("beside")]))
        thread.start()
        thread.join()
    assert store.log.count(agent) == 1


def test_a_busy_agent_is_told_alike_on_one_machine_and_on_many() -> None:
    assert "(waited 2 s for it)" in str(locks.busy_elsewhere(2)) and isinstance(locks.busy_elsewhere(0), StoreError)
