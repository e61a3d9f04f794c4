# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Small immutable values, made cheaply.

A frozen dataclass compiles half a dozen methods when its class is made, 0.35 ms each; the
messages of a box are some seventy classes, and a person waits for them at every start. A
`Record` shares its methods with all others: fields are the annotations, in order, a class
attribute is a default. To a type checker it is a frozen dataclass.

Invariant: `FIELDS` holds (name, annotation as written) and never changes.
"""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, dataclass_transform
else:

    def dataclass_transform(**_options: bool) -> object:
        """Do nothing: typing itself costs milliseconds to import."""
        return lambda kind: kind


@dataclass_transform(frozen_default=True, eq_default=True)
class Record:
    """Base of all records."""

    FIELDS: ClassVar[tuple[tuple[str, str], ...]] = ()
    NAMES: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        fields = tuple((name, text) for name, text in cls.__annotations__.items() if text[:8] != "ClassVar")
        cls.FIELDS = fields
        cls.NAMES = tuple(name for name, _ in fields)
        setattr(cls, "__match_args__", cls.NAMES)  # noqa: B010  # a checker makes its own from the fields

    def __init__(self, *values: Any, **named: Any) -> None:
        names = self.NAMES
        if named or len(values) != len(names):
            values = self._complete(values, named)
        self.__dict__.update(zip(names, values, strict=True))

    def _complete(self, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Add named and default values. Raises: TypeError as a function call would."""
        rest = self.NAMES[len(values) :]
        found = list(values)
        for name in rest:
            if name in named:
                found.append(named.pop(name))
            elif hasattr(type(self), name):
                found.append(getattr(type(self), name))
            else:
                raise TypeError(f"{type(self).__name__}: {name} is missing")
        if named or len(values) > len(self.NAMES):
            raise TypeError(f"{type(self).__name__}: too many values or unknown names {sorted(named)}")
        return tuple(found)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    __delattr__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        text = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({text})"
