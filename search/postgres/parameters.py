"""Values on their way into a statement: never as text of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Parameters:
    """The values of one statement; `add` answers with what stands for a value in its text."""

    values: dict[str, Any] = field(default_factory=dict)
    _names: dict[tuple[Any, str], str] = field(default_factory=dict)
    _once: dict[str, str] = field(default_factory=dict)

    def add(self, value: Any, kind: str) -> str:
        """The placeholder of `value`, cast to the SQL type `kind`; one for the same value."""
        key = (tuple(value) if isinstance(value, list) else value, kind)
        name = self._names.setdefault(key, f"p{len(self.values)}")
        self.values[name] = value
        return f"%({name})s::{kind}"

    def once(self, expression: str) -> str:
        """A reference to an expression without columns that is computed once, not for every row."""
        return f"once.{self._once.setdefault(expression, f'v{len(self._once)}')}"

    def computed(self) -> str:
        """What to join so that the references so far mean something."""
        if not self._once:
            return ""
        expressions = ", ".join(f"{sql} AS {name}" for sql, name in self._once.items())
        # OFFSET 0 keeps the planner from putting the expressions where the references are.
        return f" CROSS JOIN (SELECT {expressions} OFFSET 0) AS once"
