"""Several things wrong with one request, told in one message as the engine tells them.

One problem stands as it is; several stand in a list (moby: internal/multierror).
"""

from __future__ import annotations

from collections.abc import Sequence


def joined(problems: Sequence[str]) -> str:
    """What is wrong, in the engine's layout; there is at least one problem."""
    assert problems, "nothing is wrong"
    if len(problems) == 1:
        return problems[0].strip()
    return "* " + "\n* ".join(problem.replace("\n", "\n\t") for problem in problems)
