"""nginx: the web server of the image of that name, with its start-up lines and its access log."""

from __future__ import annotations

import errno
import re
from datetime import UTC, datetime
from http import HTTPStatus

from node.programs import http
from node.programs.httpd import Access, Page, Request, Server, plain
from node.programs.process import Process
from node.programs.signals import SIGINT, SIGQUIT, SIGTERM
from node.stack.streams import TcpListener

ADDRESS = "0.0.0.0"  # noqa: S104 - in a simulated sandbox
TCP_PORT = 80
BACKLOG = 511
"""nginx's own."""
_WITH_BODY = {one.value: one for one in HTTPStatus if one.value not in (204, 205, 304)}
METHODS = ("GET", "HEAD", "POST")
BIND_TRIES = 5
BIND_PAUSE_MS = 500
VERSION = "nginx/1.27.5"


class Nginx:
    """Its site, and its two logs."""

    headers = f"Server: {VERSION}\r\n"

    def __init__(self, process: Process) -> None:
        self._process = process

    def page(self, request: Request) -> Page:
        """Who answers, who asks, and what came: what one wants to see of a network.

        /status/404 has that status instead, and /redirect/3 leads here after three redirects.
        """
        path = request.line.target.partition("?")[0]
        if request.line.method not in METHODS:
            return plain(HTTPStatus.METHOD_NOT_ALLOWED, "Allow: GET, HEAD, POST\r\n")
        if match := re.fullmatch(r"/status/([2-5]\d\d)", path):
            return plain(_WITH_BODY.get(int(match[1]), HTTPStatus.NOT_FOUND))
        if match := re.fullmatch(r"/redirect(?:/(\d{1,2}))?", path):
            left = int(match[1] or 1) - 1
            location = f"/redirect/{left}" if left > 0 else "/"
            return plain(HTTPStatus.FOUND, f"Location: {location}\r\n")
        text = (
            f"Server name: {self._process.userland.hostname}\n"
            f"Server address: {request.local[0]}:{request.local[1]}\n"
            f"Client address: {request.remote[0]}:{request.remote[1]}\n\n"
            f"{request.text}\n"
        )
        text += "".join(f"{name}: {value}\n" for name, value in request.headers)
        return Page(text.encode("latin-1"))

    def accessed(self, access: Access) -> None:
        """One line in the image's log_format "main"."""
        moment = self._moment("%d/%b/%Y:%H:%M:%S +0000")
        names = ("Referer", "User-Agent", "X-Forwarded-For")
        told = " ".join(f'"{_escaped(http.value(access.headers, name, "-"))}"' for name in names)
        asked = f'"{_escaped(access.text)}" {access.status} {access.body_bytes}'
        self._process.stdout.write(f"{access.remote[0]} - - [{moment}] {asked} {told}\n")

    def refused(self, reason: str) -> None:
        """A line of the error log."""
        self.tell("alert", reason)

    def tell(self, level: str, text: str) -> None:
        """Write to the error log."""
        pid = self._process.pid
        self._process.stderr.write(f"{self._moment('%Y/%m/%d %H:%M:%S')} [{level}] {pid}#{pid}: {text}\n")

    def emergency(self, text: str) -> None:
        """Why it cannot run: in the error log, and once more for whoever has started it."""
        self.tell("emerg", text)
        self._process.stderr.write(f"nginx: [emerg] {text}\n")

    def _moment(self, form: str) -> str:
        return datetime.fromtimestamp(self._process.clock.wall(), UTC).strftime(form)


def _escaped(text: str) -> str:
    """As log_format escapes by default: a client must not write lines of its own into the log."""
    return "".join(
        letter if " " <= letter <= "~" and letter not in '"\\' else f"\\x{ord(letter):02X}" for letter in text
    )


async def _listen(process: Process, site: Nginx) -> TcpListener | None:
    """Its port; where another program has it, it is asked for a few times (ngx_open_listening_sockets)."""
    for _ in range(BIND_TRIES):
        try:
            return process.sandbox.listen_tcp(ADDRESS, TCP_PORT, BACKLOG)
        except OSError as error:
            site.emergency(f"bind() to {ADDRESS}:{TCP_PORT} failed ({error.errno}: {error.strerror})")
            if error.errno != errno.EADDRINUSE:
                return None
        site.tell("notice", f"try again to bind() after {BIND_PAUSE_MS}ms")
        await process.clock.sleep(BIND_PAUSE_MS / 1000)
    site.emergency("still could not bind()")
    return None


async def nginx(process: Process) -> int:
    """The program."""
    site = Nginx(process)
    listener = await _listen(process, site)
    if listener is None:
        return 1
    for signal in (SIGQUIT, SIGTERM, SIGINT):
        process.signals.on(signal, listener.close)
    for text in ("using the simulated event method", "start worker processes"):
        site.tell("notice", text)
    await Server(process, listener, site).run()
    site.tell("notice", "exit")
    return 0
