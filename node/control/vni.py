"""Which VXLAN network identifiers an overlay gets (moby: overlay/ovmanager): serial, from 4096."""

from __future__ import annotations

from collections.abc import Container
from itertools import chain

from node.errors import InvalidParameter

VNI_FIRST = 4096
"""The ingress network's; the first network of a user gets 4097."""
VNI_LAST = 2**24 - 1
VNI_OPTION = "com.docker.network.driver.overlay.vxlanid_list"


def choose(taken: Container[int], last: int) -> int:
    """The next free identifier after the one given last, round to it. Raises InvalidParameter."""
    start = last + 1 if VNI_FIRST <= last < VNI_LAST else VNI_FIRST
    for vni in chain(range(start, VNI_LAST + 1), range(VNI_FIRST, start)):
        if vni not in taken:
            return vni
    raise InvalidParameter("all VXLAN network identifiers are in use")


def given(option: str, subnet: str, taken: Container[int]) -> int:
    """One identifier that the user named for a subnet. Raises InvalidParameter."""
    try:
        vni = int(option)
    except ValueError:
        raise InvalidParameter(f"invalid vxlan id value {option!r} passed") from None
    if not 0 < vni <= VNI_LAST or vni in taken:
        raise InvalidParameter(
            f"could not assign vxlan id {vni} to pool {subnet}: it is in use or out of range"
        )
    return vni
