"""Agents and documents by way of the Python client, and which model they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen import events
from memgpt_autogen.client import MemGPT
from memgpt_autogen.config import AgentConfig, LLMConfig, Settings, from_dict
from memgpt_autogen.errors import AgentNotFound, ConfigError, MemGPTError, NameTaken, SourceError
from memgpt_autogen.llm.choose import ModelRequest, choose_model
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.prompts import packaged
from memgpt_autogen.sources.base import Document
from memgpt_autogen.sources.directory import DirectoryLoader
from memgpt_autogen.storage.sqlite import SQLiteStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def client(home: Path) -> MemGPT:
    return MemGPT(Settings(home=home, environ={}), embedder=None)


def core(client: MemGPT, name: str) -> dict[str, str]:
    agent_id = client.store.agents.get(name).id
    return {block.label: block.value for block in client.store.agents.blocks(agent_id)}


# -- agents ---------------------------------------------------------------------------------------------------------


def test_an_agent_is_made_spoken_to_listed_opened_again_and_deleted(client: MemGPT, home: Path) -> None:
    agent = client.create_agent({"name": "sam"}, model=ScriptedModel(["Hello.", "Again."]))
    assert client.ask(agent, "hi", name="Ann") == "Hello."
    assert client.ask(agent, "hi") == "Again."
    client.create_agent({"name": "eva"}, model=ScriptedModel())
    client.close()
    again = MemGPT(Settings(home=home, environ={}), embedder=None)
    assert again.list_agents() == ["sam", "eva"]
    model = ScriptedModel(["I remember."])
    assert again.ask(again.load_agent("sam", model=model), "me?") == "I remember."
    assert len(model.calls[0].messages) == 8
    again.delete_agent("sam")
    assert again.list_agents() == ["eva"]
    for fails in (again.load_agent, again.delete_agent):
        with pytest.raises(AgentNotFound, match="no agent named 'sam'. Agents: eva"):
            fails("sam")


def test_a_taken_name_opens_the_agent_there_is_with_all_it_remembers(client: MemGPT) -> None:
    first = client.create_agent({"name": "sam", "persona": "I am the first."}, model=ScriptedModel(["Hello."]))
    client.user_message(first, "hi")
    model = ScriptedModel(["Still me."])
    second = client.create_agent({"name": "sam", "persona": "I am another."}, model=model)
    assert second.id == first.id and client.ask(second, "who?") == "Still me."
    assert core(client, "sam")["persona"] == "I am the first."
    with pytest.raises(NameTaken, match="an agent named 'sam' already"):
        client.create_agent({"name": "sam"}, model=model, throw_if_exists=True)


def test_an_agent_that_another_process_has_just_created_is_opened(
    client: MemGPT, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.create_agent({"name": "sam"}, model=ScriptedModel([]))
    monkeypatch.setattr(client.store.agents, "list", lambda: [])  # as read before the other process wrote
    assert client.create_agent({"name": "sam"}, model=ScriptedModel([])).id == first.id
    with pytest.raises(NameTaken):
        client.create_agent({"name": "sam"}, model=ScriptedModel([]), throw_if_exists=True)


def test_persona_and_human_come_by_name_by_file_and_by_text(client: MemGPT, home: Path) -> None:
    for kind in ("personas", "humans"):
        (home / kind).mkdir(parents=True, exist_ok=True)
        (home / kind / "mine.txt").write_text(f"My own {kind}: naïve.\n", encoding="utf-8")
    wanted = {
        "packaged": ("coder", "cs_phd", packaged("personas/coder.txt"), packaged("humans/cs_phd.txt")),
        "file": ("mine", "mine", "My own personas: naïve.", "My own humans: naïve."),
        "text": ("I am a pirate, arr.", "Likes tea.", "I am a pirate, arr.", "Likes tea."),
        "word": ("Pirate", "Ann", "Pirate", "Ann"),
    }
    for name, (persona, human, *_) in wanted.items():
        client.create_agent({"name": name, "persona": persona, "human": human}, model=ScriptedModel())
    for name, (*_, persona, human) in wanted.items():
        assert core(client, name) == {"persona": persona, "human": human}


def test_further_blocks_are_core_memory_too(client: MemGPT) -> None:
    client.create_agent({"name": "sam", "blocks": {"project": "p" * 5000}}, model=ScriptedModel())
    assert core(client, "sam")["project"] == "p" * 5000


def test_a_block_is_shared_by_name_and_only_where_it_can_be(client: MemGPT) -> None:
    ann = client.create_agent({"name": "ann", "blocks": {"plan": "Noon."}}, model=ScriptedModel())
    bob = client.create_agent("bob", model=ScriptedModel())
    client.create_agent({"name": "cid", "blocks": {"plan": "Evening."}}, model=ScriptedModel())
    for _ in range(2):
        client.share_block("plan", "ann", "bob")
    bob.core.append("plan", "At the gate.")
    assert "Noon.\nAt the gate." in ann.core.render() and bob.core.labels().count("plan") == 1
    with pytest.raises(NameTaken, match="cid has a block 'plan' of its own"):
        client.share_block("plan", "ann", "cid")
    with pytest.raises(ConfigError, match="ann has no block 'plans'. Its blocks: persona, human, plan"):
        client.share_block("plans", "ann", "bob")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"name": "sam", "preset": "memgpt_grand"}, "Presets: memgpt_chat, memgpt_docs"),
        (
            {"name": "sam", "persona": "sam_pow"},
            "no text 'sam_pow' among the personas. Did you mean 'sam_pov'? Known: coder, ",
        ),
        (
            {"name": "sam", "human": "cs-phd"},
            "no text 'cs-phd' among the humans. Did you mean 'cs_phd'? Known: basic, cs_phd",
        ),
        ({"name": "sam", "tone": "x"}, "Unknown setting tone in AgentConfig. Known: blocks, "),
        ({"name": "sam", "model": {"modell": 1, "key": 2}}, "Unknown settings key, modell in LLMConfig. Known: api"),
        ({"name": "sam", "model": {"model_endpoint_type": "vlm"}}, "model endpoint type 'vlm'. Known: openai, "),
        ({"name": " "}, "An agent needs a name"),
        ({"persona": "Pirate"}, "name"),
        ({"name": "sam", "max_steps": 0}, "max_steps must be at least 1"),
        ({"name": "sam", "max_steps": "many"}, "max_steps in AgentConfig must be int, not 'many'"),
        ({"name": "sam", "model": {"context_window": "8k"}}, "context_window in LLMConfig must be int or None, not '8"),
        ({"name": "sam", "model": 4}, "model in AgentConfig must be LLMConfig or None, not 4"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_setting_that_cannot_be_is_refused_with_those_that_can(
    client: MemGPT, config: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        client.create_agent(config, model=ScriptedModel())
    assert told in str(caught.value)
    assert client.list_agents() == []


def test_an_agent_whose_model_cannot_be_had_is_not_made(client: MemGPT) -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        client.create_agent(AgentConfig("sam", model=LLMConfig(model="gpt-4o")))
    assert client.list_agents() == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"model": {\n  "model": \n}}', "line 3"),
        (b"[1]", "one JSON object"),
        (b"", "line 1"),
        (b'{"model": "\xfc"}', "UTF-8"),
    ],
)
def test_a_broken_config_file_is_named_with_its_line(home: Path, data: bytes, told: str) -> None:
    home.mkdir()
    (home / "config.json").write_bytes(data)
    with pytest.raises(ConfigError, match=told) as caught:
        MemGPT(Settings.load({}, home))
    assert str(home / "config.json") in str(caught.value)


def test_files_may_begin_with_a_byte_order_mark(home: Path) -> None:
    """As editors on Windows write them."""
    (home / "personas").mkdir(parents=True)
    (home / "personas" / "mine.txt").write_text("\ufeffI am me.", encoding="utf-8")
    (home / "config.json").write_text('\ufeff{"model": {"model": "gpt-4o"}}', encoding="utf-8")
    client = MemGPT(Settings.load({}, home), embedder=None)
    assert client.settings.defaults == {"model": {"model": "gpt-4o"}}
    client.create_agent({"name": "sam", "persona": "mine"}, model=ScriptedModel())
    assert core(client, "sam")["persona"] == "I am me."


def test_a_key_is_written_nowhere(home: Path) -> None:
    secret = "sk-never-on-disk-4711"
    settings = Settings(home=home, environ={"OPENAI_API_KEY": secret})
    client = MemGPT(settings, embedder=None)
    config = AgentConfig("sam", model=LLMConfig(model="gpt-4o", api_key=secret))
    agent = client.create_agent(config)
    agent.run([events.user_message("hi")], model=ScriptedModel(["hello"]))
    client.create_agent({"name": "eva", "model": {"model": "gpt-4o", "api_key": secret}})
    assert secret not in repr(config) + repr(settings)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) >= 2
    client.store._database.all("PRAGMA wal_checkpoint")  # type: ignore[attr-defined]
    assert not any(secret.encode() in path.read_bytes() for path in files)
    assert client.load_agent("sam").model.name == "gpt-4o"  # the key is read from the environment again


# -- documents ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "documents"
    place.mkdir()
    return place


def test_a_folder_is_loaded_attached_and_searched(client: MemGPT, folder: Path) -> None:
    (folder / "power.md").write_text("# Power\n\nThe generator runs on diesel.\n\n# Water\n\nThe well is deep.\n")
    (folder / "latin.txt").write_bytes("Das Café öffnet um neun.".encode("latin-1"))
    (folder / "empty.txt").write_text(" \n")
    (folder / "image.png").write_bytes(b"\x89PNG")
    source = client.load_source("handbook", DirectoryLoader(folder))
    assert (source.name, source.passages) == ("handbook", 2)
    assert [one.name for one in client.list_sources()] == ["handbook"]
    model = ScriptedModel(["I see a handbook."])
    agent = client.create_agent({"name": "sam"}, model=model)
    agent.attach("handbook")
    assert "[power.md] " in agent.archival.search("diesel", 1) and "Café öffnet" in agent.archival.search("café", 1)
    client.user_message(agent, "hi")
    told = model.calls[0].messages[1].content
    assert "]: handbook (2 passages) is attached." in told
    client.delete_source("handbook")
    assert client.list_sources() == [] and "nothing on this" in agent.archival.search("diesel", 1)


def test_a_source_is_loaded_whole_or_not_at_all(client: MemGPT) -> None:
    class Failing:
        def load(self) -> Iterator[Document]:
            for number in range(1500):
                yield Document(f"Page {number} speaks of many things.", f"{number}.txt")
            raise SourceError("page 1500 is torn")

    class Whole:
        def load(self) -> Iterator[Document]:
            yield Document("Two words.", "a.txt")

    with pytest.raises(SourceError, match="torn"):
        client.load_source("book", Failing())
    assert client.list_sources() == []
    assert client.load_source("book", Whole()).passages == 1
    with pytest.raises(SourceError, match="torn"):
        client.load_source("book", Failing())
    assert [(one.name, one.passages) for one in client.list_sources()] == [("book", 1)]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "empty.md is empty"),
        ("data.xyz", "not a kind of file"),
        ("gone", "no file or folder"),
    ],
)
def test_what_cannot_be_loaded_says_why(client: MemGPT, folder: Path, path: str, told: str) -> None:
    (folder / "data.xyz").write_text("x")
    (folder / "empty.md").write_text("")
    with pytest.raises(SourceError, match=told):
        client.load_source("s", DirectoryLoader(folder / path))
    assert client.list_sources() == []


def test_attaching_what_is_not_there_names_what_is(client: MemGPT) -> None:
    agent = client.create_agent({"name": "sam"}, model=ScriptedModel())
    with pytest.raises(SourceError, match="no source named 'x'. Sources: none yet"):
        agent.attach("x")
    with pytest.raises(SourceError, match="Sources: none yet"):
        client.delete_source("x")


# -- which model ----------------------------------------------------------------------------------------------------

FILE = {"model": {"model": "filed", "model_endpoint": "http://file:1"}}
KEY = {"OPENAI_API_KEY": "sk-x"}
LOCAL = {"BACKEND_TYPE": "llamacpp", "OPENAI_API_BASE": "http://local:8080/v1"}
EXPLICIT, SAVED, ENTRY = (LLMConfig(model=name) for name in ("explicit", "saved", "entry"))


@pytest.mark.parametrize(
    ("environ", "filed", "candidates", "chosen"),
    [
        (LOCAL | KEY, FILE, (EXPLICIT, SAVED, ENTRY), ("openai", "explicit", "https://api.openai.com")),
        (LOCAL | KEY, FILE, (None, SAVED, ENTRY), ("openai", "saved", "https://api.openai.com")),
        (LOCAL | KEY, FILE, (None, None, ENTRY), ("openai", "entry", "https://api.openai.com")),
        (LOCAL | KEY, FILE, (None, None, None), ("llamacpp", "", "http://local:8080")),
        (KEY, FILE, (None,), ("openai", "gpt-4o-mini", "https://api.openai.com")),
        ({}, FILE, (None,), ("openai", "filed", "http://file:1")),
        ({}, {}, (None,), ("embedded", "", "")),
    ],
)
def test_the_first_that_names_a_model_wins(
    environ: Mapping[str, str],
    filed: Mapping[str, Any],
    candidates: tuple[LLMConfig | None, ...],
    chosen: tuple[str, ...],
) -> None:
    config = choose_model(Settings(Path("home"), filed, environ), ModelRequest(*candidates))
    assert (config.model_endpoint_type, config.model, config.address) == chosen


@pytest.mark.parametrize("address", ["http://box:5000", "box:5000"])
@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_an_address_works_with_and_without_v1(address: str, ending: str) -> None:
    address += ending
    assert LLMConfig(model_endpoint=address).address == "http://box:5000"
    environ = {"BACKEND_TYPE": "llamacpp", "OPENAI_API_BASE": address}
    assert choose_model(Settings(Path("home"), {}, environ)).address == "http://box:5000"


def test_a_hint_goes_with_whatever_is_chosen() -> None:
    hint = LLMConfig(model="gpt-4o", model_wrapper="chatml", context_window=4096)
    for environ, model in ((KEY, "gpt-4o"), (LOCAL, "")):
        config = choose_model(Settings(Path("home"), {}, environ), ModelRequest(hint=hint))
        assert (config.model, config.model_wrapper, config.context_window) == (model, "chatml", 4096)


def test_an_unknown_backend_is_refused_and_never_reaches_a_hosted_model() -> None:
    with pytest.raises(ConfigError, match="BACKEND_TYPE=lamacpp is not a known server. Known: openai"):
        choose_model(Settings(Path("home"), {}, {"BACKEND_TYPE": "lamacpp", **KEY}))
    with pytest.raises(MemGPTError, match="must be an object"):
        choose_model(Settings(Path("home"), {"model": "gpt-4o"}, {}))
    assert from_dict(LLMConfig, {"timeout": 5, "model": "x"}).timeout == 5


def test_a_window_too_small_is_refused_when_the_agent_is_made(tmp_path: Path) -> None:
    memgpt = MemGPT(Settings(home=tmp_path), store=SQLiteStore(None), embedder=None)
    with pytest.raises(ConfigError, match="window of 1024 tokens is too small"):
        memgpt.create_agent({"name": "sam"}, model=ScriptedModel(context_window=1024))
    assert memgpt.list_agents() == []


def test_a_preset_that_nobody_asked_for_follows_the_model(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"")
    small = MemGPT(Settings(home=tmp_path, environ={}), store=SQLiteStore(None), embedder=None)
    small.create_agent("sam", model=ScriptedModel())
    large = MemGPT(Settings(home=tmp_path, environ={"OPENAI_API_KEY": "k"}), store=small.store, embedder=None)
    own = MemGPT(
        Settings(home=tmp_path, environ={"MEMGPT_EMBEDDED_MODEL": str(tmp_path / "model.gguf")}), store=small.store
    )
    assert [home.load_agent("sam").preset.name for home in (large, own)] == ["memgpt_chat", "memgpt_chat"]
    large.create_agent({"name": "eva", "preset": "memgpt_docs"})
    assert own.load_agent("eva").preset.name == "memgpt_docs"


def test_documents_are_replaced_where_they_stand(tmp_path: Path) -> None:
    memgpt = MemGPT(Settings(home=tmp_path), store=SQLiteStore(None), embedder=None)
    agent = memgpt.create_agent("sam", model=ScriptedModel())
    (tmp_path / "a.md").write_text("The lamp is red.")
    memgpt.load_source("notes", DirectoryLoader(tmp_path))
    agent.attach("notes")
    (tmp_path / "a.md").write_text("The lamp is green.")
    (tmp_path / "b.txt").write_bytes(b"\x00\x01\x02 binary")
    memgpt.load_source("notes", DirectoryLoader(tmp_path), replace=True)
    assert "green" in agent.archival.search("lamp", 1) and "red" not in agent.archival.search("lamp", 1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "c.md").write_text("Quite another thing.")
    with pytest.raises(NameTaken, match="replace=True"):
        memgpt.load_source("notes", DirectoryLoader(tmp_path / "other"))
    assert "green" in agent.archival.search("lamp", 1)


@pytest.mark.parametrize("preset", ["memgpt_chat", "memgpt_compact", "memgpt_local"])
def test_the_first_persona_has_the_agents_own_name(client: MemGPT, preset: str) -> None:
    agent = client.create_agent({"name": "Nora", "preset": preset}, model=ScriptedModel([]))
    persona = agent.core.block("persona").value
    assert "Nora" in persona and "{name}" not in persona
