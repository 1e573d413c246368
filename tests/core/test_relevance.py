"""What is a hit, how relevant it is, and what of a question is searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from memgpt_autogen import events
from memgpt_autogen.config import EmbeddingConfig
from memgpt_autogen.embeddings.base import Embedder
from memgpt_autogen.embeddings.choose import build_embedder
from memgpt_autogen.memory.archival import ArchivalMemory
from memgpt_autogen.memory.recall import RecallMemory
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.search.questions import question_in

TALK = [
    ("mon", "I have a cat. She is called Pixel."),
    ("mon", "What a lovely name!"),
    ("tue", "I went to the dentist for a new crown."),
    ("tue", "That must have hurt a lot."),
    ("wed", "My sister Ida moved to Porto last spring."),
    ("wed", "Good for her, how is she doing there?"),
    ("thu", "I am learning to bake bread with rye flour."),
    ("thu", "How are you? I hope that you are well today."),
    ("fri", "Thanks, see you tomorrow, have a good night!"),
]
LICENCE = "This program is distributed in the hope that it will be useful, part {} of the licence text."
PASTE = ["Wheat paste is made of flour and water.", "Wheat grows in the north.", "Paste the licence into each file."]


@pytest.fixture(params=["by words", "bundled"])
def embedder(request: pytest.FixtureRequest) -> Embedder | None:
    return build_embedder(EmbeddingConfig("bundled")) if request.param == "bundled" else None


@pytest.fixture
def recall(store: Store, embedder: Embedder | None) -> RecallMemory:
    agent = store.agents.create("sam", {}).id
    messages = [replace(events.user_message(text, name="Ann"), session_id=day) for day, text in TALK]
    store.log.append(agent, messages)
    store.log.mark_answered(agent)
    return RecallMemory(store, agent, 5, embedder)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("What is my cat called?", "Pixel"),
        ("Which city did Ida move to?", "Porto"),
        ("What did the dentist do?", "crown"),
        ("What kind of flour do I bake with?", "rye"),
    ],
)
def test_a_question_about_what_was_said_finds_a_relevant_message(recall: RecallMemory, query: str, answer: str) -> None:
    best = recall.find(query, 1).hits[0]
    assert answer in best.item.text and best.relevant


@pytest.mark.parametrize(
    "query",
    [
        *("how are you?", "Hi!", "Thanks a lot, good night!", "ok, see you tomorrow", "What do you think?"),
        *("Who painted the ceiling of the Sistine chapel?", "Explain photosynthesis in simple terms."),
    ],
)
def test_small_talk_and_other_matters_find_nothing_relevant(recall: RecallMemory, query: str) -> None:
    assert not any(hit.relevant for hit in recall.find(query, 1).hits)


def test_relevance_is_a_share(recall: RecallMemory) -> None:
    for query in ("cat", "cat dentist", "What did Ann learn?", "zebra", ""):
        assert all(0 <= hit.relevance <= 1 + 1e-6 for hit in recall.find(query, 1).hits)


def test_what_is_far_less_relevant_than_the_best_is_no_hit(store: Store, embedder: Embedder | None) -> None:
    agent = store.agents.create("sam", {}).id
    texts = [*(LICENCE.format(number) for number in range(60)), *PASTE]
    store.passages.add(store.sources.own_source(agent), [Passage(text) for text in texts])
    found = ArchivalMemory(store, agent, embedder).find("wheat paste")
    assert found.hits[0].item.text == PASTE[0] and found.total <= 3
    assert ArchivalMemory(store, agent, embedder).find("licence").total >= 61  # each holds all of the query


def test_the_words_around_a_hit_are_its_context(recall: RecallMemory) -> None:
    texts = [hit.item.text for hit in recall.find("dentist crown", 1).hits]
    assert texts[:2] == ["I went to the dentist for a new crown.", "That must have hurt a lot."]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("According to my documents, what is wheat paste?", "what is wheat paste?"),
        ("Based on the files I gave you, how old is it?", "how old is it?"),
        ("according to the attached notes what is the price", "what is the price"),
        ("What is wheat paste, according to my documents?", "What is wheat paste?"),
        ("Can you tell me about the bridge?", "the bridge?"),
        ("Please tell me what my cat eats.", "what my cat eats."),
        ("Do you remember my birthday?", "my birthday?"),
        ("Search my documents for wheat paste", "wheat paste"),
        ("What do the documents say about glue?", "glue?"),
        ("In 1999, who won the cup?", "In 1999, who won the cup?"),
        ("From Paris, how far is Lyon?", "From Paris, how far is Lyon?"),
        ("Whose notes are on the table?", "Whose notes are on the table?"),
        ("Tell me.", "Tell me."),
        ("", ""),
    ],
)
def test_what_stands_around_a_question_is_not_searched_for(text: str, question: str) -> None:
    assert question_in(text) == question


@pytest.mark.parametrize(
    "opening", ["According to my documents, ", "Based on the files I loaded: ", "Please tell me, "]
)
def test_an_opening_changes_nothing(store: Store, embedder: Embedder | None, opening: str) -> None:
    agent = store.agents.create("sam", {}).id
    others = [f"My documents, file {number}: please tell everyone." for number in range(20)]
    store.passages.add(store.sources.own_source(agent), [Passage(text) for text in (*others, *PASTE)])
    archival = ArchivalMemory(store, agent, embedder)
    question = "what is wheat paste made of?"
    assert archival.find(opening + question).hits == archival.find(question).hits


class Families:
    """Words of one family have one vector; whatever else is far from everything."""

    name, dim, of_words = "families", 4, True
    families = ("camp tent", "cat pet kitten", "bread bake")

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.embedded += texts
        found = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            known = [number for number, family in enumerate(self.families) if text in family.split()]
            found[row, known[0] if known else 3] = 1
        return found


def talk(store: Store, texts: Sequence[str]) -> str:
    agent = store.agents.create(f"sam {len(texts)}", {}).id
    days = enumerate(texts)
    store.log.append(agent, [replace(events.user_message(text), session_id=str(day)) for day, text in days])
    store.log.mark_answered(agent)
    return agent


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("Did they camp anywhere?", "We slept in the tent by the lake."),
        ("What pet lives there?", "The kitten chases its own tail."),
        ("What did they bake?", "Fresh bread was on the table."),
    ],
)
def test_words_of_like_meaning_are_found(store: Store, query: str, answer: str) -> None:
    others = [f"Meeting number {number} went on and on." for number in range(6)]
    agent = talk(store, [*others[:3], answer, *others[3:]])
    assert RecallMemory(store, agent, 5, Families()).find(query, 1).hits[0].item.text == answer


def test_the_word_itself_comes_before_one_of_like_meaning(store: Store) -> None:
    agent = talk(
        store, ["A tent stood in the rain there.", "They camp in the rain there.", "Rain again, all day long."]
    )
    found = RecallMemory(store, agent, 5, Families()).find("camp, and rain?", 1)
    assert [hit.item.text[:6] for hit in found.hits[:2]] == ["They c", "A tent"]


def test_terms_are_embedded_once(store: Store) -> None:
    agent, embedder = talk(store, ["They slept in a tent.", "Then it rained."]), Families()
    recall = RecallMemory(store, agent, 5, embedder)
    recall.find("camp outside", 1)
    embedder.embedded.clear()
    recall.find("camp", 1)
    assert embedder.embedded == ["camp"]  # the query; its one word is known
    recall.find("lake", 1)
    assert embedder.embedded == ["camp", "lake", "lake"]
