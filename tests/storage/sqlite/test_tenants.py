"""Two users of one file: neither reads, changes or deletes what is the other's, whatever ids they know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import MemGPTError, StoreError
from memgpt_autogen.messages import Usage
from memgpt_autogen.storage.records import Passage, Summary
from memgpt_autogen.storage.sqlite import SQLiteStore

VECTORS = np.eye(4, dtype=np.float32)[:1]


class Ann:
    """One user, with one of everything."""

    def __init__(self, path: Path) -> None:
        self.store = store = SQLiteStore(path, user_id="ann")
        self.agent = store.agents.create("sam", {"name": "sam"}).id
        self.other = store.agents.create("tom", {"name": "tom"}).id
        self.block = store.agents.add_block(self.agent, "human", "secret", 100).id
        with store.transaction("step"):
            store.log.append(self.agent, [replace(events.user_message("secret"), answered=True)])
        self.message = store.log.tail(self.agent, 1)[0]
        store.log.add_summary(self.agent, Summary("secret", self.message.id, self.message.id))
        store.passages.add(store.sources.own_source(self.agent), [Passage("secret", id="note")])
        self.source = store.sources.create_source("papers").id
        self.document = store.sources.add_document(self.source, "a.md", "1")
        store.passages.add(self.source, [Passage("secret paper", id="paper")], self.document)
        store.sources.attach(self.agent, self.source)
        self.conversation = store.conversations.open(self.agent, "peer", taken=())
        store.conversations.append(self.conversation, ["digest"])
        self.place = store.sources.stage("papers")

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        tables = [row[0] for row in self.store._database.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        ours = [table for table in tables if "_fts" not in table and not table.startswith("sqlite_")]
        return {
            table: [
                tuple(row)
                for row in self.store._database.all(f"SELECT * FROM {table} WHERE user_id = 'ann' ORDER BY 1")
            ]
            for table in ours
        }


@pytest.fixture
def ann(tmp_path: Path) -> Ann:
    return Ann(tmp_path / "memgpt.db")


@pytest.fixture
def eve(ann: Ann, tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "memgpt.db", user_id="eve")
    yield store
    store.close()


DAY = date(2026, 1, 1)
NOW = datetime.now(timezone.utc)
#: What eve tries with ann's ids. Each is refused, or finds nothing.
CALLS: dict[str, Callable[[SQLiteStore, Ann], Any]] = {
    "agents.get": lambda s, a: s.agents.get("sam"),
    "agents.list": lambda s, a: s.agents.list(),
    "agents.update": lambda s, a: s.agents.update(a.agent, {}),
    "agents.delete": lambda s, a: s.agents.delete(a.agent),
    "agents.pause": lambda s, a: s.agents.pause(a.agent, NOW),
    "agents.paused_until": lambda s, a: s.agents.paused_until(a.agent),
    "agents.blocks": lambda s, a: s.agents.blocks(a.agent),
    "agents.add_block": lambda s, a: s.agents.add_block(a.agent, "x", "y", 10),
    "agents.share_block": lambda s, a: s.agents.share_block(s.agents.create("eve's", {}).id, a.block),
    "agents.write_block": lambda s, a: s.agents.write_block(a.block, "x", agent_id=s.agents.create("eve's", {}).id),
    "agents.versions": lambda s, a: s.agents.versions(a.block),
    "log.extracted": lambda s, a: s.log.extracted(a.agent),
    "log.mark_extracted": lambda s, a: s.log.mark_extracted(a.agent, a.message.id),
    "log.heard": lambda s, a: s.log.heard(a.agent, a.message.step_id or "x"),
    "log.append": lambda s, a: s.log.append(a.agent, [events.user_message("x")]),
    "log.mark_answered": lambda s, a: s.log.mark_answered(a.agent),
    "log.window": lambda s, a: s.log.window(a.agent),
    "log.window_changes": lambda s, a: s.log.window_changes(a.agent),
    "log.tail": lambda s, a: s.log.tail(a.agent, 5),
    "log.tail by name": lambda s, a: s.log.tail(agent_id=a.agent, count=5),
    "log.count": lambda s, a: s.log.count(a.agent),
    "log.calls_made": lambda s, a: s.log.calls_made(a.agent, ["x"]),
    "log.search": lambda s, a: s.log.search(a.agent, "secret", page=0, page_size=5),
    "log.without_vectors": lambda s, a: s.log.without_vectors(a.agent, 5),
    "log.put_vectors": lambda s, a: s.log.put_vectors(a.agent, "e", [a.message.id], VECTORS),
    "log.search_dates": lambda s, a: s.log.search_dates(a.agent, DAY, DAY, page=0, page_size=5),
    "log.replace": lambda s, a: s.log.replace(a.message, events.user_message("x")),
    "log.add_summary": lambda s, a: s.log.add_summary(a.agent, Summary("x", "", "")),
    "log.last_summary": lambda s, a: s.log.last_summary(a.agent),
    "log.add_step": lambda s, a: s.log.add_step(a.agent, "x", "y", Usage()),
    "sources.get_source": lambda s, a: s.sources.get_source("papers"),
    "sources.list_sources": lambda s, a: s.sources.list_sources(),
    "sources.delete_source": lambda s, a: s.sources.delete_source(a.source),
    "sources.clear": lambda s, a: s.sources.clear(a.source),
    "sources.documents": lambda s, a: s.sources.documents(a.source),
    "sources.add_document": lambda s, a: s.sources.add_document(a.source, "b", "2"),
    "passages.add": lambda s, a: s.passages.add(a.source, [Passage("x")]),
    "passages.add to a document": lambda s, a: s.passages.add(
        s.sources.create_source("mine").id, [Passage("x")], a.document
    ),
    "sources.own_source": lambda s, a: s.sources.own_source(a.agent),
    "sources.attach": lambda s, a: s.sources.attach(s.agents.create("eve's", {}).id, a.source),
    "sources.detach": lambda s, a: s.sources.detach(a.agent, a.source),
    "sources.attached": lambda s, a: s.sources.attached(a.agent),
    "passages.count": lambda s, a: s.passages.count(a.agent),
    "passages.search": lambda s, a: s.passages.search(a.agent, "secret", page=0, page_size=5),
    "passages.without_vectors": lambda s, a: s.passages.without_vectors(a.agent, 5),
    "passages.backlog": lambda s, a: s.passages.backlog("e", 5, a.source),
    "passages.backlog of all": lambda s, a: s.passages.backlog("e", 5),
    "passages.waiting": lambda s, a: s.passages.waiting("e", a.source),
    "passages.put_vectors": lambda s, a: s.passages.put_vectors("e", ["paper"], VECTORS),
    "passages.unsettled": lambda s, a: s.passages.unsettled(a.agent),
    "passages.settle": lambda s, a: s.passages.settle(a.source),
    "sources.publish": lambda s, a: s.sources.publish("papers", a.place, [a.document]),
    "sources.publish of another": lambda s, a: (
        s.sources.publish("mine", s.sources.stage("mine"), [a.document]).passages
    ),
    "sources.publish of a source": lambda s, a: s.sources.publish("mine", a.source, []),
    "sources.left_over": lambda s, a: s.sources.left_over("papers"),
    "sources.discard_staged": lambda s, a: s.sources.discard_staged("papers"),
    "conversations.open": lambda s, a: s.conversations.open(a.agent, "peer", taken=()),
    "conversations.entries": lambda s, a: s.conversations.entries(a.conversation),
    "conversations.end": lambda s, a: s.conversations.end(a.conversation),
    "conversations.append": lambda s, a: s.conversations.append(a.conversation, ["x"]),
    "undo": lambda s, a: s.undo(a.agent, 1),
    "turns": lambda s, a: s.turns(a.agent),
    "wipe": lambda s, a: s.wipe(a.agent),
    "dump": lambda s, a: s.dump(a.agent),
    "remembered": lambda s, a: s.remembered(a.agent, "secret"),
    "forget": lambda s, a: s.forget(a.agent, "secret"),
}


@pytest.mark.parametrize("call", CALLS)
def test_nothing_of_one_user_is_reached_by_another(ann: Ann, eve: SQLiteStore, call: str) -> None:
    before = ann.everything()
    try:
        found = CALLS[call](eve, ann)
    except MemGPTError as error:
        found = None
        assert "ann" not in str(error) and "secret" not in str(error)
    items = getattr(found, "hits", found)
    assert not items or items is True or isinstance(items, str), (call, found)
    assert "secret" not in repr(found)
    assert ann.everything() == before


def test_every_call_of_the_contract_is_tried() -> None:
    parts = {"agents": SQLiteStore(None).agents, "log": SQLiteStore(None).log, "passages": SQLiteStore(None).passages}
    tried = {call.split(" ")[0] for call in CALLS}
    own = {"agents.create", "sources.create_source", "sources.stage"}  # they are given no id
    for name, part in parts.items():
        public = {f"{name}.{method}" for method in dir(part) if not method.startswith("_")}
        assert public - own - tried <= {"passages.clean_index"}


def test_an_owner_is_served_as_before(ann: Ann) -> None:
    again = SQLiteStore(Path(ann.store._database.path), user_id="ann")
    assert again.log.tail(ann.agent, 1)[0].text == "secret"
    assert again.passages.search(ann.agent, "secret", page=0, page_size=5).total == 2
    with pytest.raises(StoreError, match="no agent with the id 'nobody'"):
        again.log.window("nobody")
