"""whoami: the web server of the image traefik/whoami, which tells who it is and what it was asked."""

from __future__ import annotations

from datetime import UTC, datetime

from node.programs.arguments import Parser, UsageError
from node.programs.http import value
from node.programs.httpd import Access, Page, Request, Server
from node.programs.process import Process
from node.programs.signals import SIGINT, SIGTERM

ADDRESS = "0.0.0.0"  # noqa: S104 - in a simulated sandbox
ENDED_BY_SIGNAL = 2
"""How a Go program ends that, as pid 1, cannot die of the signal itself."""


class Whoami:
    """Its site."""

    headers = ""

    def __init__(self, process: Process, name: str) -> None:
        self._process = process
        self._name = name

    def page(self, request: Request) -> Page:
        """Names and addresses, and the request: Host and User-Agent first, then all others by name."""
        interfaces = self._process.sandbox.inspect().interfaces
        own = [address.cidr.partition("/")[0] for one in interfaces for address in one.addresses]
        lines = [f"Name: {self._name}"] if self._name else []
        lines += [f"Hostname: {self._process.userland.hostname}", *(f"IP: {address}" for address in own)]
        lines.append(f"RemoteAddr: {request.remote[0]}:{request.remote[1]}")
        lines.append(f"{request.line.method} {request.line.target} HTTP/1.1\r")
        lines.append(f"Host: {value(request.headers, 'Host')}\r")
        first = [each for each in request.headers if each[0].lower() == "user-agent"]
        others = [each for each in request.headers if each[0].lower() not in ("host", "user-agent")]
        lines += [f"{name.title()}: {text}\r" for name, text in (*first, *sorted(others))]
        return Page(("\n".join(lines) + "\n\r\n").encode("latin-1"))

    def accessed(self, access: Access) -> None:
        """It keeps no log."""

    def refused(self, reason: str) -> None:
        """It says so on stderr."""
        self._process.stderr.write(f"{self.moment()} http: Accept error: {reason}\n")

    def moment(self) -> str:
        """Now, as Go's log has it."""
        return datetime.fromtimestamp(self._process.clock.wall(), UTC).strftime("%Y/%m/%d %H:%M:%S")


async def whoami(process: Process) -> int:
    """The program; /usr/bin/whoami, which names the user, is another."""
    parser = Parser("whoami")
    for flag, kind, variable, default in (
        ("port", int, "WHOAMI_PORT_NUMBER", "80"),
        ("name", str, "WHOAMI_NAME", ""),
    ):
        given = process.environment.get(variable, default)
        parser.add_argument(f"--{flag}", f"-{flag}", type=kind, default=given)
    try:
        options = parser.parse(process.arguments[1:])
        if not 0 < options.port < 65536:
            raise UsageError(f"{options.port} is no port")
    except UsageError as error:
        return process.fail(f"whoami: {error}", 2)
    site = Whoami(process, options.name)
    process.stdout.write(f"{site.moment()} Starting up on port {options.port}\n")
    try:
        listener = process.sandbox.listen_tcp(ADDRESS, options.port)
    except OSError as error:
        reason = (error.strerror or "").lower()
        return process.fail(f"{site.moment()} listen tcp :{options.port}: bind: {reason}")
    for signal in (SIGTERM, SIGINT):
        process.signals.on(signal, listener.close)
    await Server(process, listener, site).run()
    return ENDED_BY_SIGNAL
