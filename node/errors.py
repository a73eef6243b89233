"""The one tree of errors that a user may see, and nothing else may raise at one.

    NodeError
    ├── InvalidParameter   the request makes no sense
    ├── NotFound           it names something that does not exist
    ├── Conflict           it does not fit the present state of what it names
    ├── Forbidden          it is never allowed
    ├── Unavailable        it cannot be done now: something it needs is away
    ├── NotModified        it is so already
    ├── NotImplemented     nothing here can do it
    └── Failed             it failed inside (the engine answers 500)

The kinds are the engine's (moby: errdefs/defs.go); api/status.py maps them to HTTP, once.
Bad packets are counted drops, never errors; bugs are assertions.
"""

from __future__ import annotations


class NodeError(Exception):
    """A sentence for a person; subclasses say what kind of failure it is."""


class InvalidParameter(NodeError):
    """The request makes no sense."""


class NotFound(NodeError):
    """The request names something that does not exist."""


class Conflict(NodeError):
    """The request does not fit the present state of what it names."""


class Forbidden(NodeError):
    """The request is never allowed."""


class Unavailable(NodeError):
    """Something that the request needs is away; it may succeed later."""


class NotModified(NodeError):
    """What the request asks for is so already."""


class NotImplemented(NodeError):  # noqa: A001 - the engine's own word for this kind
    """Nothing here can do it."""


class Failed(NodeError):
    """It failed inside; the engine answers 500 with the reason."""
