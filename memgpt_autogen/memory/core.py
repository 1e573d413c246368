"""Core memory: the blocks that are always in context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import ToolError
from ..storage.base import Store
from ..storage.records import Block

#: The labels of the two blocks that every agent has.
PERSONA, HUMAN = "persona", "human"


class CoreMemory:
    """The core memory of one agent. It is read from the store each time, so that a shared block is never stale.

    Args:
        store: where the blocks are.
        agent_id: whose blocks.
        plain: render the blocks as plain text, without tags and figures.
    """

    def __init__(self, store: Store, agent_id: str, *, plain: bool = False) -> None:
        self._store = store
        self._agent_id = agent_id
        self._plain = plain
        self._shown: str | None = None
        self._behind = ""

    def append(self, name: str, content: str) -> str:
        """Add a line to a block.

        Raises:
            ToolError: no such block, or it would grow over its limit.
        """
        block = self.block(name)
        return self._write(block, f"{block.value}\n{content}" if block.value else content)

    def replace(self, name: str, old: str, new: str) -> str:
        """Replace the first occurrence of a text in a block.

        Raises:
            ToolError: no such block, the text is not in it, or it would grow over its limit.
        """
        block = self.block(name)
        if not old:
            raise ToolError("old_content is empty. To add text use core_memory_append.")
        if old not in block.value:
            raise ToolError(f"{old!r} is not in the block {block.label}. Copy the text exactly as it stands there.")
        return self._write(block, block.value.replace(old, new, 1))

    def rewrite(self, name: str, lines: Sequence[str]) -> None:
        """Write a whole block, from what the messages of the window tell.

        The prompt need not show it before :meth:`refresh`, since those messages are in view. It keeps its start to the
        byte until then.

        Args:
            name: the block's label.
            lines: its lines. They must fit the block.

        Raises:
            ToolError: no such block, or the lines do not fit.
        """
        in_step = self._rendered(self._blocks()) == self._behind
        self._write(self.block(name), "\n".join(lines))
        if in_step:
            self._behind = self._rendered(self._blocks())

    def block(self, name: str) -> Block:
        """The block of that label.

        Raises:
            ToolError: there is none.
        """
        blocks = {block.label: block for block in self._blocks()}
        if name not in blocks:
            raise ToolError(f"There is no block {name!r} in core memory. Blocks: {', '.join(blocks)}.")
        return blocks[name]

    def refresh(self) -> None:
        """Put every line into the next prompt."""
        self._shown = self._rendered(self._blocks())

    def labels(self) -> list[str]:
        """The names of the blocks."""
        return [block.label for block in self._blocks()]

    def render(self) -> str:
        """The blocks as they appear in the prompt."""
        blocks = self._blocks()
        now = self._rendered(blocks)
        if self._shown is None and self._plain:
            self._shown, self._behind = self._rendered(self._before_window(blocks)), now
        elif self._shown is None or now != self._behind:
            self._shown = self._behind = now
        return self._shown

    def _blocks(self) -> Sequence[Block]:
        return self._store.agents.blocks(self._agent_id)

    def _before_window(self, blocks: Sequence[Block]) -> list[Block]:
        """The blocks without what the steps in the window wrote: as the prompt of an earlier process had them."""
        steps = {message.step_id for message in self._store.log.window(self._agent_id) if message.step_id}
        earlier = []
        for block in blocks:
            versions = [one for one in self._store.agents.versions(block.id) if one.step_id not in steps]
            earlier.append(replace(block, value=versions[-1].value) if versions else block)
        return earlier

    def _rendered(self, blocks: Sequence[Block]) -> str:
        if self._plain:
            return "\n\n".join(_plain(block) for block in blocks if block.value.strip())
        return "\n".join(
            ["Core memory:"]
            + [
                f'<{block.label} characters="{len(block.value)}/{block.limit}">\n{block.value}\n</{block.label}>'
                for block in blocks
            ]
        )

    def _write(self, block: Block, value: str) -> str:
        if len(value) > block.limit:
            raise ToolError(
                f"The block {block.label} would have {len(value)} characters; its limit is {block.limit}. "
                "Shorten it, or move details to archival memory."
            )
        self._store.agents.write_block(block.id, value, agent_id=self._agent_id)
        return f"Core memory {block.label} updated: {len(value)} of {block.limit} characters."


def _plain(block: Block) -> str:
    """A block as plain text: the persona as it is, any other as notes under a heading."""
    if block.label == PERSONA:
        return block.value
    heading = "What you know about the people here:" if block.label == HUMAN else f"Your notes ({block.label}):"
    return "\n".join([heading, *(f"- {line}" for line in block.value.splitlines() if line.strip())])
