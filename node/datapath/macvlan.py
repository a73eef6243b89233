"""Who hears whom on an interface that containers share with their host (Linux: drivers/net/macvlan.c).

             host (parent)   container   container
                   |             |           |
    interface  ----+-------------+-----------+----- the switch outside, and the other hosts

What one of them sends leaves through the interface. Only containers in bridge mode are handed each
other's frames before; all others would need a switch that sends a frame back to where it came from.
"""

from __future__ import annotations

from enum import StrEnum

from node.datapath.drops import Drop


class Role(StrEnum):
    """The host's own interface, or the mode of a container's."""

    PARENT = "parent"
    BRIDGE = "bridge"
    PRIVATE = "private"
    VEPA = "vepa"
    PASSTHRU = "passthru"


def obstacle(source: Role, target: Role, *, hairpin: bool, to_all: bool = False) -> Drop | None:
    """Why a frame of one does not come to another of the same host; None if it does.

    With ``hairpin`` the switch outside sends it back. The kernel takes what comes back as if from
    anywhere, except that nobody here hears what a private one says ``to_all``, nor a private one its
    siblings (macvlan_handle_frame). tests/e2e/test_kernel_macvlan.py asks the kernel itself.
    """
    if source is target is Role.BRIDGE:
        return None
    with_host = Role.PARENT in (source, target)
    if not with_host and Role.PRIVATE in (source, target):
        return Drop.PORT_ISOLATED
    if source is Role.PRIVATE and to_all:
        return Drop.MACVLAN_PARENT
    if hairpin:
        return None
    return Drop.MACVLAN_PARENT if with_host else Drop.HAIRPIN
