"""What becomes of a step when the server, or the way to it, fails: it fails whole, says so, and the agent goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from memgpt_autogen import MemGPT, Settings, events
from memgpt_autogen.errors import StoreError
from memgpt_autogen.ids import new_id
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.messages import ToolCall
from memgpt_autogen.storage.postgres import sessions
from memgpt_autogen.storage.postgres.address import Address
from memgpt_autogen.storage.postgres.migrate import connect
from memgpt_autogen.storage.postgres.store import PostgresStore

from ...postgres import Restarting, restarting
from .conftest import Open


def cut(address: str) -> None:
    """Break every other connection to the database."""
    with closing(connect(Address.parse(address))) as raw:
        raw.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND query LIKE %s",
            ("%",),
        )


@pytest.fixture(scope="module")
def alone() -> Iterator[Restarting]:
    """A server of this module alone, which it may stop and break."""
    with restarting() as server:
        yield server


@pytest.fixture
def address(alone: Restarting) -> str:
    return alone.new_address(pool_wait=5)


def texts(store: PostgresStore, agent: str) -> list[str]:
    return [message.text for message in store.log.tail(agent, 50)]


def test_a_connection_that_drops_in_a_step_takes_the_step_back(store: PostgresStore, agent: str, address: str) -> None:
    with pytest.raises(StoreError, match="Nothing of this step was written"), store.transaction(new_id()):
        store.log.append(agent, [events.user_message("half")])
        cut(address)
        store.log.append(agent, [events.user_message("other half")])
    store.log.append(agent, [events.user_message("whole")])
    assert texts(store, agent) == ["whole"]


@pytest.mark.parametrize("idle", [lambda store, agent: store.log.count(agent), lambda store, agent: store.turns(agent)])
def test_connections_that_broke_while_idle_are_replaced_unnoticed(
    store: PostgresStore, agent: str, address: str, idle: Callable[[PostgresStore, str], int]
) -> None:
    for _ in range(3):
        cut(address)
        assert idle(store, agent) >= 0
        store.log.append(agent, [events.user_message("written")])
    assert store.log.count(agent) == 3


def test_a_commit_whose_answer_is_lost_is_looked_up(
    store: PostgresStore, agent: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has committed, and the connection breaks before it says so; and the other way round."""
    usual = sessions.PooledConnection.execute
    for reached in (True, False):

        def execute(self: Any, query: Any, *args: Any, reached: bool = reached, **named: Any) -> Any:
            if query != "COMMIT":
                return usual(self, query, *args, **named)
            if reached:
                usual(self, query, *args, **named)
            self.close()
            raise psycopg.OperationalError("the connection is lost")

        with monkeypatch.context() as patch:
            patch.setattr(sessions.PooledConnection, "execute", execute)
            if reached:
                store.log.append(agent, [events.user_message("there")])
            else:
                with pytest.raises(StoreError, match="Nothing of this step was written"):
                    store.log.append(agent, [events.user_message("not there")])
    assert texts(store, agent) == ["there"]


def test_a_server_that_is_gone_in_the_middle_of_a_turn_and_comes_back(alone: Restarting, tmp_path: Path) -> None:
    address = alone.new_address(pool_wait=1)
    client = MemGPT(Settings(home=tmp_path, environ={}), store=address, embedder=None)

    def stop(messages: object, tools: object, only: object) -> ToolCall:
        alone.stop()
        return ToolCall("core_memory_append", {"name": "human", "content": "lost"})

    model = ScriptedModel([ToolCall("core_memory_append", {"name": "human", "content": "kept"}), stop, "hello again"])
    agent = client.create_agent({"name": "sam", "preset": "memgpt_chat", "human": "start"}, model=model)
    with pytest.raises(StoreError, match="Nothing of this step was written"):
        agent.run([events.user_message("hi")])
    with pytest.raises(StoreError, match="when the server is back"):
        agent.run([])
    alone.start()
    assert agent.run([]).said == ("hello again",)
    human = next(block for block in client.store.agents.blocks(agent.id) if block.label == "human")
    assert human.value == "start\nkept"
    log = client.store.log.tail(agent.id, 50)
    assert [message.text for message in log if message.kind == "user_message"] == ["hi"]
    assert all(message.answered for message in log)
    client.close()


def test_a_new_server_behind_the_same_address_is_found(alone: Restarting, store: PostgresStore, agent: str) -> None:
    for number in range(2):
        with store.lock(agent):
            store.log.append(agent, [events.user_message(str(number))])
            alone.restart()  # between two steps of a turn
            store.log.append(agent, [events.user_message(f"{number} afterwards")])
    assert texts(store, agent) == ["0", "0 afterwards", "1", "1 afterwards"]


def test_a_statement_that_takes_too_long_is_given_up(alone: Restarting, opened: Open) -> None:
    store = opened(alone.new_address(statement_timeout=0.2))
    agent = store.agents.create("sam", {}).id
    with pytest.raises(StoreError, match="statement_timeout=SECONDS"), store.transaction():
        store.log.append(agent, [events.user_message("lost")])
        store._database.all("SELECT pg_sleep(5)")
    assert store.log.count(agent) == 0


def test_a_pool_that_is_used_up_says_so(alone: Restarting, opened: Open) -> None:
    store = opened(alone.new_address(pool_size=2, pool_wait=0.3))
    agent = store.agents.create("sam", {}).id
    go_on, inside = threading.Event(), threading.Barrier(3)

    def hold() -> None:
        with store.transaction():
            inside.wait()
            go_on.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait()
    with pytest.raises(StoreError, match="All 2 connections of this process .* Add pool_size=NUMBER"):
        store.log.count(agent)
    go_on.set()
    for thread in threads:
        thread.join()
    assert store.log.count(agent) == 0


@contextmanager
def full_disk(address: str) -> Iterator[None]:
    """The server refuses every message as if its disk were full (SQLSTATE 53100)."""
    raising = "BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END"
    with closing(connect(Address.parse(address))) as raw:
        raw.execute(f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ {raising} $$")
        raw.execute("CREATE TRIGGER full_disk BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION full_disk()")
        yield
        raw.execute("DROP TRIGGER full_disk ON messages")


def test_a_full_disk_on_the_server_is_told(store: PostgresStore, agent: str, address: str) -> None:
    with full_disk(address), pytest.raises(StoreError, match="The server's disk is full"):
        store.log.append(agent, [events.user_message("lost")])
    store.log.append(agent, [events.user_message("kept")])
    assert texts(store, agent) == ["kept"]


def test_a_standby_says_what_it_is(alone: Restarting, opened: Open) -> None:
    store = opened(alone.new_address())
    agent = store.agents.create("sam", {}).id
    with pytest.raises(StoreError, match="use the address of the primary one"), store.transaction():
        store._database.execute("SET TRANSACTION READ ONLY")
        store.log.append(agent, [events.user_message("lost")])


def test_what_was_cached_inside_a_step_that_failed_is_forgotten(store: PostgresStore, agent: str) -> None:
    store.log.append(agent, [events.user_message("one boat")])
    store.log.mark_answered(agent)
    with pytest.raises(RuntimeError), store.transaction():
        store.log.append(agent, [events.user_message("two boats")])
        store.log.mark_answered(agent)
        assert store.log.search(agent, "boat", page=1, page_size=5).total == 2
        raise RuntimeError
    time.sleep(0)
    assert store.log.search(agent, "boat", page=1, page_size=5).total == 1
