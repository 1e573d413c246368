"""A store moves to another engine and back, and holds the same there: rows, vectors, what searches find."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from memgpt_autogen import events
from memgpt_autogen.cli.app import app
from memgpt_autogen.errors import StoreError
from memgpt_autogen.ids import new_id
from memgpt_autogen.messages import Usage
from memgpt_autogen.storage import copying
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.copying import copy_store
from memgpt_autogen.storage.engines import engine_of
from memgpt_autogen.storage.records import Passage, Summary

from ..postgres import new_address

WORDS = "boat harbour Zürich 東京 kettle it's \\ back%slash ?".split()
ENGINES: dict[str, Callable[[Path, str], str]] = {
    "sqlite": lambda folder, name: str(folder / f"{name}.db"),
    "postgres": lambda folder, name: new_address(),
}
DIRECTIONS = [("sqlite", "postgres"), ("postgres", "sqlite")]


def fill(address: str, count: int = 40) -> None:
    """Two users, one with everything that a store can hold."""
    with closing(engine_of(address).open(address, user_id="ann")) as store:
        agent = store.agents.create("sam", {"name": "sam"}).id
        block = store.agents.add_block(agent, "human", "likes tea", 100)
        place = store.sources.stage("papers")
        document = store.sources.add_document(place, "a.md", "digest")
        pages = [Passage(f"page {n} {WORDS[n % 9]}", "a.md", {"page": n}) for n in range(count)]
        store.passages.add(place, pages, document)
        store.sources.attach(agent, store.sources.publish("papers", place, []).id)
        for number in range(count // 10):
            with store.transaction(new_id()):
                store.log.append(agent, [events.user_message(f"{WORDS[number % 9]} number {number}", name="Ann")])
            with store.transaction(new_id()):
                store.log.append(agent, [events.reply("hm", (), f"answer {number}")])
                store.agents.write_block(block.id, f"value {number}", agent_id=agent)
                store.passages.add(store.sources.own_source(agent), [Passage(f"note {number}")])
                store.log.mark_answered(agent)
                store.log.add_step(agent, "yielded", "model", Usage(1, 2, 3, 0.1))
        first = store.log.tail(agent, 1000)[0]
        store.log.add_summary(agent, Summary("it began", first.id, first.id, 1))
        waiting = store.passages.without_vectors(agent, 1000, "e")
        vectors = np.random.default_rng(1).normal(size=(len(waiting), 8)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.passages.put_vectors("e", [one.id for one in waiting], vectors)
        store.conversations.append(store.conversations.open(agent, "peer", taken=()), ["a", "b"])
    with closing(engine_of(address).open(address, user_id="bob")) as store:
        store.log.append(store.agents.create("sam", {}).id, [events.user_message("bob's")])


def seen(store: Store) -> list[object]:
    """What an agent's store tells."""
    agent = store.agents.get("sam").id
    asked = np.eye(8, dtype=np.float32)[0]
    found = [store.passages.search(agent, word, page=1, page_size=5, vector=asked, embedder="e") for word in WORDS]
    said = [store.log.search(agent, word, page=1, page_size=5) for word in WORDS]
    hits = [
        (hit.item.text, round(hit.score, 4), round(hit.relevance, 4)) for page in (*found, *said) for hit in page.hits
    ]
    return [store.dump(agent), hits, [page.total for page in (*found, *said)], store.passages.count(agent)]


def of_ann(address: str) -> closing[Store]:
    return closing(engine_of(address).open(address, user_id="ann"))


def copy(source: str, target: str) -> copying.Copied:
    with engine_of(source).every_row(source, read_only=True) as old, engine_of(target).every_row(target) as new:
        return copy_store(old, new)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_store_moves_and_goes_on_there(source: str, target: str, tmp_path: Path) -> None:
    there, here = ENGINES[source](tmp_path, "old"), ENGINES[target](tmp_path, "new")
    fill(there)
    copied = copy(there, here)
    assert copied.rows["passages"] == 44 and copied.rows["passage_vectors"] == 44 and copied.rows["agents"] == 2
    with of_ann(there) as old, of_ann(here) as new:
        assert seen(new) == seen(old)
        assert not engine_of(here).check(here).faults
        sam = new.agents.get("sam").id
        assert new.turns(sam) == old.turns(sam) == 4 and new.undo(sam, 1).notes == 1
        new.log.append(sam, [events.user_message("afterwards")])
        new.log.mark_answered(sam)
        assert [message.text for message in new.log.tail(sam, 1)] == ["afterwards"]
        assert new.log.search(sam, "afterwards", page=1, page_size=5).total == 1


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_copy_that_was_interrupted_goes_on(
    source: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH", 7)
    there, here = ENGINES[source](tmp_path, "old"), ENGINES[target](tmp_path, "new")
    fill(there)
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done > stops[-1]:
            raise KeyboardInterrupt

    stops = [60, 90]
    with engine_of(there).every_row(there, read_only=True) as old:
        for _ in range(2):
            with engine_of(here).every_row(here) as new, pytest.raises(KeyboardInterrupt):
                copy_store(old, new, stop)
            stops.reverse()
    copied = copy(there, here)
    assert sum(copied.rows.values()) == told[0][1]
    assert told[-1][0] > 60 and all(done <= total for done, total in told)
    fill(other := ENGINES[source](tmp_path, "other"))
    with pytest.raises(StoreError, match="holds agents.* already. Move a store into an empty one"):
        copy(other, here)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_store_that_is_written_to_meanwhile_is_found_out(source: str, target: str, tmp_path: Path) -> None:
    there, here = ENGINES[source](tmp_path, "old"), ENGINES[target](tmp_path, "new")
    fill(there)

    def write(done: int, total: int) -> None:
        if done == total:
            with closing(engine_of(there).open(there, user_id="ann")) as store:
                block = store.agents.blocks(store.agents.get("sam").id)[0]
                store.agents.write_block(block.id, "changed", agent_id=store.agents.get("sam").id)

    with (
        engine_of(there).every_row(there, read_only=True) as old,
        engine_of(here).every_row(here) as new,
        pytest.raises(StoreError, match=r"blocks has 1 rows there and 1 in .* Was it written to meanwhile\?"),
    ):
        copy_store(old, new, write)


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_the_command_moves_a_store(source: str, target: str, tmp_path: Path) -> None:
    there, here = ENGINES[source](tmp_path, "old"), ENGINES[target](tmp_path, "new")
    fill(there, 10)
    done = CliRunner().invoke(app, ["migrate-store", there, here])
    assert done.exit_code == 0, done.output
    assert "messages: 3, sha256 " in done.output and "holds what" in done.output
    again = CliRunner().invoke(app, ["migrate-store", there, here])
    assert "already" in str(again.exception)


def test_a_backup_of_a_server_is_a_file_that_goes_back(tmp_path: Path) -> None:
    address, again = new_address(), new_address()
    fill(address)
    engine_of(address).backup(address, tmp_path / "copy.db")
    assert copy(str(tmp_path / "copy.db"), again).rows["passages"] == 44
    with of_ann(address) as old, of_ann(again) as new:
        assert seen(new) == seen(old)
