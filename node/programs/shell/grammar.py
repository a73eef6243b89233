"""Tokens to commands (POSIX 2.10, without functions and case).

list      pipeline  ; pipeline  && pipeline  || pipeline  & ...
pipeline  ! command | command | ...
command   words with redirections, or  if  while  until  for  ( list )  { list }
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.programs.shell.tokens import Operator, ShellSyntaxError, Token, Word

DEPTH_MAX = 32


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


Command = Simple | If | While | For | Group


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


_REDIRECTIONS = ("<", ">", ">>", "2>", "2>>", "1>", "2>&1", ">&2", "1>&2")
_WITHOUT_TARGET = ("2>&1", ">&2", "1>&2")
_CLOSING = ("then", "do", "done", "fi", "else", "elif", "}")


class Parser:
    """Recursive descent over a list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def program(self) -> List:
        """All tokens as one list. Raises ShellSyntaxError."""
        parsed = self._list()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return parsed

    # -- tokens -----------------------------------------------------------------------------------

    def _operator(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token.text if isinstance(token, Operator) else ""

    def _reserved(self) -> str:
        """The next word, if it could be a reserved one."""
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return (token.plain or "") if isinstance(token, Word) else ""

    def _expect(self, word: str) -> None:
        if self._reserved() != word and self._operator() != word:
            raise self._unexpected()
        self._at += 1

    def _unexpected(self) -> ShellSyntaxError:
        if self._at >= len(self._tokens):
            return ShellSyntaxError("syntax error: unexpected end of file")
        token = self._tokens[self._at]
        if isinstance(token, Operator):
            shown = "newline" if token.text == "\n" else f'"{token.text}"'
            return ShellSyntaxError(f"syntax error: unexpected {shown}")
        return ShellSyntaxError(f'syntax error: unexpected "{token.plain or "word"}"')

    def _skip_newlines(self) -> None:
        while self._operator() == "\n":
            self._at += 1

    # -- grammar ----------------------------------------------------------------------------------

    def _list(self) -> List:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ShellSyntaxError("syntax error: nested too deeply")
        steps: list[Step] = []
        condition = ""
        self._skip_newlines()
        while self._at < len(self._tokens) and self._operator() != ")" and self._reserved() not in _CLOSING:
            pipeline = self._pipeline()
            operator = self._operator()
            steps.append(Step(condition, pipeline, background=operator == "&"))
            condition = operator if operator in ("&&", "||") else ""
            if operator in (";", "&", "\n", "&&", "||"):
                self._at += 1
                self._skip_newlines()
            else:
                break
        if condition:
            raise self._unexpected()
        self._depth -= 1
        return List(tuple(steps))

    def _pipeline(self) -> Pipeline:
        negated = self._reserved() == "!"
        if negated:
            self._at += 1
        commands = [self._command()]
        while self._operator() == "|":
            self._at += 1
            self._skip_newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        match self._reserved():
            case "if":
                return self._if()
            case "while" | "until" as kind:
                self._at += 1
                condition = self._list()
                return While(condition, self._body(), until=kind == "until")
            case "for":
                return self._for()
            case "{":
                self._at += 1
                body = self._list()
                self._expect("}")
                return Group(body, own=False)
        if self._operator() == "(":
            self._at += 1
            body = self._list()
            self._expect(")")
            return Group(body, own=True)
        return self._simple()

    def _body(self) -> List:
        self._expect("do")
        body = self._list()
        self._expect("done")
        return body

    def _if(self) -> If:
        branches: list[tuple[List, List]] = []
        self._expect("if")
        while True:
            condition = self._list()
            self._expect("then")
            branches.append((condition, self._list()))
            if self._reserved() != "elif":
                break
            self._at += 1
        otherwise = None
        if self._reserved() == "else":
            self._at += 1
            otherwise = self._list()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> For:
        self._expect("for")
        name = self._reserved()
        if not name:
            raise self._unexpected()
        self._at += 1
        words: list[Word] = []
        if self._reserved() == "in":
            self._at += 1
            while self._at < len(self._tokens) and isinstance(word := self._tokens[self._at], Word):
                words.append(word)
                self._at += 1
        if self._operator() in (";", "\n"):
            self._at += 1
        self._skip_newlines()
        return For(name, tuple(words), self._body())

    def _simple(self) -> Simple:
        words: list[Word] = []
        redirections: list[Redirection] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if isinstance(token, Word):
                words.append(token)
                self._at += 1
            elif token.text in _REDIRECTIONS:
                self._at += 1
                redirections.append(self._redirection(token.text))
            else:
                break
        if not words and not redirections:
            raise self._unexpected()
        return Simple(tuple(words), tuple(redirections))

    def _redirection(self, operator: str) -> Redirection:
        if operator in _WITHOUT_TARGET:
            return Redirection(operator, None)
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if not isinstance(token, Word):
            raise self._unexpected()
        self._at += 1
        return Redirection(operator, token)
