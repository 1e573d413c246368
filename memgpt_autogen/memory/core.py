"""Core memory: the blocks that are always in context."""

from __future__ import annotations

from ..errors import ToolError
from ..storage.base import Store
from ..storage.records import Block


class CoreMemory:
    """The core memory of one agent. It is read from the store each time, so that a shared block is never stale."""

    def __init__(self, store: Store, agent_id: str) -> None:
        self._store = store
        self._agent_id = agent_id

    def append(self, name: str, content: str) -> str:
        """Add a line to a block.

        Raises:
            ToolError: no such block, or it would grow over its limit.
        """
        block = self._block(name)
        return self._write(block, f"{block.value}\n{content}" if block.value else content)

    def replace(self, name: str, old: str, new: str) -> str:
        """Replace the first occurrence of a text in a block.

        Raises:
            ToolError: no such block, the text is not in it, or it would grow over its limit.
        """
        block = self._block(name)
        if not old:
            raise ToolError("old_content is empty. To add text use core_memory_append.")
        if old not in block.value:
            raise ToolError(f"{old!r} is not in the block {block.label}. Copy the text exactly as it stands there.")
        return self._write(block, block.value.replace(old, new, 1))

    def labels(self) -> list[str]:
        """The names of the blocks."""
        return [block.label for block in self._store.agents.blocks(self._agent_id)]

    def render(self) -> str:
        """The blocks as they appear in the prompt."""
        blocks = self._store.agents.blocks(self._agent_id)
        return "\n".join(
            ["Core memory:"]
            + [
                f'<{block.label} characters="{len(block.value)}/{block.limit}">\n{block.value}\n</{block.label}>'
                for block in blocks
            ]
        )

    def _block(self, name: str) -> Block:
        blocks = {block.label: block for block in self._store.agents.blocks(self._agent_id)}
        if name not in blocks:
            raise ToolError(f"There is no block {name!r} in core memory. Blocks: {', '.join(blocks)}.")
        return blocks[name]

    def _write(self, block: Block, value: str) -> str:
        if len(value) > block.limit:
            raise ToolError(
                f"The block {block.label} would have {len(value)} characters; its limit is {block.limit}. "
                "Shorten it, or move details to archival memory."
            )
        self._store.agents.write_block(block.id, value, agent_id=self._agent_id)
        return f"Core memory {block.label} updated: {len(value)} of {block.limit} characters."
