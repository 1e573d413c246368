"""``memgpt discord``."""

from __future__ import annotations

import logging

import click

from ..config import LLMConfig, Settings
from ..errors import ConfigError
from .console import note, say

TOKEN = "DISCORD_BOT_TOKEN"


@click.command()
@click.option("--user-model", default="gpt-4o-mini", show_default=True, help="The model of users with their own key.")
@click.option("--user-endpoint", default="", help="Its address; default: OpenAI's.")
@click.option("--per-minute", default=20, show_default=True, type=click.IntRange(1), help="Messages of one user.")
@click.option("--new-secret", is_flag=True, help="Print a secret for MEMGPT_DISCORD_SECRET, and stop.")
def discord(user_model: str, user_endpoint: str, per_minute: int, new_secret: bool) -> None:
    """Run a Discord bot: each user talks with an agent of their own, in direct messages.

    DISCORD_BOT_TOKEN holds the bot's token. The model is that of `memgpt run`; a user who gives a key with /key has a
    model of their own. Users' keys are encrypted with MEMGPT_DISCORD_SECRET, else kept in the system's keyring.
    """
    from ..client import MemGPT
    from ..discord import DiscordBot, UserKeys, Users

    if new_secret:
        say(UserKeys.new_secret())
        return
    settings = Settings.load()
    token = settings.environ.get(TOKEN, "").strip()
    if not token:
        raise ConfigError(f"Set {TOKEN} to the token of your bot. Discord's developer portal shows it, under Bot.")
    keys = UserKeys(settings.home, settings.environ)
    if not keys.available:
        note("Users cannot give keys of their own: set MEMGPT_DISCORD_SECRET (memgpt discord --new-secret).")
    home = MemGPT(settings)
    try:
        users = Users(home, keys, LLMConfig(user_model, model_endpoint=user_endpoint))
        DiscordBot(users, per_minute=per_minute).run(token, log_level=logging.WARNING)
    finally:
        home.close()
