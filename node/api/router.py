"""Which handler answers which method and path: a table, read from top to bottom."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from node.api.http import Answer, Request

Handler = Callable[..., Awaitable[Answer]]
"""Takes the request, and what the path says in its places."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler


def route(method: str, path: str, handler: Handler) -> Route:
    """For a path such as "/networks/{name}". A place may hold slashes, as names of images do."""
    return Route(method, re.compile(re.sub(r"\{\w+\}", "(.+)", path)), handler)


class Router:
    """See the module."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)

    def find(self, request: Request) -> tuple[Handler, tuple[str, ...]] | None:
        """The handler and what the path says to it; None if there is no such page."""
        for candidate in self.routes:
            if candidate.method != request.method:
                continue
            if (match := candidate.pattern.fullmatch(request.path)) is not None:
                return candidate.handler, match.groups()
        return None
