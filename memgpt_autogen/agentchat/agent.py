"""``MemGPTAssistant``: an agentchat agent whose replies come from a memory-managed agent."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_agentchat.state import BaseState
from autogen_core import CancellationToken, Component, ComponentModel
from autogen_core.models import ChatCompletionClient, FunctionExecutionResult, RequestUsage
from autogen_core.tools import BaseTool, FunctionTool
from pydantic import BaseModel
from typing_extensions import Self

from .. import events
from ..agent import Agent
from ..agent.results import Turn
from ..client import MemGPT
from ..config import AgentConfig, LLMConfig, from_dict, to_dict
from ..errors import ConfigError
from ..messages import SEND_MESSAGE, Message, ToolCall, ToolResult, ToolSchema, Usage
from ..observers import AgentEvent, FunctionCalled, FunctionReturned, InnerThoughts
from ..workers import run_in_thread
from .model import ClientModel, function_call

logger = logging.getLogger(__name__)


class MemGPTAssistantConfig(BaseModel):
    """The agent in a team's config: no keys, memories or functions."""

    name: str
    description: str
    system_message: str = ""
    model_client: ComponentModel | None = None
    model: dict[str, Any] | None = None
    preset: str = ""
    persona: str = ""
    human: str = ""
    context_window: int | None = None


class MemGPTAssistantState(BaseState):
    """Identifies the memory agent; its memory is in the store."""

    type: str = "MemGPTAssistantState"
    agent: str
    agent_id: str


class MemGPTAssistant(BaseChatAgent, Component[MemGPTAssistantConfig]):
    """An assistant with lasting memory for teams of autogen-agentchat 0.7.

    Args:
        name: in the team and in the store; an existing memory agent of that name is loaded.
        model_client: answers; None: ``model``, else the environment, the config file, the embedded model.
        tools: autogen's tools, or Python functions, plain or async; offered beside the memory functions.
        description: for speaker selection.
        system_message: instructions.
        agent: an open memory agent, instead of one loaded by name.
        model: an :class:`LLMConfig` or its fields, for a model called without a client.
        preset, persona, human: for a new memory agent: names; for the last two also the text itself.
        context_window: tokens, if the client does not know.
        memgpt: the client whose store holds the memory agents; default: the one of the home folder.

    Raises:
        ConfigError: both a client and a ``model``.
    """

    component_config_schema = MemGPTAssistantConfig
    component_provider_override = "memgpt_autogen.agentchat.MemGPTAssistant"

    def __init__(
        self,
        name: str,
        model_client: ChatCompletionClient | None = None,
        *,
        tools: Sequence[BaseTool[Any, Any] | Callable[..., Any]] = (),
        description: str = "An assistant with a memory that lasts.",
        system_message: str = "",
        agent: Agent | None = None,
        model: LLMConfig | Mapping[str, Any] | None = None,
        preset: str = "",
        persona: str = "",
        human: str = "",
        context_window: int | None = None,
        memgpt: MemGPT | None = None,
    ) -> None:
        super().__init__(name, description)
        if model_client and model:
            raise ConfigError("Give either model_client or model, not both.")
        self._client, self._context_window = model_client, context_window
        self._model = from_dict(LLMConfig, model) if isinstance(model, Mapping) else model
        self._tools = {tool.name: tool for tool in map(_as_tool, tools)}
        self._instructions = system_message
        self._texts = {"preset": preset, "persona": persona, "human": human}
        self._through = ClientModel(model_client, context_window) if model_client else None
        self._core = agent
        self._memgpt = memgpt

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text."""
        return (TextMessage,)

    @property
    def core(self) -> Agent:
        """The memory agent inside, created or loaded by its name at first use.

        Raises:
            ConfigError: the configuration is invalid.
        """
        if self._core is None:
            self._memgpt = self._memgpt or MemGPT()
            persona = self._texts["persona"] or (f"I am {self.name}." if self._instructions else "")
            config = AgentConfig(self.name, self._texts["preset"], persona, self._texts["human"])
            self._core = self._memgpt.create_agent(config, model=self._through, entry=self._model)
        return self._core

    # -- a turn ---------------------------------------------------------------------------------------------------

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer the new messages."""
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise AssertionError("a turn without a response")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Answer the new messages; yields thoughts, calls and results as events.

        Raises:
            AgentBusy: the agent is running a turn elsewhere.
            ModelError: the model failed; the messages are kept and answered in the next turn.
        """
        incoming = [
            events.user_message(message.to_model_text(), name=message.source)
            for message in messages
            if message.source != self.name
        ] or [events.heartbeat("Nobody has said anything new, and it is your turn to speak.")]
        results: list[ToolResult] = []
        inner: list[BaseAgentEvent | BaseChatMessage] = []
        said: list[str] = []
        usage = Usage()
        while True:
            seen: asyncio.Queue[BaseAgentEvent | None] = asyncio.Queue()
            running = self._start(incoming, results, seen, cancellation_token)
            while (shown := await seen.get()) is not None:
                inner.append(shown)
                yield shown
            turn = await running
            said += turn.said
            usage += turn.usage
            if not turn.pending:
                break
            incoming, results = [], [await self._execute(call, cancellation_token) for call in turn.pending]
            executed = ToolCallExecutionEvent(source=self.name, content=[_execution(result) for result in results])
            inner.append(executed)
            yield executed
        spent = RequestUsage(usage.prompt_tokens, usage.completion_tokens)
        answer = TextMessage(source=self.name, content="\n".join(said), models_usage=spent)
        yield Response(chat_message=answer, inner_messages=inner)

    def _start(
        self,
        incoming: Sequence[Message],
        results: Sequence[ToolResult],
        seen: asyncio.Queue[BaseAgentEvent | None],
        cancellation_token: CancellationToken,
    ) -> asyncio.Future[Turn]:
        """Run the memory agent in a thread; its events go to ``seen``, and None at the end."""
        loop = asyncio.get_running_loop()
        if self._through:
            self._through.loop, self._through.cancellation_token = loop, cancellation_token

        def watch(event: AgentEvent) -> None:
            if (shown := self._shown(event)) is not None:
                loop.call_soon_threadsafe(seen.put_nowait, shown)

        call = functools.partial(self._turn, incoming, results, watch)
        running = run_in_thread(call)
        running.add_done_callback(lambda _: seen.put_nowait(None))
        cancellation_token.link_future(running)
        return running

    def _turn(
        self, incoming: Sequence[Message], results: Sequence[ToolResult], watch: Callable[[AgentEvent], None]
    ) -> Turn:
        core = self.core
        schemas = [_schema(tool) for tool in self._tools.values()]
        core.observers.append(watch)
        try:
            return core.run(incoming, results=results, tools=schemas, instructions=self._instructions, must_speak=True)
        finally:
            core.observers.remove(watch)

    def _shown(self, event: AgentEvent) -> BaseAgentEvent | None:
        if isinstance(event, InnerThoughts):
            return ThoughtEvent(source=self.name, content=event.text)
        if isinstance(event, FunctionCalled) and event.call.name != SEND_MESSAGE:
            call = function_call(event.call.id, event.call.name, event.call.arguments)
            return ToolCallRequestEvent(source=self.name, content=[call])
        if isinstance(event, FunctionReturned) and event.result.name not in (SEND_MESSAGE, *self._tools):
            return ToolCallExecutionEvent(source=self.name, content=[_execution(event.result)])
        return None

    async def _execute(self, call: ToolCall, cancellation_token: CancellationToken) -> ToolResult:
        tool = self._tools[call.name]
        try:
            value = await tool.run_json(dict(call.arguments), cancellation_token, call_id=call.id)
            return ToolResult(call.id, call.name, tool.return_value_as_string(value))
        except Exception as error:  # a user's function may raise anything; the model is told
            return ToolResult(call.id, call.name, f"{type(error).__name__}: {error}", failed=True)

    # -- state and config -----------------------------------------------------------------------------------------

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Drop the obligation to answer. The agent's memory is kept."""
        if self._core is not None:
            self._core.store.log.mark_answered(self._core.id)

    async def save_state(self) -> Mapping[str, Any]:
        """The identity of the memory agent. Its memory is in the store after each step."""
        return MemGPTAssistantState(agent=self.core.name, agent_id=self.core.id).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Use the memory agent of a saved state.

        Raises:
            AgentNotFound: it is not in this store.
        """
        saved = MemGPTAssistantState.model_validate(state)
        if self._core is not None and self._core.id == saved.agent_id:
            return
        if self._core is not None and self._memgpt is None:
            self._memgpt = MemGPT(store=self._core.store)
        self._memgpt = self._memgpt or MemGPT()
        self._core = self._memgpt.load_agent(saved.agent, model=self._through, entry=self._model)

    def _to_config(self) -> MemGPTAssistantConfig:
        if self._tools:
            logger.warning("%s: its tools are not part of its config. Hand them over again.", self.name)
        return MemGPTAssistantConfig(
            name=self.name,
            description=self.description,
            system_message=self._instructions,
            model_client=self._client.dump_component() if self._client else None,
            model=to_dict(self._model) if self._model else None,
            context_window=self._context_window,
            **self._texts,
        )

    @classmethod
    def _from_config(cls, config: MemGPTAssistantConfig) -> Self:
        client = ChatCompletionClient.load_component(config.model_client) if config.model_client else None
        rest = config.model_dump(exclude={"name", "model_client"})
        return cls(config.name, client, **rest)


def _as_tool(tool: BaseTool[Any, Any] | Callable[..., Any]) -> BaseTool[Any, Any]:
    return tool if isinstance(tool, BaseTool) else FunctionTool(tool, description=tool.__doc__ or "")


def _schema(tool: BaseTool[Any, Any]) -> ToolSchema:
    schema = tool.schema
    return ToolSchema(tool.name, schema.get("description", ""), dict(schema.get("parameters", {})))


def _execution(result: ToolResult) -> FunctionExecutionResult:
    return FunctionExecutionResult(
        content=result.content, name=result.name, call_id=result.call_id, is_error=result.failed
    )
