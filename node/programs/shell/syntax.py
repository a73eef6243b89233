"""Commands as they are understood (POSIX 2.9): what the grammar makes, and what is run."""

from __future__ import annotations

from dataclasses import dataclass, field

from node.programs.shell.tokens import Word


@dataclass(frozen=True, slots=True)
class Redirection:
    """``operator`` as written; ``target`` is None for 2>&1 and its like."""

    operator: str
    target: Word | None


@dataclass(frozen=True, slots=True)
class Simple:
    """Words to expand and run."""

    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """Pairs of condition and body, and what runs when none holds."""

    branches: tuple[tuple[List, List], ...]
    otherwise: List | None


@dataclass(frozen=True, slots=True)
class While:
    """``until`` turns the condition round."""

    condition: List
    body: List
    until: bool


@dataclass(frozen=True, slots=True)
class For:
    """The body once for each word."""

    name: str
    words: tuple[Word, ...]
    body: List


@dataclass(frozen=True, slots=True)
class Group:
    """A list in parentheses (``own``: with variables of its own) or braces."""

    body: List
    own: bool


@dataclass(frozen=True, slots=True)
class Case:
    """The first body one of whose patterns fits the word."""

    word: Word
    branches: tuple[tuple[tuple[Word, ...], List], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """Gives a command a name; the words after that name are its positional parameters."""

    name: str
    body: Command


@dataclass(frozen=True, slots=True)
class Condition:
    """[[ ... ]]: ``operator`` is "!", "&&", "||" with parts, or "" with words."""

    operator: str
    parts: tuple[Condition, ...] = ()
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections."""

    command: Command
    redirections: tuple[Redirection, ...]


Compound = If | While | For | Group | Case | Function | Condition | Redirected
Command = Simple | Compound


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each reading what the one before writes."""

    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """``condition`` is "" (always), "&&" or "||": whether to run it after the one before."""

    condition: str
    pipeline: Pipeline
    background: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """Pipelines in order."""

    steps: tuple[Step, ...] = field(default=())
