"""``memgpt forget``."""

from __future__ import annotations

from pathlib import Path

from memgpt_autogen.messages import Message
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.cli.conftest import Program


def test_what_is_found_is_shown_and_deleted_when_it_is_wanted(memgpt: Program, home: Path) -> None:
    store = SQLiteStore(home / "memgpt.db")
    sam = store.agents.create("sam", {"name": "sam"})
    texts = [f"Zanzibar, for the {number}th time." for number in range(12)]
    store.log.append(sam.id, [Message("user", "{}", text, "user_message") for text in [*texts, "Tea."]])
    store.close()
    asked = memgpt("forget", "sam", "--about", "Zanzibar")
    assert asked.code == 2 and "--yes" in asked.err and "... and 2 more" in asked.out
    assert "message: Zanzibar, for the 0th time." in asked.out
    done = memgpt("forget", "sam", "--about", "Zanzibar", "--yes")
    assert done.code == 0 and done.out.endswith("Forgotten: 12 × message.\n")
    assert b"Zanzibar" not in b"".join(path.read_bytes() for path in home.glob("memgpt.db*"))
    again = memgpt("forget", "sam", "--about", "Zanzibar", "--yes")
    assert again.code == 0 and "sam remembers nothing with the words of 'Zanzibar'" in again.err
    wrong = memgpt("forget", "smam", "--about", "tea")
    assert wrong.code == 1 and "Did you mean 'sam'" in wrong.err
    assert memgpt("forget", "sam", "--about", "?!").code == 1
