"""What an agent is composed of, shared by the agent and its turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..memory.context import Context
from ..memory.prompt_log import PromptLog
from ..messages import SEND_MESSAGE, Message, ToolResult, ToolSchema
from ..observers import AgentEvent, EventReceived, Observer
from ..prompts.presets import Preset
from ..storage.base import Store
from ..tools.registry import ToolRegistry
from .guide import GuideFactory, TurnContext
from .intake import Intake


@dataclass
class Components:
    """The parts of one agent.

    Attributes:
        store: where it lives.
        agent_id: which agent.
        preset: prompt, functions and rules.
        tools: the functions that it runs itself.
        context: makes its prompts.
        intake: takes events in.
        guides: make the guides of each turn, in the order in which these are called.
        observers: are told what happens.
        timed: timers wake the agent.
        prompts: records what the model is sent.
        warned: the agent knows that its window is nearly full.
    """

    store: Store
    agent_id: str
    preset: Preset
    tools: ToolRegistry
    context: Context
    intake: Intake
    guides: list[GuideFactory] = field(default_factory=list)
    observers: list[Observer] = field(default_factory=list)
    warned: bool = False
    timed: bool = False
    prompts: PromptLog = field(init=False)

    def __post_init__(self) -> None:
        self.prompts = PromptLog(self.store, self.agent_id)

    def tell(self, event: AgentEvent) -> None:
        """Tell every observer."""
        for observer in self.observers:
            observer(event)

    def offered(self, tools: Sequence[ToolSchema] = ()) -> list[ToolSchema]:
        """Every function that the model may call: the agent's own, and the caller's ``tools``."""
        schemas = self.tools.schemas()
        own = {one.name: one for one in schemas if self.timed or not self.has_trait(one.name, "timed")}
        only_memory = not tools and all(self.has_trait(name, "memory") for name in own)
        if self.preset.plain and only_memory and SEND_MESSAGE in own:
            return [own[SEND_MESSAGE]]
        return [*(own[name] for name in self.preset.rules.offered(list(own))), *tools]

    def can_save(self) -> bool:
        """Whether the model may call a function that writes memory."""
        return any(self.has_trait(schema.name, "writes") for schema in self.offered())

    def has_trait(self, function: str, trait: str) -> bool:
        """Whether a function of the agent's own has a trait of :class:`Tool`, such as ``memory``."""
        return bool(getattr(self.tools.get(function), trait, False))

    def take_in(
        self,
        incoming: Sequence[Message],
        results: Sequence[ToolResult],
        conversation: str | None,
        on_commit: Callable[[], None] | None,
        turn: TurnContext | None = None,
    ) -> Sequence[Message]:
        """Commit events and results and tell observers of the events; the messages that are unanswered now.

        See :meth:`Intake.take_in`.
        """
        offered = partial(self.offered, turn.tools if turn else ())
        try:
            return self.intake.take_in(
                incoming, results, conversation=conversation, on_commit=on_commit, turn=turn, offered=offered
            )
        finally:  # the messages are committed even where their turn cannot begin
            for message in incoming:
                self.tell(EventReceived(message))
