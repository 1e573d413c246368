"""``memgpt export`` and ``memgpt import``."""

from __future__ import annotations

import json
from pathlib import Path

from memgpt_autogen.messages import Message
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.cli.conftest import Program


def test_an_agent_goes_out_and_comes_in_under_another_name(memgpt: Program, home: Path, tmp_path: Path) -> None:
    store = SQLiteStore(home / "memgpt.db")
    sam = store.agents.create("sam", {"name": "sam"})
    store.log.append(sam.id, [Message("user", "{}", "I like tea.", "user_message")])
    file = tmp_path / "sam.json"
    assert memgpt("export", "sam", str(file)).out == f"Written: {file}\n"
    assert json.loads(file.read_text(encoding="utf-8"))["messages"][0]["text"] == "I like tea."
    again = memgpt("export", "sam", str(file))
    assert again.code == 2 and "--yes" in again.err
    assert memgpt("export", "sam", str(file), "--yes").code == 0
    taken = memgpt("import", str(file))
    assert taken.code == 1
    assert "There is an agent named 'sam' already. Give the other a name with --name." in taken.err
    assert memgpt("import", str(file), "--name", "eva").out.startswith("Imported: eva, with 1 messages")
    assert "eva" in memgpt("list", "agents").out
    wrong = memgpt("export", "smam", str(tmp_path / "x.json"))
    assert wrong.code == 1 and "Did you mean 'sam'" in wrong.err


def test_the_first_thing_in_a_new_home_may_be_an_import(memgpt: Program, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(json.dumps([{"role": "user", "content": "Hi"}]), encoding="utf-8")
    assert memgpt("import", str(file)).out.startswith("Imported: old, with 1 messages")
    assert (home / "memgpt.db").is_file()
