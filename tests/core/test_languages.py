"""Searching and forgetting by words in any language: one spelling for all, words where none are written."""

from __future__ import annotations

import sqlite3
import unicodedata
from pathlib import Path

import pytest

from memgpt_autogen import events
from memgpt_autogen.forget import find_about, forget
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.search.text import normal, phrases, searchable, terms
from memgpt_autogen.storage.search.words import rank
from memgpt_autogen.storage.sqlite import SQLiteStore
from memgpt_autogen.storage.sqlite.schema import MIGRATIONS

from .conftest import Build, Script, say

#: A note, a query that finds it, and one that must not.
FOUND = [
    ("用户服务器部署在腾讯云国内节点", "腾讯云", "阿里云"),
    ("我每天早上喝一杯绿茶", "茶", "酒"),
    ("会议室在三楼，钥匙在前台。", "钥匙", "电梯"),
    ("今日は成語しりとりをした", "しりとり", "かるた"),
    ("田中さんはｶﾒﾗを買った", "カメラ", "テレビ"),
    ("우리는 회의실에서 만났다", "회의실", "도서관"),
    ("열쇠는 서랍 안에 있습니다", "서랍", "냉장고"),
    ("เก็บกุญแจอยู่ใต้พรม", "กุญแจ", "รถยนต์"),
    ("ประชุมวันพรุ่งนี้เลื่อนไปบ่ายสามโมง", "ประชุม", "อาหาร"),
    ("ຂ້ອຍມັກກິນເຂົ້າໜຽວ", "ເຂົ້າໜຽວ", "ລົດ"),
    ("मेरी चाबी मेज़ पर है", "चाबी", "गाड़ी"),
    ("المفتاح تحت السجّادة", "السجادة", "النافذة"),
    ("המַפְתֵּחַ על השולחן", "המפתח", "החלון"),
    ("Ключ лежит у ЁЛКИ", "елки", "стол"),
    ("Το κλειδί είναι στο ΣΥΡΤΆΡΙ ΤΟΥΣ", "συρτάρι τους", "πόρτα"),
    ("Die STRASSE heißt Königsallee", "straße", "Gasse"),
    ("Mein Fuß tut weh", "FUSS", "Hand"),
    ("Çay içmeyi İSTANBUL'da sevdim", "istanbul", "ankara"),
    ("The code is ＡＢＣ１２３", "abc123", "xyz789"),
    ("The office has a ﬁne view", "fine", "coarse"),
    ("The wal\u00adrus is \u200bblue", "walrus", "whale"),
]


@pytest.mark.parametrize(("note", "query", "other"), FOUND, ids=[query for _, query, _ in FOUND])
def test_a_word_that_stands_in_a_note_is_found(
    build: Build, script: Script, store: Store, note: str, query: str, other: str
) -> None:
    agent = build(script("ok"))
    agent.archival.insert(note)
    say(agent, note)
    for asked in (query, unicodedata.normalize("NFD", query), unicodedata.normalize("NFC", query), query.upper()):
        assert note in agent.archival.search(asked, 1) and note in agent.recall.search(asked, 1)
        assert {one.kind for one in find_about(store, agent.name, asked)} >= {"message", "archival note"}
    assert note not in agent.archival.search(other, 1) and note not in agent.recall.search(other, 1)
    assert not find_about(store, agent.name, other)


@pytest.mark.parametrize(
    ("texts", "query"),
    [
        (["我住在北京", "大学在上海", "我在北京大学读书"], "北京大学"),
        (["東京の天気", "京都の大学", "東京都の人口"], "東京都"),
        (["서울 시청", "시청률 조사", "서울시청 앞"], "서울시청"),
    ],
)
def test_a_longer_word_ranks_above_its_parts(texts: list[str], query: str) -> None:
    scores = rank(texts, query)
    assert scores.index(max(scores)) == 2


def test_forgetting_takes_a_whole_word_and_not_its_parts(build: Build, script: Script, store: Store) -> None:
    agent = build(script("好"))
    for note in ("北京大学的地址", "北京和京大学生", "上海的大学"):
        agent.archival.insert(note)
    assert [one.excerpt for one in forget(store, agent.name, "北京大学")] == ["北京大学的地址"]
    assert "北京和京大学生" in agent.archival.search("北京", 1)


def test_text_in_one_spelling() -> None:
    assert normal("Ｃａｆé STRASSE ß Ёж") == "cafe strasse ss еж"
    assert normal("ガ") == normal("ｶﾞ") == normal("カ\u3099") == "ガ" != normal("カ")
    assert normal("각") == normal(unicodedata.normalize("NFD", "각")) == "각"
    assert phrases("用Python写的 foo") == ["用", "python", "写的", "foo"]
    assert terms("你好世界") == ["你好", "好世", "世界"]
    assert searchable("Plain English, AS IT IS.") == "Plain English, AS IT IS."
    assert terms("ที่นี่") == ["ที่นี่"], "a vowel or a tone never stands alone"


def test_an_older_file_is_indexed_anew(tmp_path: Path) -> None:
    path = tmp_path / "memgpt.db"
    with sqlite3.connect(path) as old:
        for script in MIGRATIONS[:8]:
            old.executescript(script)
        old.execute("PRAGMA user_version = 8")
        at = "2024-01-01T00:00:00+00:00"
        old.execute(
            f"INSERT INTO agents (id, user_id, name, config, created_at) VALUES ('a', 'local', 'sam', '{{}}', '{at}')"
        )
        old.execute(
            f"INSERT INTO sources (id, user_id, name, agent_id, created_at) VALUES ('s', 'local', 'n', 'a', '{at}')"
        )
        old.execute(
            f"INSERT INTO attachments (agent_id, source_id, user_id, created_at) VALUES ('a', 's', 'local', '{at}')"
        )
        for number, (note, _, _) in enumerate(FOUND):
            old.execute(
                "INSERT INTO passages (id, user_id, source_id, text, uri, metadata, created_at) "
                f"VALUES (?, 'local', 's', ?, '', '{{}}', '{at}')",
                (str(number), note),
            )
    store = SQLiteStore(path)
    for note, query, _ in FOUND:
        hits = store.passages.search("a", query, page=1, page_size=5).hits
        assert note in [hit.item.text for hit in hits]


def test_index_and_log_agree_after_changes(tmp_path: Path) -> None:
    """What is deleted or reworded leaves no term behind: FTS5 compares its index with the texts."""
    store = SQLiteStore(tmp_path / "memgpt.db")
    agent = store.agents.create("sam", {"name": "sam"}).id
    said = [events.user_message(note) for note, _, _ in FOUND]
    store.log.append(agent, said)
    store.log.replace(said[0], events.user_message("换了别的话"))
    store._database.execute("DELETE FROM messages WHERE seq % 3 = 0")
    store._database.execute("INSERT INTO messages_fts (messages_fts, rank) VALUES ('integrity-check', 1)")
    assert not store.log.search(agent, "腾讯云", page=1, page_size=5).hits
    store.close()
