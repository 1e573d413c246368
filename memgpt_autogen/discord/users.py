"""The users of the bot: each has one agent of their own in the store. Knows nothing of Discord but ids of users."""

from __future__ import annotations

import logging
from dataclasses import replace
from threading import RLock

from ..agent import Agent
from ..client import MemGPT
from ..config import AgentConfig, LLMConfig
from ..errors import ConfigError, MemGPTError
from ..forget import find_about, forget
from ..redaction import redact
from .keys import UserKeys

logger = logging.getLogger(__name__)

_HUMAN = "human"
WELCOME = "Write to me, and I will remember. /help lists what else I can do."


class Users:
    """What users of the bot can do. All methods may be called from several threads; they block while a model answers.

    Args:
        home: the store with the agents.
        keys: where users' keys are.
        own_model: the model of users who give a key of their own; without a key in it.
    """

    def __init__(self, home: MemGPT, keys: UserKeys, own_model: LLMConfig) -> None:
        self._home = home
        self._keys = keys
        self._own_model = own_model
        self._agents: dict[int, Agent] = {}
        self._guard = RLock()

    @staticmethod
    def agent_name(user: int) -> str:
        """The name of a user's agent in the store."""
        return f"discord (user {user})"

    def agent(self, user: int, persona: str = "") -> Agent:
        """A user's agent, created at first use.

        Raises:
            ConfigError, StoreError, ModelError: it cannot be opened; the message says what to do.
        """
        with self._guard:
            if user not in self._agents:
                key = self._keys.get(user)
                model = replace(self._own_model, api_key=key) if key else None
                name = self.agent_name(user)
                if name in self._home.list_agents():
                    self._agents[user] = self._home.load_agent(name, llm=model)
                else:
                    self._agents[user] = self._home.create_agent(AgentConfig(name, persona=persona), entry=model)
            return self._agents[user]

    def say(self, user: int, text: str, name: str = "") -> str:
        """A user's message; what their agent answers.

        Raises:
            MemGPTError: the message is kept, and answered with the next one.
        """
        return self._home.ask(self.agent(user), text, name or None)

    def create(self, user: int, persona: str = "") -> str:
        """``/create [persona]``."""
        with self._guard:
            if self.agent_name(user) in self._home.list_agents():
                return "You have an agent already, and it remembers you. /forget everything:True deletes it."
            self.agent(user, persona)
        return f"Your agent is there. {WELCOME}"

    def profile(self, user: int, about: str = "") -> str:
        """``/profile [about]``: what the agent knows of the user in core memory, or sets it.

        Raises:
            ConfigError: the text is too long for the block.
        """
        agent = self.agent(user)
        block = agent.core.block(_HUMAN)
        if not about.strip():
            return block.value or "I know nothing of you yet. Tell me with /profile about:..."
        if len(about) > block.limit:
            raise ConfigError(f"That has {len(about)} characters, and there is room for {block.limit}. Shorten it.")
        with agent.store.lock(agent.id):
            agent.core.rewrite(_HUMAN, about.strip().splitlines())
        return "I will remember that."

    def memory(self, user: int, option: str = "") -> str:
        """``/memory [option]``, as in the terminal."""
        return self._home.run_command(self.agent(user), f"/memory {option}".strip())

    def forget(self, user: int, about: str = "", everything: bool = False) -> str:
        """``/forget``: what contains the words of ``about``, or the agent with everything, and the user's key.

        Raises:
            ConfigError: neither was said, or ``about`` has no word.
        """
        name = self.agent_name(user)
        if not (everything or about.strip()):
            raise ConfigError("What? /forget about:WORDS, or /forget everything:True for all of it and your key.")
        with self._guard:
            there = name in self._home.list_agents()
            if everything:
                self._agents.pop(user, None)
                removed = self._keys.remove(user)
                if there:
                    self._home.delete_agent(name)
                return "Everything is forgotten." if there or removed else "There was nothing to forget."
        if not there or not (found := find_about(self._home.store, name, about)):
            return "I remember nothing with these words."
        forget(self._home.store, name, about)
        return f"Forgotten: {len(found)} things. What models' servers keep is out of my reach."

    def set_key(self, user: int, key: str) -> str:
        """``/key [key]``: the user's own key for their model; without one, the stored key is removed.

        Raises:
            ConfigError: there is no safe place for a key, or this is none.
        """
        with self._guard:
            if not key.strip():
                gone = self._keys.remove(user)
                self._agents.pop(user, None)
                return "Your key is deleted." if gone else "You have given no key. Give one with /key key:..."
            checked = replace(self._own_model, api_key=key)  # refuses what cannot be a key
            self._keys.put(user, str(checked.api_key))
            self._agents.pop(user, None)
        return f"Your key is kept, encrypted. {self._own_model.model or 'Your model'} answers you from now on."


def told(error: Exception) -> str:
    """What a user is told of an error; what is not the user's business is logged and not told."""
    if isinstance(error, MemGPTError):
        logger.info("Told to a user: %s", redact(str(error)))
        return redact(str(error))
    logger.error("An error of the bot", exc_info=error)
    return "Something went wrong on my side. Your message is kept; try again in a while."
