"""The contract of a store: what holds for every row of the table in ``conftest``, whatever the engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from memgpt_autogen import events
from memgpt_autogen.errors import AgentBusy, AgentNotFound, ConfigError, NameTaken, SourceError, StoreError, UndoRefused
from memgpt_autogen.ids import new_id
from memgpt_autogen.messages import Message, ToolCall, Usage
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.engines import ENGINES, engine_of
from memgpt_autogen.storage.records import Passage, Source, Summary, Vectors

from .conftest import ALONE, STORES, Open


def said(text: str, **changes: object) -> Message:
    return replace(events.user_message(text, name="Ann"), answered=True, **changes)  # type: ignore[arg-type]


def test_a_message_comes_back_as_it_was_written(store: Store, agent: str) -> None:
    call = ToolCall("f", {"a": [1, "ü"]}, error="cut")
    written = [said("hello", conversation_id="c", session_id="s"), events.reply("hm", (call,), "out loud")]
    with store.transaction("step"):
        store.log.append(agent, written)
    assert store.log.window(agent) == [replace(message, step_id="step") for message in written]


def test_a_transaction_is_all_or_nothing(store: Store, agent: str) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.log.append(agent, [said("lost")])
        with store.transaction():
            store.log.append(agent, [said("also lost")])
        raise RuntimeError
    assert store.log.count(agent) == 0


def test_a_shared_block_is_the_same_block_and_outlives_one_owner(store: Store, agent: str) -> None:
    other = store.agents.create("eva", {}).id
    block = store.agents.add_block(agent, "project", "plan A", 100)
    store.agents.share_block(other, block.id)
    store.agents.write_block(block.id, "plan B", agent_id=other)
    assert store.agents.blocks(agent)[0].value == "plan B"
    store.agents.delete(agent)
    assert store.agents.blocks(other)[0].value == "plan B"


def test_the_window_is_what_came_after_the_last_summary(store: Store, agent: str) -> None:
    messages = [said(str(number)) for number in range(5)]
    store.log.append(agent, messages)
    store.log.add_summary(agent, Summary("0 to 2", messages[0].id, messages[2].id, 3))
    assert [message.text for message in store.log.window(agent)] == ["3", "4"]
    assert store.log.last_summary(agent).text == "0 to 2"  # type: ignore[union-attr]
    assert store.log.count(agent) == 5


def test_a_window_tells_what_has_changed_since_it_was_read(store: Store, agent: str) -> None:
    one, two, waiting = said("one"), said("two"), events.user_message("waiting")
    store.log.append(agent, [one])
    whole = store.log.window_changes(agent)
    assert whole.whole and [message.text for message in whole.messages] == ["one"] and not whole.unanswered
    store.log.append(agent, [two, waiting])
    later = store.log.window_changes(agent, whole.mark)
    assert not later.whole and [message.text for message in later.messages] == ["two", "waiting"]
    assert later.unanswered == {waiting.id} and not later.replaced and later.summary is None
    placed = store.log.replace(waiting, replace(waiting, content="reworded"))
    changed = store.log.window_changes(agent, later.mark)
    assert (changed.whole, changed.messages, dict(changed.replaced)) == (False, [], {waiting.id: placed})
    store.log.mark_answered(agent)
    assert not store.log.window_changes(agent, changed.mark).unanswered
    store.log.add_summary(agent, Summary("one", one.id, one.id, 1))
    after = store.log.window_changes(agent, changed.mark)
    assert after.whole and after.summary and after.summary.text == "one"
    assert [message.id for message in after.messages] == [two.id, placed.id]


def test_a_window_is_whole_where_messages_were_taken_away(store: Store, agent: str) -> None:
    with store.transaction("kept"):
        store.log.append(agent, [said("kept")])
    with store.transaction("gone"):
        store.log.append(agent, [said("gone")])
    mark = store.log.window_changes(agent).mark
    store.undo(agent, 1)
    after = store.log.window_changes(agent, mark)
    assert after.whole and [message.text for message in after.messages] == ["kept"]


def test_the_end_of_a_conversation_is_its_length_and_last_entry(store: Store, agent: str) -> None:
    conversation = store.conversations.open(agent, "peer", taken=())
    assert store.conversations.end(conversation) == (0, "")
    store.conversations.append(conversation, ["a", "b"])
    store.conversations.append(conversation, ["c"])
    assert store.conversations.end(conversation) == (3, "c")


def test_search_finds_words_in_any_form_and_counts_them_all(store: Store, agent: str) -> None:
    other = replace(said("nothing of it"), session_id="another")  # in the same one it would be their context
    store.log.append(agent, [*(said(f"boat number {n} sails") for n in range(12)), other])
    found = store.log.search(agent, "What about the sailing boats?", page=2, page_size=5)
    assert (found.total, found.pages, len(found.hits)) == (12, 3, 5)
    assert not store.log.search(agent, "unheard", page=1, page_size=5).hits


def test_search_never_finds_what_is_still_unanswered(store: Store, agent: str) -> None:
    store.log.append(agent, [replace(said("where is the key"), answered=False)])
    assert store.log.search(agent, "key", page=1, page_size=5).total == 0
    store.log.mark_answered(agent)
    assert store.log.search(agent, "key", page=1, page_size=5).total == 1


@pytest.mark.parametrize("query", ['"', "a AND", "NEAR(", "x*", "col:val", "-", "' OR 1=1 --", "é ü 日本", "", "   "])
def test_no_query_is_syntax(store: Store, agent: str, query: str) -> None:
    store.log.append(agent, [said("words")])
    assert store.log.search(agent, query, page=1, page_size=5).total == 0
    assert store.passages.search(agent, query, page=1, page_size=5).total == 0


def test_days_are_local_days_and_both_ends_count(store: Store, agent: str) -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=0)
    store.log.append(agent, [said(str(ago), created_at=noon - timedelta(days=ago)) for ago in (4, 2, 1, 0)])
    today: date = noon.date()
    page = store.log.search_dates(agent, today - timedelta(days=2), today - timedelta(days=1), page=1, page_size=5)
    assert [hit.item.text for hit in page.hits] == ["2", "1"] and page.total == 2


def test_a_source_is_attached_by_reference(store: Store, agent: str) -> None:
    source = store.sources.create_source("handbook")
    store.passages.add(source.id, [Passage("The generator needs diesel.", "a.md", {"page": 3})])
    assert store.passages.search(agent, "diesel", page=1, page_size=5).total == 0
    store.sources.attach(agent, source.id)
    store.sources.attach(agent, source.id)
    hit = store.passages.search(agent, "diesel generators", page=1, page_size=5).hits[0].item
    assert (hit.uri, hit.metadata["page"], hit.source) == ("a.md", 3, "handbook")
    assert [one.name for one in store.sources.attached(agent)] == ["handbook"]
    assert store.sources.get_source("handbook").passages == 1
    store.sources.detach(agent, source.id)
    assert store.passages.count(agent) == 0


def test_names_are_unique_and_missing_ones_are_told(store: Store, agent: str) -> None:
    with pytest.raises(NameTaken, match="sam"):
        store.agents.create("sam", {})
    with pytest.raises(AgentNotFound, match="Agents: sam"):
        store.agents.get("tom")
    with pytest.raises(SourceError, match="none yet"):
        store.sources.get_source("x")


def test_the_same_thread_is_refused_and_another_waits(store: Store, agent: str) -> None:
    order: list[str] = []
    with store.lock(agent):
        with pytest.raises(AgentBusy, match="nested chat"), store.lock(agent):
            pass

        def other() -> None:
            with store.lock(agent):
                order.append("other")

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_times_are_utc_whatever_zone_they_come_in(store: Store, agent: str) -> None:
    moment = datetime(2024, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=5)))
    store.log.append(agent, [said("x", created_at=moment)])
    assert store.log.tail(agent, 1)[0].created_at == moment


def test_what_another_opening_wrote_is_found(store: Store, agent: str, again: Open) -> None:
    store.log.append(agent, [said("the boat is blue")])
    other = again()
    assert other.agents.get("sam").id == agent
    other.log.append(agent, [said("the boat is red")])
    assert store.log.search(agent, "boat", page=0, page_size=5).total == 2
    assert [message.text for message in store.log.window(agent)] == ["the boat is blue", "the boat is red"]


def test_users_do_not_see_each_other(store: Store, agent: str, again: Open) -> None:
    store.sources.create_source("papers")
    other = again(user_id="bob")
    assert other.agents.list() == [] and other.sources.list_sources() == []
    other.agents.create("sam", {})
    other.sources.create_source("papers")
    with pytest.raises(StoreError):
        other.log.tail(agent, 5)
    assert [row.id for row in store.agents.list()] == [agent]


def test_a_store_that_only_reads_refuses_to_write(store: Store, agent: str, again: Open) -> None:
    store.log.append(agent, [said("hello")])
    reader = again(read_only=True)
    assert [message.text for message in reader.log.tail(agent, 5)] == ["hello"]
    with pytest.raises(StoreError, match="reading only"):
        reader.agents.create("eva", {})


def test_whatever_is_raised_inside_a_transaction_is_raised_and_nothing_is_written(store: Store, agent: str) -> None:
    for error in (KeyboardInterrupt, SystemExit, ValueError):
        with pytest.raises(error), store.transaction():
            store.log.append(agent, [said("lost")])
            raise error
    store.log.append(agent, [said("kept")])
    assert [message.text for message in store.log.tail(agent, 5)] == ["kept"]


def load(store: Store, name: str, texts: dict[str, str], outdated: Sequence[str] = ()) -> Source:
    """Load documents, by name, as the library does."""
    place = store.sources.stage(name)
    for uri, text in texts.items():
        document = store.sources.add_document(place, uri, text)
        store.passages.add(place, [Passage(text, uri)], document)
    return store.sources.publish(name, place, outdated)


def test_documents_come_into_a_source_at_once_and_outdated_ones_go(store: Store, agent: str) -> None:
    source = load(store, "papers", {"a.md": "a red boat", "b.md": "a blue boat"})
    store.sources.attach(agent, source.id)
    assert source.passages == store.passages.search(agent, "boat", page=0, page_size=5).total == 2
    gone = next(one.id for one in store.sources.documents(source.id) if one.uri == "b.md")
    again = load(store, "papers", {"c.md": "a green boat"}, [gone])
    assert again.id == source.id
    found = store.passages.search(agent, "boat", page=0, page_size=5)
    assert {hit.item.text for hit in found.hits} == {"a red boat", "a green boat"}
    assert {one.uri for one in store.sources.documents(source.id)} == {"a.md", "c.md"}
    store.sources.discard_staged("papers")
    assert [one.name for one in store.sources.list_sources()] == ["papers"]


def test_what_is_staged_shows_nowhere_and_can_be_discarded(store: Store, agent: str) -> None:
    place = store.sources.stage("papers")
    store.passages.add(place, [Passage("a red boat")])
    assert store.sources.list_sources() == []
    with pytest.raises(SourceError):
        store.sources.get_source("papers")
    store.sources.discard_staged("papers")
    with pytest.raises(StoreError):
        store.sources.publish("papers", place, [])


def vectors(*rows: Sequence[float]) -> Vectors:
    made = np.array(rows, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_vectors_find_by_meaning_what_no_word_finds(store: Store, agent: str) -> None:
    store.passages.add(store.sources.own_source(agent), [Passage("ship", id="s"), Passage("tea", id="t")])
    store.log.append(agent, [said("yacht"), said("milk")])
    assert {one.id for one in store.passages.without_vectors(agent, 10, "e")} == {"s", "t"}
    missing = store.log.without_vectors(agent, 10, "e")
    store.passages.put_vectors("e", ["s", "t"], vectors((1, 0.1), (0.1, 1)))
    store.log.put_vectors(agent, "e", [one.id for one in missing], vectors((1, 0), (0, 1)))
    boat = vectors((1, 0))
    passages = store.passages.search(agent, "boat", page=0, page_size=1, vector=boat, embedder="e")
    assert [hit.item.text for hit in passages.hits] == ["ship"]
    messages = store.log.search(agent, "boat", page=0, page_size=1, vector=boat, embedder="e")
    assert messages.hits[0].item.text == "yacht"
    assert not store.passages.without_vectors(agent, 10, "e") and not store.log.without_vectors(agent, 10, "e")
    store.log.search(agent, "boat", page=0, page_size=1, vector=boat, embedder="another")
    assert len(store.log.without_vectors(agent, 10, "another")) == 2  # vectors of two embedders never mix


def test_a_source_of_another_embedder_is_an_error_that_names_both(store: Store, agent: str) -> None:
    source = load(store, "papers", {"a.md": "a red boat"})
    (passage,) = store.passages.backlog("e", 10, source.id)
    assert store.passages.waiting("e", source.id) == 1
    store.passages.put_vectors("e", [passage.id], vectors((1, 0)))
    assert store.passages.waiting("e", source.id) == 0 and store.sources.get_source("papers").dim == 2
    store.sources.attach(agent, source.id)
    with pytest.raises(SourceError, match="'papers' were made with e, and this agent searches with f"):
        store.passages.search(agent, "boat", page=0, page_size=5, vector=vectors((1, 0)), embedder="f")


def test_a_turn_is_taken_back_with_all_that_it_wrote(store: Store, agent: str) -> None:
    block = store.agents.add_block(agent, "human", "one", 100)
    for number in range(2):
        with store.transaction(new_id()):
            store.log.append(agent, [replace(events.user_message(f"question {number}"), answered=False)])
        with store.transaction(new_id()):
            store.log.append(agent, [events.reply("", (), f"answer {number}")])
            store.agents.write_block(block.id, f"value {number}", agent_id=agent)
            store.passages.add(store.sources.own_source(agent), [Passage(f"note {number}")])
            store.log.mark_answered(agent)
            store.log.add_step(agent, "yielded", "model", Usage(1, 2))
    assert store.turns(agent) == 2
    undone = store.undo(agent, 1)
    assert (undone.turns, undone.notes, undone.blocks) == (1, 1, ("human",))
    assert [message.text for message in store.log.tail(agent, 10)] == ["question 0", "answer 0"]
    assert store.agents.blocks(agent)[0].value == "value 0" and store.passages.count(agent) == 1
    store.undo(agent, 5)
    with pytest.raises(UndoRefused):
        store.undo(agent, 1)


def test_an_agent_goes_out_and_comes_in_again(store: Store, agent: str) -> None:
    store.agents.add_block(agent, "human", "likes tea", 100)
    messages = [said("one"), said("two")]
    store.log.append(agent, messages)
    store.log.add_summary(agent, Summary("one", messages[0].id, messages[0].id, 1))
    store.passages.add(store.sources.own_source(agent), [Passage("a note", metadata={"page": 1})])
    store.conversations.append(store.conversations.open(agent, "peer", taken=()), ["a", "b"])
    data = json.loads(json.dumps(store.dump(agent)))
    row, missing = store.load("eva", {"name": "eva"}, {**data, "sources": ["gone"]})
    assert missing == ["gone"] and row.id != agent
    assert [message.text for message in store.log.window(row.id)] == ["two"]
    assert store.agents.blocks(row.id)[0].value == "likes tea"
    assert store.passages.search(row.id, "note", page=0, page_size=5).hits[0].item.metadata == {"page": 1}
    with pytest.raises(NameTaken):
        store.load("eva", {}, data)
    assert len(store.agents.list()) == 2


def test_wiping_keeps_the_agent_and_its_first_core_memory(store: Store, agent: str) -> None:
    block = store.agents.add_block(agent, "human", "first", 100)
    store.agents.write_block(block.id, "second", agent_id=agent)
    store.log.append(agent, [said("hello")])
    store.passages.add(store.sources.own_source(agent), [Passage("note")])
    assert list(store.wipe(agent)) == []
    assert store.log.count(agent) == store.passages.count(agent) == 0
    assert store.agents.blocks(agent)[0].value == "first"


def test_forgetting_deletes_what_holds_the_words_and_gives_a_receipt(store: Store, agent: str) -> None:
    store.agents.add_block(agent, "human", "likes tea\nwas in Zanzibar", 100)
    store.log.append(agent, [said("Zanzibar is far"), said("tea is near")])
    store.passages.add(store.sources.own_source(agent), [Passage("note on Zanzibar")])
    before = store.remembered(agent, "zanzibar")
    receipt = store.forget(agent, "zanzibar")
    assert receipt == before and not receipt.left
    assert receipt.removed["messages"] == receipt.removed["archival notes"] == 1
    assert not store.remembered(agent, "zanzibar") and not store.forget(agent, "zanzibar")
    assert [message.text for message in store.log.tail(agent, 5)] == ["tea is near"]
    assert store.agents.blocks(agent)[0].value == "likes tea"


def test_conversations_are_kept_in_order_and_told_apart(store: Store, agent: str) -> None:
    first = store.conversations.open(agent, "peer", taken=())
    store.conversations.append(first, ["a"])
    store.conversations.append(first, ["b", "c"])
    second = store.conversations.open(agent, "peer", taken=[first])
    assert second != first and store.conversations.open(agent, "peer", taken=()) == second
    assert store.conversations.entries(first) == ["a", "b", "c"] and store.conversations.entries(second) == []


def test_a_pause_holds_until_the_last_one_given(store: Store, agent: str) -> None:
    assert store.agents.paused_until(agent) is None
    for hour in (3, 1):
        moment = datetime(2030, 1, 1, hour, tzinfo=timezone.utc)
        store.agents.pause(agent, moment)
    assert store.agents.paused_until(agent) == moment


def test_a_message_is_replaced_in_its_place(store: Store, agent: str) -> None:
    messages = [said("one"), said("two"), said("three")]
    store.log.append(agent, messages)
    store.log.replace(messages[1], said("other words"))
    assert [message.text for message in store.log.window(agent)] == ["one", "other words", "three"]
    assert store.log.search(agent, "two", page=0, page_size=5).total == 0
    with pytest.raises(StoreError, match="gone"):
        store.log.replace(messages[1], said("again"))


def test_calls_that_were_made_are_known(store: Store, agent: str) -> None:
    store.log.append(agent, [events.reply("", (ToolCall("f", {}, id="a"), ToolCall("g", {}, id="b")), "")])
    assert store.log.calls_made(agent, ["a", "b", "c"]) == {"a", "b"}


def test_every_engine_of_the_table_is_tried_and_another_is_refused() -> None:
    tried = {
        ENGINES[make(Path("folder")).partition("://")[0]] for make in STORES.values() if "://" in make(Path("folder"))
    }
    assert {*ENGINES.values()} == tried
    with pytest.raises(ConfigError, match="begins with oracle://. Known: a path, sqlite://"):
        engine_of("oracle://there")


@pytest.mark.parametrize("name", [name for name in STORES if name not in ALONE])
def test_an_engine_lists_checks_and_copies_by_address(name: str, tmp_path: Path) -> None:
    address = STORES[name](tmp_path)
    engine = engine_of(address)
    assert not engine.exists(address)
    store = engine.open(address)
    sam = store.agents.create("sam", {"name": "sam"}).id
    store.log.append(sam, [said("hello")])
    assert engine.exists(address)
    assert [(one.row.name, one.messages) for one in engine.agents(address)] == [("sam", 1)]
    health = engine.check(address)
    assert not health.faults and health.counts["messages"] == 1
    engine.backup(address, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size > 1000
    store.close()
