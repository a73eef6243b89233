"""The program awk: BEGIN, each line, END."""

from __future__ import annotations

from node.programs.awk.parser import Ended, Next, Parser, Rule
from node.programs.awk.values import Failed, Outside, State, truth
from node.programs.options import OptionError, busybox_complaint, complaint, read
from node.programs.process import Process
from node.programs.text import lines_of


async def awk(process: Process) -> int:
    """awk [-F separator] [-v name=value] program [file ...]"""
    try:
        options = read(process.arguments[1:], "F:v:")
    except OptionError as error:
        words = complaint if process.userland.family == "gnu" else busybox_complaint
        return process.fail(words("awk", error), 2)
    if not options.words:
        return process.fail("Usage: awk [-F SEPARATOR] [-v VAR=VAL] PROGRAM [FILE]...", 2)
    state = State({"FS": options.text("-F", default=" ").replace("\\t", "\t"), "NR": 0.0})
    for given in options.all("-v"):
        name, _, value = given.partition("=")
        state.variables[name] = Outside(value)
    try:
        rules = Parser(options.words[0]).rules()
        return await _run(process, state, rules, options.words[1:])
    except Failed as error:
        return process.fail(f"awk: {error}", 2)


async def _run(process: Process, state: State, rules: list[Rule], names: tuple[str, ...]) -> int:
    def write(text: str) -> None:
        process.stdout.write(text.encode(errors="surrogateescape"))

    code, failed = 0, list[int]()
    try:
        for rule in rules:
            if rule.when == "BEGIN":
                rule.action(state, write)
        if any(rule.when != "BEGIN" for rule in rules):
            async for line in lines_of(process, names, failed):
                state.take(line.removesuffix("\n"))
                state.count()
                try:
                    for rule in rules:
                        if not rule.when and (rule.pattern is None or truth(rule.pattern(state))):
                            rule.action(state, write)
                except Next:
                    pass
                await process.stdout.drain()
    except Ended as end:
        code = end.code
    try:
        for rule in rules:
            if rule.when == "END":
                rule.action(state, write)
    except Ended as end:
        code = end.code
    return code or (2 if failed else 0)
