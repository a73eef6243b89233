"""How a defect is planted: parts of the product are swapped for as long as a with-block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

Plant = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Defect:
    """``scenario`` is the file that finds it; ``seeds`` how many of its seeds must be enough."""

    name: str
    sentence: str
    scenario: str
    plant: Plant
    seeds: int = 1


DEFECTS: dict[str, Defect] = {}


def defect(scenario: str, seeds: int = 1) -> Callable[[Callable[[ExitStack], None]], None]:
    """Register a function that swaps parts; its name and docstring are the defect's."""

    def register(function: Callable[[ExitStack], None]) -> None:
        @contextmanager
        def plant() -> Iterator[None]:
            with ExitStack() as stack:
                function(stack)
                yield

        name = function.__name__.replace("_", "-")
        DEFECTS[name] = Defect(name, str(function.__doc__), scenario, plant, seeds)

    return register


def swap(stack: ExitStack, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put ``make(original)`` in the place of a function or value, until the stack is closed."""
    original = owner.__dict__[name]
    setattr(owner, name, make(original))
    stack.callback(setattr, owner, name, original)


def nothing(*_: Any, **__: Any) -> None:
    """What is left out."""
