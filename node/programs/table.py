"""Which program a name stands for; filled by applets.py, asked by whoever starts one."""

from __future__ import annotations

from node.programs.process import Program

PROGRAMS: dict[str, Program] = {}


def find(name: str) -> Program | None:
    """The program that a command names, with or without a path; some are known by their whole path only."""
    return PROGRAMS.get(name) or PROGRAMS.get(name.rpartition("/")[2])
