"""Tool rules: which function a model may call when, within one turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..errors import ConfigError
from ..messages import ToolCall

#: The error of calls that were not run because of another call in the same reply.
NOT_RUN = "No call of this reply was run: call one function at a time, in the order that is allowed."


@dataclass(frozen=True)
class ToolRules:
    """Which function may be called when, within one turn.

    Attributes:
        first: the only functions that may come first; empty: any.
        after: the functions that may follow a function; one without an entry may be followed by any.
        last: functions that end the turn once they have succeeded, whether or not the model asks to run again. If words
            are still owed, the turn goes on for those alone.
        prefetch: searches that the program makes with the user's words before the model is asked; the best sentence is
            shown to the model (:mod:`memgpt_autogen.grounding.retrieve`).
    """

    first: tuple[str, ...] = ()
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    last: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()

    def changed(self, given: Mapping[str, Any]) -> ToolRules:
        """These rules with some replaced by an agent's own: ``{"first": [...], "after": {NAME: [...]}, ...}``.

        Raises:
            ConfigError: a rule is unknown, or is not a list of names.
        """
        known = [one.name for one in fields(self)]
        read: dict[str, Any] = {}
        for rule, value in given.items():
            if rule not in known:
                raise ConfigError(f"There is no tool rule {rule!r}. Known: {', '.join(known)}.")
            if rule != "after":
                read[rule] = _names(rule, value)
            elif isinstance(value, Mapping):
                read[rule] = {name: _names(f"after {name}", follow) for name, follow in value.items()}
            else:
                raise ConfigError(f"The tool rule after must map a function to a list of functions, not {value!r}.")
        return replace(self, **read)

    def allowed(self, called: Sequence[str], names: Collection[str]) -> frozenset[str] | None:
        """The functions that may come next.

        Args:
            called: the functions called in this turn so far, in order.
            names: all functions there are.

        Returns:
            None: any of them.
        """
        rule = self.after.get(called[-1]) if called else self.first
        possible = frozenset(rule or ()) & frozenset(names)
        return possible or None

    def checked(self, calls: Sequence[ToolCall], called: Sequence[str], names: Collection[str]) -> tuple[ToolCall, ...]:
        """The calls of one reply; each with an error if one of them may not follow the one before it.

        The first call is not checked: the model was told what it may be. If one call is not allowed, none is run,
        because a plan that is carried out in part would be worse than none.

        Args:
            calls: in order.
            called: the functions called in this turn before them.
            names: all functions there are.
        """
        before = [*called, *(call.name for call in calls)]
        for index, call in enumerate(calls[1:], start=len(called) + 1):
            allowed = self.allowed(before[:index], names)
            if allowed is not None and call.name not in allowed:
                wrong = (
                    f"{call.name} may not follow {before[index - 1]}; only {', '.join(sorted(allowed))} may. {NOT_RUN}"
                )
                return tuple(replace(one, error=wrong if one is call else one.error or NOT_RUN) for one in calls)
        return tuple(calls)

    def offered(self, names: Sequence[str]) -> list[str]:
        """The functions that the rules allow at some point; the others are not offered to the model."""
        if not self.first:
            return list(names)
        reached, last = set(), set(self.first)
        while last:
            reached |= last
            last = {name for one in last for name in self.after.get(one, names)} - reached
        return [name for name in names if name in reached]


def _names(rule: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ConfigError(f"The tool rule {rule} must be a list of functions, not {value!r}.")
    return tuple(value)
