"""The driver of the network `host`: a container that uses the host's own sandbox.

The controller gives such a container the host sandbox itself, so there is nothing to join: its
interfaces, ports and routes are the host's, and two web servers on one port collide in the program.
"""

from __future__ import annotations

from node.drivers.null import NullDriver


class HostDriver(NullDriver):
    """Like `none` it has exactly one network and builds nothing (moby: drivers/host)."""

    name = "host"
