"""What curl tells beside the pages: the progress meter (lib/progress.c), and what -w asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from node.programs.process import Process

HEAD = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
)
SHORTEST_S = 0.001
"""What counts as no time at all, for a speed."""


@dataclass(slots=True)
class Facts:
    """Of one transfer, as it goes: seconds since its beginning, bytes. Names are those of -w."""

    url_effective: str
    method: str = "GET"
    http_code: int = 0
    http_version: str = "0"
    content_type: str = ""
    redirect_url: str = ""
    num_redirects: int = 0
    num_connects: int = 0
    num_headers: int = 0
    remote_ip: str = ""
    remote_port: int = 0
    local_ip: str = ""
    local_port: int = 0
    size_download: int = 0
    size_upload: int = 0
    size_header: int = 0
    expected: int | None = None
    time_namelookup: float = 0.0
    time_connect: float = 0.0
    time_starttransfer: float = 0.0
    time_redirect: float = 0.0
    time_total: float = 0.0
    exitcode: int = 0
    errormsg: str = ""

    def variable(self, name: str) -> str | None:
        """As -w writes it; None if there is no such one."""
        if name in ("http_code", "response_code"):
            return f"{self.http_code:03}"
        if name == "scheme":
            return "http"
        if name in ("speed_download", "speed_upload"):
            size = self.size_download if name == "speed_download" else self.size_upload
            return str(int(size / max(self.time_total, SHORTEST_S)))
        value = getattr(self, name, None) if name in self.__slots__ and name != "expected" else None
        return f"{value:.6f}" if isinstance(value, float) else None if value is None else str(value)


def written_out(process: Process, form: str, facts: Facts) -> None:
    """-w: variables and escapes."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        found = facts.variable(match[1])
        if found is None:
            process.stderr.write(f"curl: unknown --write-out variable: '{match[1]}'\n")
        return found or ""

    text = re.sub(r"\\([nrt])", lambda match: {"n": "\n", "r": "\r", "t": "\t"}[match[1]], form)
    process.stdout.write(re.sub(r"%\{(\w+)\}|%%", value, text))


class Meter:
    """On standard error, while pages go elsewhere than to a terminal."""

    def __init__(self, process: Process, *, is_wanted: bool) -> None:
        self._process = process
        self._is_wanted = is_wanted

    def begin(self, facts: Facts) -> None:
        """The head, and that nothing has come yet."""
        if self._is_wanted:
            self._process.stderr.write(HEAD + "\r" + _line(facts))

    def end(self, facts: Facts) -> None:
        """What it came to."""
        if self._is_wanted:
            self._process.stderr.write("\r" + _line(facts) + "\n")


def _line(facts: Facts) -> str:
    seconds = max(facts.time_total, SHORTEST_S)
    down, up = facts.size_download, facts.size_upload
    expected = (down if facts.expected is None else facts.expected) + up
    share = 100 if expected and down + up >= expected else 100 * (down + up) // max(expected, 1)
    down_share = 100 if down and facts.expected in (down, None) else 0
    speeds = f"{_short(int(down / seconds))}  {_short(int(up / seconds))}"
    spent = _clock(facts.time_total)
    current = _short(int((down + up) / seconds))
    return (
        f"{share:3d} {_short(expected)}  {down_share:3d} {_short(down)}  {100 if up else 0:3d} {_short(up)}  "
        f"{speeds} {spent if share == 100 else _clock(0)} {spent} --:--:-- {current}"
    )


def _short(size: int) -> str:
    """Five columns (max5data)."""
    if size < 100_000:
        return f"{size:5d}"
    if size < 10_000 << 10:
        return f"{size >> 10:4d}k"
    if size < 100 << 20:
        return f"{size >> 20:2d}.{(size % (1 << 20)) * 10 >> 20:d}M"
    return f"{size >> 20:4d}M"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:2d}:{whole // 60 % 60:02d}:{whole % 60:02d}" if whole else "--:--:--"
