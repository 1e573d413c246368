"""Which messages of AutoGen's list are new."""

from __future__ import annotations

import pytest

from memgpt_autogen.groupchat import conversations as module
from memgpt_autogen.groupchat.conversations import START, PeerConversations, digest, first_new
from memgpt_autogen.storage.sqlite import SQLiteStore

pytestmark = pytest.mark.groupchat


@pytest.mark.parametrize(
    ("seen", "listed", "known"),
    [
        ("", "a", 0),  # the first message ever
        ("ab", "abcd", 2),  # the list goes on
        ("abc", "bcd", 2),  # a hook left the oldest out
        ("aa", "aaa", 2),  # the same words again are a new message
        ("aba", "abac", 3),
        ("ab|", "ab", 0),  # cleared: the same list is all new
        ("ab|c", "cd", 1),
        ("abcd", "abx", 2),  # resumed from an earlier point, another way
        ("ab|cd", "abx", 2),  # an older chat resumed
        ("abc", "ac", 2),  # a hook left the middle out
        ("abc", "xyz", 0),  # nothing in common
        ("abc", "cx", 1),
    ],
)
def test_first_new(seen: str, listed: str, known: int) -> None:
    entries = [START if letter == "|" else letter for letter in seen]
    assert first_new(entries, list(listed)) == known


class Peer:
    def __init__(self, name: str) -> None:
        self.name = name


def message(text: str) -> dict[str, str]:
    return {"name": "ann", "role": "user", "content": text}


def taken(conversations: PeerConversations, peer: Peer, texts: str, *, owed: bool = False) -> str:
    messages = [message(letter) for letter in texts]
    known, entries = conversations.unread(peer, messages, reply_owed=owed)
    conversations.mark_read(peer, entries)
    return texts[known:]


@pytest.fixture
def store() -> SQLiteStore:
    return SQLiteStore(None)


@pytest.fixture
def agent(store: SQLiteStore) -> str:
    return store.agents.create("sam", {}).id


def test_a_chat_that_grows(store: SQLiteStore, agent: str) -> None:
    conversations, peer = PeerConversations(store, agent), Peer("ann")
    assert [taken(conversations, peer, texts) for texts in ("a", "ab", "abb", "abbcd")] == ["a", "b", "b", "cd"]


def test_the_same_words_again_after_an_answer_are_new_but_a_retry_is_not(store: SQLiteStore, agent: str) -> None:
    conversations, peer = PeerConversations(store, agent), Peer("ann")
    assert taken(conversations, peer, "a") == "a"
    assert taken(conversations, peer, "a", owed=True) == ""
    assert taken(conversations, peer, "a") == "a"


def test_a_cleared_chat_begins_anew(store: SQLiteStore, agent: str) -> None:
    conversations, peer = PeerConversations(store, agent), Peer("ann")
    taken(conversations, peer, "abc")
    conversations.cleared(peer)
    assert taken(conversations, peer, "cab") == "cab"
    assert taken(conversations, peer, "cabx") == "x"


def test_two_peers_of_one_name_do_not_mix(store: SQLiteStore, agent: str) -> None:
    conversations, first, second = PeerConversations(store, agent), Peer("chat_manager"), Peer("chat_manager")
    assert taken(conversations, first, "a") == "a"
    assert taken(conversations, second, "a") == "a"
    assert taken(conversations, first, "ab") == "b"
    assert taken(conversations, second, "ac") == "c"


def test_another_process_recognises_a_resumed_chat(store: SQLiteStore, agent: str) -> None:
    taken(PeerConversations(store, agent), Peer("chat_manager"), "abc")
    assert taken(PeerConversations(store, agent), Peer("chat_manager"), "abcd") == "d"


def test_a_digest_is_of_who_and_what_not_of_the_role() -> None:
    assert digest({"name": "a", "content": "x", "role": "user"}) == digest(
        {"name": "a", "content": "x", "role": "assistant"}
    )
    assert digest({"name": "a", "content": "x"}) != digest({"name": "b", "content": "x"})
    assert digest({"name": "a", "content": [{"type": "text", "text": "x"}]}) != digest({"name": "a", "content": "x"})


def read(conversations: PeerConversations, peer: Peer, listed: list[dict[str, str]]) -> int | None:
    """Where a list goes on, as the fast way tells; all of it is then marked read."""
    start = conversations.continued(peer, listed)
    known, entries = conversations.unread(peer, listed, reply_owed=True)
    assert start in (None, known)
    conversations.mark_read(peer, entries, listed)
    return start


def test_a_list_that_grows_is_recognised_by_a_few_messages(
    store: SQLiteStore, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversations, peer = PeerConversations(store, agent), Peer("ann")
    listed = [message(str(number)) for number in range(500)]
    assert read(conversations, peer, listed) is None
    hashed: list[object] = []
    monkeypatch.setattr(module, "digest", lambda one: hashed.append(one) or digest(one))
    assert conversations.continued(peer, [*listed, message("new")]) == 500
    assert len(hashed) < 10


@pytest.mark.parametrize("change", ["shorter", "another end", "another start", "cleared", "read elsewhere", "undone"])
def test_a_list_that_does_not_go_on_is_compared_as_a_whole(store: SQLiteStore, agent: str, change: str) -> None:
    conversations, peer = PeerConversations(store, agent), Peer("ann")
    listed = [message(letter) for letter in "abcdef"]
    with store.transaction("step"):
        read(conversations, peer, listed)
    assert conversations.continued(peer, listed) == 6
    if change == "shorter":
        listed = listed[1:]
    elif change == "another end":
        listed = [*listed[:-1], message("x"), message("y")]
    elif change == "another start":
        listed = [message("x"), *listed[1:]]
    elif change == "cleared":
        conversations.cleared(peer)
    elif change == "read elsewhere":
        other = PeerConversations(store, agent)
        read(other, Peer("ann"), [*listed, message("g")])
    else:
        store._database.execute("DELETE FROM conversation_entries WHERE step_id = 'step'")
    assert conversations.continued(peer, listed) is None


def test_a_reading_that_is_rolled_back_is_done_again(store: SQLiteStore, agent: str) -> None:
    conversations, peer = PeerConversations(store, agent), Peer("ann")
    conversations.conversation_id(peer)
    with pytest.raises(ZeroDivisionError), store.transaction():
        read(conversations, peer, [message("a"), message("b")])
        raise ZeroDivisionError
    assert conversations.continued(peer, [message("a"), message("b")]) is None
    assert taken(conversations, peer, "ab") == "ab"
