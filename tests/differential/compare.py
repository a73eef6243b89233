"""Compares outcomes, and sorts out which differences are meant.

A difference is a block: consecutive lines of the real engine's in whose place the simulated one has others.
A meant one is listed in meant.toml under its script and command, with both blocks word for word and a
reason. An entry that no longer occurs is a mistake of the list, and is reported as one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.differential.play import Outcome
from tests.differential.script import Step

LIST = Path(__file__).parent / "meant.toml"


class Meant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One listed difference. Lines are compared without the blanks around them."""

    script: str
    command: str
    why: str
    real: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()
    engine: str = ""
    """The versions of the real engine that differ so, by how they begin ("26."); all of them if empty."""

    def fits(self, script: str, command: str, block: Block) -> bool:
        """Whether this is that difference."""
        return (self.script, self.command, self.real, self.simulated) == (
            script,
            command,
            _stripped(block.real),
            _stripped(block.simulated),
        )


def _stripped(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one engine in place of the other's."""

    real: tuple[str, ...]
    simulated: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """One step on both engines."""

    step: Step
    script: str
    real: Outcome
    simulated: Outcome
    meant: tuple[Meant, ...] = ()
    unmeant: tuple[Block, ...] = ()

    @property
    def state(self) -> str:
        """equal, meant or unmeant."""
        return "unmeant" if self.unmeant else "meant" if self.meant else "equal"

    def diff(self) -> list[str]:
        """Unified, without a header."""
        lines = difflib.unified_diff(self.real.lines(), self.simulated.lines(), lineterm="", n=2)
        return [line for line in lines if not line.startswith(("---", "+++"))]


@dataclass
class Judge:
    """Compares one step after the other, and remembers which entries of the list occurred."""

    entries: tuple[Meant, ...]
    engine: str
    seen: set[Meant] = field(default_factory=set)

    def compare(self, script: str, step: Step, real: Outcome, simulated: Outcome) -> Comparison:
        """The verdict about one step."""
        meant, unmeant = [], []
        for block in blocks(real.lines(), simulated.lines()):
            entry = next((e for e in self._in_force() if e.fits(script, step.command, block)), None)
            if entry is None:
                unmeant.append(block)
            else:
                meant.append(entry)
        self.seen.update(meant)
        return Comparison(step, script, real, simulated, tuple(meant), tuple(unmeant))

    def stale(self, scripts: Iterable[str]) -> list[Meant]:
        """Entries for scripts that were played, whose difference did not occur."""
        played = set(scripts)
        return [e for e in self._in_force() if e.script in played and e not in self.seen]

    def _in_force(self) -> list[Meant]:
        return [entry for entry in self.entries if self.engine.startswith(entry.engine)]


def blocks(real: list[str], simulated: list[str]) -> list[Block]:
    """Where two texts differ."""
    matcher = difflib.SequenceMatcher(a=real, b=simulated, autojunk=False)
    return [
        Block(tuple(real[a:b]), tuple(simulated[c:d]))
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    ]


def load(path: Path = LIST) -> tuple[Meant, ...]:
    """The list. Raises msgspec.ValidationError or tomllib.TOMLDecodeError."""
    return tuple(msgspec.convert(tomllib.loads(path.read_text()).get("meant", []), list[Meant]))
