"""Tokens to commands (POSIX 2.10).

list      pipeline  ; pipeline  && pipeline  || pipeline  & ...
pipeline  ! command | command | ...
command   words with redirections, or  if  while  until  for  case  ( list )  { list }  [[ condition ]]
          name() command
"""

from __future__ import annotations

from node.programs.shell.conditional import ConditionParser
from node.programs.shell.cursor import Cursor
from node.programs.shell.syntax import (
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    List,
    Pipeline,
    Redirected,
    Redirection,
    Simple,
    Step,
    While,
)
from node.programs.shell.tokens import Operator, ShellSyntaxError, Token, Word

DEPTH_MAX = 32

_REDIRECTIONS = ("<", "<<", "<<-", "<<<", ">", ">>", "2>", "2>>", "1>", "2>&1", ">&2", "1>&2")
_WITHOUT_TARGET = ("2>&1", ">&2", "1>&2")
_ENDING = (")", ";;")
_CLOSING = ("then", "do", "done", "fi", "else", "elif", "}", "esac")


class Parser(Cursor):
    """Recursive descent over a list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self._depth = 0

    def program(self) -> List:
        """All tokens as one list. Raises ShellSyntaxError."""
        parsed = self._list()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return parsed

    def _list(self) -> List:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ShellSyntaxError("syntax error: nested too deeply")
        steps: list[Step] = []
        condition = ""
        self._skip_newlines()
        while not self._is_at_end():
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

    def _is_at_end(self) -> bool:
        """Whether a list ends here."""
        if self._at >= len(self._tokens):
            return True
        return self._operator() in _ENDING or self._reserved() in _CLOSING

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
        name = self._function_name()
        if name:
            self._skip_newlines()
            return Function(name, self._command())
        command = self._compound()
        if command is None:
            return self._simple()
        redirections = self._redirections()
        return Redirected(command, redirections) if redirections else command

    def _function_name(self) -> str:
        """The name before ``()``, or after ``function``; "" if no function begins here."""
        if self._reserved() == "function":
            self._at += 1
            name = self._word().plain or ""
            if self._operator() == "(":
                self._at += 1
                self._expect(")")
            return name
        name = self._reserved()
        following = self._tokens[self._at + 1 : self._at + 3]
        if (
            following != [Operator("("), Operator(")")]
            or not name.replace("_", "a").replace("-", "a").isalnum()
        ):
            return ""
        self._at += 3
        return name

    def _compound(self) -> Command | None:
        """A command that contains others, if one begins here."""
        match self._reserved():
            case "if":
                return self._if()
            case "while" | "until" as kind:
                self._at += 1
                condition = self._list()
                return While(condition, self._body(), until=kind == "until")
            case "for":
                return self._for()
            case "case":
                return self._case()
            case "[[":
                parser = ConditionParser(self._tokens, self._at + 1)
                test, self._at = parser.parse()
                return test
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
        return None

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

    def _case(self) -> Case:
        self._expect("case")
        word = self._word()
        self._skip_newlines()
        self._expect("in")
        self._skip_newlines()
        branches: list[tuple[tuple[Word, ...], List]] = []
        while self._reserved() != "esac":
            if self._operator() == "(":
                self._at += 1
            patterns = [self._word()]
            while self._operator() == "|":
                self._at += 1
                patterns.append(self._word())
            self._expect(")")
            branches.append((tuple(patterns), self._list()))
            if self._operator() != ";;":
                break
            self._at += 1
            self._skip_newlines()
        self._expect("esac")
        return Case(word, tuple(branches))

    def _simple(self) -> Simple:
        words: list[Word] = []
        redirections: list[Redirection] = []
        while self._at < len(self._tokens):
            redirections += self._redirections()
            if self._at >= len(self._tokens) or not isinstance(self._tokens[self._at], Word):
                break
            words.append(self._word())
        if not words and not redirections:
            raise self._unexpected()
        return Simple(tuple(words), tuple(redirections))

    def _redirections(self) -> tuple[Redirection, ...]:
        found: list[Redirection] = []
        while (operator := self._operator()) in _REDIRECTIONS:
            self._at += 1
            found.append(Redirection(operator, None if operator in _WITHOUT_TARGET else self._word()))
        return tuple(found)
