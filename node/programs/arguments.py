"""argparse for programs that must neither print to the node's own terminal nor end its process."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn


class UsageError(Exception):
    """The program was called wrongly; the text says how."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of exiting."""

    def __init__(self, program: str) -> None:
        super().__init__(prog=program, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Every mistake ends here."""
        raise UsageError(message)

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options. Raises UsageError."""
        return self.parse_args(list(arguments))
