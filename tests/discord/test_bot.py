"""The bot on a Discord of its own, on loopback: its gateway and HTTP API through discord.py."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("discord")

import discord.gateway
import discord.http
import yarl

from memgpt_autogen import MemGPT
from memgpt_autogen.config import LLMConfig, Settings
from memgpt_autogen.discord import DiscordBot, UserKeys, Users
from memgpt_autogen.errors import ConfigError, ModelServerError
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore

from .fake_discord import TOKEN, FakeDiscord

ANN, BOB = 101, 102


class People(Users):
    """Users whose agents answer from scripts."""

    scripts: dict[int, ScriptedModel]

    def agent(self, user: int, persona: str = "") -> Any:
        if self.agent_name(user) not in self._home.list_agents():
            self._home.create_agent({"name": self.agent_name(user)}, model=self.scripts[user])
        self._agents.setdefault(user, self._home.load_agent(self.agent_name(user), model=self.scripts[user]))
        return super().agent(user, persona)


@pytest.fixture(scope="module")
def world() -> Iterator[FakeDiscord]:
    fake = FakeDiscord()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("discord")
    home = MemGPT(Settings(folder, environ={}), store=SQLiteStore(None), embedder=None)
    keys = UserKeys(folder, {"MEMGPT_DISCORD_SECRET": UserKeys.new_secret()})
    yield People(home, keys, LLMConfig("gpt-4o-mini"))
    home.close()


@pytest.fixture(scope="module")
def running(world: FakeDiscord, people: People) -> Iterator[DiscordBot]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{world.port}/api/v10")
        patched.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(f"ws://127.0.0.1:{world.port}/"))
        bot = DiscordBot(people, per_minute=6)

        async def run() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                async with bot:
                    await bot.start(TOKEN)

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        world.wait(lambda: world.commands and world._sockets)
        yield bot
        for task in asyncio.all_tasks(bot.loop):
            bot.loop.call_soon_threadsafe(task.cancel)
        thread.join(20)
        assert not thread.is_alive() and bot.is_closed()


@pytest.fixture
def bot(running: DiscordBot, world: FakeDiscord, people: People) -> DiscordBot:
    for listed in (world.said, world.answered, world.calls, world.bodies):
        listed.clear()
    for user in (ANN, BOB):
        people.forget(user, everything=True)
    people.scripts = {user: ScriptedModel([f"one {user}", f"two {user}", f"three {user}"] * 9) for user in (ANN, BOB)}
    running._sent.clear()
    return running


def test_each_user_talks_with_an_agent_of_their_own(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    world.write(ANN, "My PIN is 1234.")
    world.wait(lambda: world.said == ["one 101"])
    world.write(BOB, "What do you know?")
    world.wait(lambda: world.said == ["one 101", "one 102"])
    assert "1234" in str(people.scripts[ANN].calls[0].messages) and "User 101" in str(people.scripts[ANN].calls[0])
    assert "1234" not in str(people.scripts[BOB].calls[0].messages)
    assert sorted(people._home.list_agents()) == ["discord (user 101)", "discord (user 102)"]
    assert "POST channels/30/typing" in world.calls
    assert world.bodies[-1]["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize(
    "more",
    [{"author": {"id": "5", "username": "x", "discriminator": "0", "avatar": None, "bot": True}}, {"content": " "}],
)
def test_bots_and_empty_messages_are_not_answered(bot: DiscordBot, world: FakeDiscord, more: dict[str, Any]) -> None:
    world.write(ANN, "hi", **more)
    world.write(BOB, "hi")
    world.wait(lambda: world.said)
    assert world.said == ["one 102"]


def test_messages_of_one_user_are_answered_in_order(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    for number in range(3):
        world.write(ANN, f"message {number}")
    world.wait(lambda: len(world.said) == 3)
    assert world.said == ["one 101", "two 101", "three 101"]
    assert "message 2" in str(people.scripts[ANN].calls[2].messages[-1])


def test_who_writes_too_fast_is_told_so_and_asks_no_model(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    for number in range(8):
        world.write(ANN, f"message {number}")
    world.write(BOB, "hi")
    world.wait(lambda: len(world.said) == 9)
    assert sum("more than 6 messages" in said for said in world.said) == 2 and len(people.scripts[ANN].calls) == 6
    assert "one 102" in world.said


def test_a_refusal_for_too_many_requests_is_waited_for(bot: DiscordBot, world: FakeDiscord) -> None:
    world.refusals = 1
    world.write(ANN, "hi")
    world.wait(lambda: world.said == ["one 101"])
    assert world.calls.count("POST channels/30/messages") == 2


def test_a_long_answer_comes_in_pieces(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    words = " ".join(f"word{number}" for number in range(900))
    people.scripts[ANN] = ScriptedModel([words])
    world.write(ANN, "Tell me all.")
    world.wait(lambda: len(" ".join(world.said)) >= len(words))
    assert " ".join(world.said) == words and len(world.said) == 4


def test_an_error_is_told_and_the_bot_goes_on(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    def broken(*_: Any) -> Any:
        raise ModelServerError("The server is down. Start it again.")

    def worse(*_: Any) -> Any:
        raise ZeroDivisionError("a secret of the program")

    people.scripts[ANN] = ScriptedModel([broken, worse, "Here I am."])
    for said in ("The server is down", "Something went wrong", "Here I am."):
        world.write(ANN, "hi")
        world.wait(lambda: world.said)
        assert said in world.said.pop() and not world.said


def test_commands_are_for_direct_messages_and_answered_to_the_user_alone(bot: DiscordBot, world: FakeDiscord) -> None:
    assert {*world.commands} == {"help", "profile", "key", "create", "memory", "forget"}
    assert all(command["contexts"] == [1] for command in world.commands.values())
    world.command(ANN, "help")
    world.wait(lambda: world.answered)
    assert "/memory" in world.answered[0]
    callback = next(body for call, body in zip(world.calls, world.bodies, strict=True) if call.endswith("callback"))
    assert callback["data"]["flags"] == 64


def answer(world: FakeDiscord, user: int, name: str, **given: Any) -> str:
    world.answered.clear()
    world.command(user, name, **given)
    world.wait(lambda: world.answered)
    return world.answered[0]


def test_a_profile_is_in_the_next_prompt(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    answer(world, ANN, "profile")
    assert answer(world, ANN, "profile", about="I am Ann.\nI sail.") == "I will remember that."
    assert answer(world, ANN, "profile") == "I am Ann.\nI sail."
    assert "characters, and there is room for" in answer(world, ANN, "profile", about="x" * 5000)
    world.write(ANN, "Who am I?")
    world.wait(lambda: world.said)
    assert "I sail." in str(people.scripts[ANN].calls[0].messages)


def test_an_agent_is_created_once_shown_and_forgotten(bot: DiscordBot, world: FakeDiscord, people: People) -> None:
    assert "Your agent is there" in answer(world, ANN, "create", persona="I am a pirate.")
    assert "already" in answer(world, ANN, "create")
    world.write(ANN, "My cat is called Tom.")
    world.wait(lambda: world.said)
    assert "Recall memory:" in answer(world, ANN, "memory")
    assert "takes --why" in answer(world, ANN, "memory", option="--nonsense")
    assert "Forgotten: 1" in answer(world, ANN, "forget", about="cat Tom")
    assert "nothing with these words" in answer(world, ANN, "forget", about="cat Tom")
    assert "/forget about:WORDS" in answer(world, ANN, "forget")
    assert "Everything is forgotten" in answer(world, ANN, "forget", everything=True)
    assert people._home.list_agents() == []


def test_a_key_is_kept_encrypted_used_and_deleted(
    bot: DiscordBot, world: FakeDiscord, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    plain = people._home.create_agent
    monkeypatch.setattr(
        people._home, "create_agent", lambda config, **rest: given.append(rest) or plain(config, **rest)
    )
    monkeypatch.setattr(People, "agent", Users.agent)
    key = "sk-users-own-key-4711-of-ann"
    assert "gpt-4o-mini answers you" in answer(world, ANN, "key", key=key)
    people.agent(ANN)
    assert str(given[0]["entry"].api_key) == key and given[0]["entry"].model == "gpt-4o-mini"
    kept = (people._home.settings.home / "discord_keys.json").read_text(encoding="utf-8")
    assert "4711" not in kept and (people._home.settings.home / "discord_keys.json").stat().st_mode & 0o077 == 0
    assert "Your key is deleted" in answer(world, ANN, "key")
    assert "no key" in answer(world, ANN, "key") and people._keys.get(ANN) == ""


@pytest.mark.parametrize("secret", ["short", "x" * 44, "ä"])
def test_a_wrong_secret_is_refused(tmp_path: Path, secret: str) -> None:
    with pytest.raises(ConfigError, match="--new-secret"):
        UserKeys(tmp_path, {"MEMGPT_DISCORD_SECRET": secret})


def test_keys_of_another_secret_are_told_of(tmp_path: Path) -> None:
    for number in range(2):
        keys = UserKeys(tmp_path, {"MEMGPT_DISCORD_SECRET": UserKeys.new_secret()})
        if number:
            with pytest.raises(ConfigError, match="encrypted with another"):
                keys.get(ANN)
        else:
            keys.put(ANN, "sk-1234567890-abcdef")


class Ring:
    """A keyring in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, key: str) -> None:
        self.kept[service, name] = key

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


@pytest.mark.parametrize("ring", [Ring(), None])
def test_without_a_secret_the_keyring_keeps_keys_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ring: Ring | None
) -> None:
    monkeypatch.setattr("memgpt_autogen.discord.keys.usable_keyring", lambda: ring)
    keys = UserKeys(tmp_path, {})
    assert keys.available is (ring is not None)
    if ring is None:
        with pytest.raises(ConfigError, match="keeps no keys"):
            keys.put(ANN, "sk-1234567890-abcdef")
    else:
        keys.put(ANN, "sk-1234567890-abcdef")
        assert keys.get(ANN) == "sk-1234567890-abcdef" and keys.remove(ANN) and not keys.get(ANN)
    assert not [*tmp_path.iterdir()]


def test_the_command_names_what_is_missing_and_makes_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from memgpt_autogen.cli.discord import discord as command

    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))
    monkeypatch.delenv("DISCORD_BOT_TOKEN", raising=False)
    monkeypatch.delenv("MEMGPT_DISCORD_SECRET", raising=False)
    missing = CliRunner().invoke(command)
    assert isinstance(missing.exception, ConfigError) and "DISCORD_BOT_TOKEN" in str(missing.exception)
    secret = CliRunner().invoke(command, ["--new-secret"]).output.strip()
    assert UserKeys(tmp_path, {"MEMGPT_DISCORD_SECRET": secret}).available
    started: list[Any] = []
    monkeypatch.setattr(DiscordBot, "run", lambda bot, token, **given: started.append((bot, token)))
    monkeypatch.setenv("DISCORD_BOT_TOKEN", TOKEN)
    assert CliRunner().invoke(command, ["--per-minute", "3"]).exit_code == 0
    assert started[0][1] == TOKEN and started[0][0]._per_minute == 3
