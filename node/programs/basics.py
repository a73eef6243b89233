"""Small programs about the container and its processes: sleep, hostname, ps, env, test, kill ..."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from node.errors import InvalidParameter
from node.model.ids import short
from node.programs import table
from node.programs.process import Process, Program
from node.programs.signals import NUMBERS, SIGTERM, number_of

DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
SLEEP_MAX_S = 10 * 365 * 86_400
TIMED_OUT = 124


def _seconds(text: str) -> float | None:
    if text in ("inf", "infinity"):
        return SLEEP_MAX_S
    match = DURATION.fullmatch(text)
    return None if match is None else min(float(match[1]) * UNITS_S[match[2]], SLEEP_MAX_S)


async def sleep(process: Process) -> int:
    """sleep"""
    total = 0.0
    for word in process.arguments[1:]:
        seconds = _seconds(word)
        if seconds is None:
            return process.fail(f"sleep: invalid number '{word}'")
        total += seconds
    if len(process.arguments) < 2:
        return process.fail("sleep: missing operand")
    await process.clock.sleep(total)
    return 0


async def timeout(process: Process) -> int:
    """timeout SECONDS PROGRAM ..."""
    words = process.arguments[1:]
    seconds = _seconds(words[0]) if words else None
    if seconds is None or len(words) < 2:
        return process.fail("timeout: usage: timeout SECONDS PROGRAM [ARGUMENTS]")
    program = table.find(words[1])
    if program is None:
        return process.fail(f"timeout: can't execute '{words[1]}': No such file or directory", 127)
    busybox = process.userland.family == "busybox"
    work = process.start(_call, program, process.with_arguments(words[1:]))
    try:
        ended, _ = await asyncio.wait((work,), timeout=seconds)
        if ended:
            return work.result()
        if process.signals.deliver(SIGTERM):
            code = await work  # it may sum up what it has done, as tcpdump does
            return code if busybox else TIMED_OUT
        work.cancel()
        await asyncio.wait((work,))
        return 128 + SIGTERM if busybox else TIMED_OUT
    finally:
        work.cancel()


async def _call(program: Program, process: Process) -> int:
    return await program(process)


async def hostname(process: Process) -> int:
    """hostname, and with -f, -d, -s, -i, -I what belongs to it"""
    own = process.userland.hostname
    match process.arguments[1:2]:
        case ("-s",):
            process.stdout.write(own.partition(".")[0] + "\n")
        case ("-f" | "--fqdn" | "-d" | "-i" as option,):
            lines = (process.userland.files.read("/etc/hosts") or b"").decode().splitlines()
            named = [words for words in (line.split() for line in lines) if own in words[1:]]
            if option == "-i":
                process.stdout.write(" ".join(words[0] for words in named) + "\n")
            elif not named:
                gnu = process.userland.family == "gnu"
                said = "Name or service not known" if gnu else f"{own}: Host not found"
                return process.fail(f"hostname: {said}")
            else:
                name = named[0][1]
                process.stdout.write((name.partition(".")[2] if option == "-d" else name) + "\n")
        case ("-I",):
            addresses = [
                address.cidr.partition("/")[0]
                for one in process.sandbox.inspect().interfaces
                for address in one.addresses
                if one.link != "loopback"
            ]
            process.stdout.write(" ".join(addresses) + " \n" if addresses else "\n")
        case (word,) if not word.startswith("-"):
            return process.fail("hostname: sethostname: Operation not permitted")
        case _:
            process.stdout.write(own + "\n")
    return 0


async def ps(process: Process) -> int:
    """ps"""
    gnu = process.userland.family == "gnu"
    process.stdout.write("    PID TTY          TIME CMD\n" if gnu else "PID   USER     TIME  COMMAND\n")
    for entry in sorted(process.userland.processes.values(), key=lambda each: each.pid):
        if gnu:
            terminal = "pts/0" if entry.terminal else "?"
            process.stdout.write(f"{entry.pid:>7} {terminal:<8} 00:00:00 {entry.command.split()[0]}\n")
        else:
            process.stdout.write(f"{entry.pid:>5} root      0:00 {entry.command}\n")
    return 0


async def env(process: Process) -> int:
    """env"""
    for name, value in process.environment.items():
        process.stdout.write(f"{name}={value}\n")
    return 0


async def date(process: Process) -> int:
    """date"""
    moment = datetime.fromtimestamp(process.clock.wall(), UTC)
    wanted = next((word[1:] for word in process.arguments[1:] if word.startswith("+")), "")
    process.stdout.write(moment.strftime(wanted or "%a %b %e %H:%M:%S UTC %Y") + "\n")
    return 0


async def uname(process: Process) -> int:
    """uname, uname -a"""
    if "-a" in process.arguments:
        process.stdout.write(f"Linux {process.userland.hostname} shoal #1 SMP simulated x86_64 Linux\n")
    elif "-n" in process.arguments:
        process.stdout.write(process.userland.hostname + "\n")
    else:
        process.stdout.write("Linux\n")
    return 0


async def identity(process: Process) -> int:
    """id"""
    process.stdout.write("uid=0(root) gid=0(root) groups=0(root)\n")
    return 0


async def whoami(process: Process) -> int:
    """whoami"""
    process.stdout.write("root\n")
    return 0


async def pwd(process: Process) -> int:
    """pwd"""
    process.stdout.write(process.working_directory + "\n")
    return 0


async def true(process: Process) -> int:
    """true"""
    return 0


async def false(process: Process) -> int:
    """false"""
    return 1


async def yes(process: Process) -> int:
    """yes"""
    line = (" ".join(process.arguments[1:]) or "y") + "\n"
    while True:
        process.stdout.write(line * 64)
        await process.stdout.drain()
        await process.clock.sleep(0.001)


async def test(process: Process) -> int:
    """test and ["""
    words = list(process.arguments[1:])
    if process.arguments[0].endswith("["):
        if words[-1:] != ["]"]:
            return process.fail("[: missing ]", 2)
        words.pop()
    negated = False
    while words[:1] == ["!"]:
        negated, words = not negated, words[1:]
    try:
        held = holds(process, words)
    except ValueError as error:
        return process.fail(f"test: {error}", 2)
    return 0 if held != negated else 1


def holds(process: Process, words: list[str]) -> bool:
    """What test(1) says of words; raises ValueError if they are no condition."""
    files = process.userland.files
    match words:
        case []:
            return False
        case [text]:
            return bool(text)
        case ["-n", text]:
            return bool(text)
        case ["-z", text]:
            return not text
        case ["-f" | "-e" | "-r" | "-s", name] if files.read(process.path(name)) is not None:
            return True
        case ["-d" | "-e", name]:
            return files.is_directory(process.path(name))
        case ["-f" | "-r" | "-s" | "-x", _]:
            return False
        case [one, "=" | "==", other]:
            return one == other
        case [one, "!=", other]:
            return one != other
        case [one, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" as relation, other]:
            left, right = int(one), int(other)
            return {
                "-eq": left == right,
                "-ne": left != right,
                "-lt": left < right,
                "-le": left <= right,
                "-gt": left > right,
                "-ge": left >= right,
            }[relation]
    raise ValueError(f"{' '.join(words)}: unknown condition")


async def kill(process: Process) -> int:
    """kill -l, kill -0, and who is not there: programs of one container cannot signal each other here"""
    gnu = process.userland.family == "gnu"
    words = list(process.arguments[1:])
    if words == ["-l"]:
        process.stdout.write("".join(f"{number:>2}) {name}\n" for name, number in NUMBERS.items()))
        return 0
    signal = "TERM"
    if len(words) > 1 and words[0].startswith("-"):
        signal = words.pop(0).removeprefix("-")
        signal = words.pop(0) if signal == "s" else signal
    if not words:
        return process.fail("kill: you need to specify whom to kill")
    try:
        number = 0 if signal == "0" else number_of(signal)
    except InvalidParameter:
        return process.fail(f"kill: bad signal name '{signal}'")
    code = 0
    for word in words:
        if not word.isdecimal():
            said = f"failed to parse argument: '{word}'" if gnu else f"invalid number '{word}'"
            code = process.fail(f"kill: {said}")
        elif int(word) not in process.userland.processes:
            said = f"({word})" if gnu else f"can't kill pid {word}"
            code = process.fail(f"kill: {said}: No such process")
        elif number:
            code = process.fail(
                f"kill: sending signal {number} is not simulated: use docker kill from outside"
            )
    return code


async def hello(process: Process) -> int:
    """What the image hello-world says."""
    process.stdout.write(
        "\nHello from Shoal!\n"
        "This message shows that your simulated Docker host works: the docker CLI asked it for a\n"
        f"container ({short(process.userland.hostname)}), it made one, and this program ran in it.\n"
        "A simulated container does not run its image's code; its network, however, is real.\n\n"
    )
    return 0


async def entrypoint(process: Process) -> int:
    """/docker-entrypoint.sh: runs what it is given."""
    program = table.find(process.arguments[1]) if len(process.arguments) > 1 else None
    if program is None:
        return process.fail(
            f"{process.arguments[0]}: exec: {' '.join(process.arguments[1:])}: not found", 127
        )
    entry = process.userland.processes.get(process.pid)
    if entry is not None:
        entry.command = " ".join(process.arguments[1:])  # as after exec: the same process, another program
    return await program(process.with_arguments(process.arguments[1:]))
