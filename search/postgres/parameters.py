"""Values on their way into a statement: never as text of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Parameters:
    """The values of one statement; `add` answers with what stands for a value in its text."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any, kind: str) -> str:
        """The placeholder of `value`, cast to the SQL type `kind`."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{kind}"
