"""The contract of a store: what is kept, and how it is asked for.

A store has six parts, one for each kind of thing: ``agents`` (with their core memory blocks), ``log`` (messages,
summaries, steps), ``sources`` (what was loaded, and who searches it), ``passages`` (what is in sources),
``conversations`` (what of a chat an agent has taken in), ``history`` (turns, and the prompts that were sent). The
store itself gives transactions and locks. Every row carries the ``user_id`` of the store and the ``step_id`` of the
transaction that wrote it.
"""

from .agents import Agents
from .conversations import Conversations
from .engine import Engine
from .history import History
from .log import Log
from .passages import Passages
from .sources import Sources
from .store import Store

__all__ = ["Agents", "Conversations", "Engine", "History", "Log", "Passages", "Sources", "Store"]
