"""The bot: direct messages and slash commands of Discord, answered by the users' agents."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import discord
from discord import app_commands

from .text import split
from .users import Users, told

logger = logging.getLogger(__name__)

SLOWER = "That is more than {} messages in a minute. What you wrote last was not read; send it again in a while."
HELP = """Write to me, and I answer and remember.
/profile: what I know of you, or tell me
/memory: what I have in mind, and how much I remember
/forget: words, or everything
/key: your own model key (nobody else sees it)
/create: your agent, with a character of your choice"""


class DiscordBot(discord.Client):
    """One agent for each user, in direct messages. Messages on servers are not read.

    Args:
        accounts: what users can do, and their agents.
        per_minute: messages that a user may send in a minute.
        at_once: users who are answered at the same time.
    """

    def __init__(self, accounts: Users, *, per_minute: int = 20, at_once: int = 8) -> None:
        intents = discord.Intents.none()
        intents.dm_messages = True
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none(), max_messages=None)
        self.accounts = accounts
        self._per_minute = per_minute
        self._workers = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="discord")
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._sent: defaultdict[int, deque[float]] = defaultdict(deque)
        self.tree = app_commands.CommandTree(self)
        _add_commands(self)

    async def setup_hook(self) -> None:
        """Tell Discord which commands there are."""
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        """Answer a direct message of a person. Messages of one user are answered one after the other."""
        if message.author.bot or message.guild is not None or not message.content.strip():
            return
        user = message.author.id
        if not self._allowed(user):
            await message.channel.send(SLOWER.format(self._per_minute))
            return
        name = message.author.display_name
        async with self._turns[user]:
            async with message.channel.typing():
                answer = await self._done(self.accounts.say, user, message.content, name)
            for part in split(answer):
                await message.channel.send(part)

    async def command(self, interaction: discord.Interaction, do: Callable[..., str], *given: Any) -> None:
        """Run a command of a user in a worker thread; only they see what it says."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        user = interaction.user.id
        async with self._turns[user]:
            answer = await self._done(do, user, *given)
        for part in split(answer):
            await interaction.followup.send(part, ephemeral=True)

    async def close(self) -> None:
        """Leave Discord. Turns that are going on are finished first."""
        await super().close()
        await asyncio.get_running_loop().run_in_executor(None, self._workers.shutdown)

    async def _done(self, do: Callable[..., str], *given: Any) -> str:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, do, *given)
        except Exception as error:  # a bot goes on
            return told(error)

    def _allowed(self, user: int) -> bool:
        """Whether a user may send a message now."""
        now, sent = time.monotonic(), self._sent[user]
        while sent and now - sent[0] > 60:
            sent.popleft()
        if len(sent) >= self._per_minute:
            return False
        sent.append(now)
        return True


def _add_commands(bot: DiscordBot) -> None:
    """The slash commands, in direct messages alone."""
    tree, accounts = bot.tree, bot.accounts

    def command(name: str, description: str) -> Callable[[Any], Any]:
        def registered(function: Any) -> Any:
            made = tree.command(name=name, description=description)(function)
            return app_commands.allowed_contexts(dms=True, guilds=False, private_channels=False)(made)

        return registered

    @command("help", "What this bot can do")
    async def help_(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(HELP, ephemeral=True)

    @command("profile", "What your agent knows of you; with a text, tell it")
    @app_commands.describe(about="Who you are, in a few sentences")
    async def profile(interaction: discord.Interaction, about: str = "") -> None:
        await bot.command(interaction, accounts.profile, about)

    @command("key", "Give your own model key; without one, delete it")
    @app_commands.describe(key="It is kept encrypted, and used for your messages alone")
    async def key(interaction: discord.Interaction, key: str = "") -> None:
        await bot.command(interaction, accounts.set_key, key)

    @command("create", "Create your agent")
    @app_commands.describe(persona="Its character, in a few sentences, or the name of one")
    async def create(interaction: discord.Interaction, persona: str = "") -> None:
        await bot.command(interaction, accounts.create, persona)

    @command("memory", "What your agent has in mind")
    @app_commands.describe(option="--why, or --as-of and a day")
    async def memory(interaction: discord.Interaction, option: str = "") -> None:
        await bot.command(interaction, accounts.memory, option)

    @command("forget", "Delete what your agent remembers")
    @app_commands.describe(about="What contains these words", everything="Your agent, all it remembers, and your key")
    async def forget(interaction: discord.Interaction, about: str = "", everything: bool = False) -> None:
        await bot.command(interaction, accounts.forget, about, everything)
