"""What network plugins answer, as far as it is read (moby: libnetwork/drivers/remote/api/api.go).

Go programs write null for what is empty, so nearly everything may be None.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface

import msgspec

from node.model.address import is_group, parse_mac

ROUTE_NEXT_HOP, ROUTE_CONNECTED = 0, 1
ROUTES_MAX = 256
"""Static routes of one endpoint."""
_PREFIX = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,10}")
"""Of an interface's name, which has 15 characters at most."""
_LENGTH = re.compile(r"[0-9]{1,2}")


class Capabilities(msgspec.Struct, frozen=True):
    """To NetworkDriver.GetCapabilities."""

    Scope: str | None = None
    ConnectivityScope: str | None = None
    GwAllocChecker: bool | None = None


class GatewayCheck(msgspec.Struct, frozen=True):
    """To NetworkDriver.GwAllocCheck."""

    SkipIPv4: bool | None = None


class Allocated(msgspec.Struct, frozen=True):
    """To NetworkDriver.AllocateNetwork."""

    Options: dict[str, str] | None = None


class Interface(msgspec.Struct, frozen=True):
    """An endpoint's addresses: in a request what is given, in an answer what is filled in."""

    Address: str | None = None
    AddressIPv6: str | None = None
    MacAddress: str | None = None

    def check(self, given_address: str, given_mac: str) -> None:
        """Only what was empty may be filled in, and with something that makes sense. Raises ValueError."""
        if self.Address:
            check_cidr(self.Address)
        if self.MacAddress:
            check_mac(self.MacAddress)
        if self.MacAddress and given_mac:
            raise ValueError(
                "driver modified interface MAC address: endpoint interface MAC address present "
                f"({given_mac}). Cannot be modified with {self.MacAddress}."
            )
        if self.Address and given_address:
            raise ValueError(
                f"driver modified interface address: endpoint interface IP present ({given_address}). "
                f"Cannot be modified with ({self.Address})."
            )


class EndpointCreated(msgspec.Struct, frozen=True):
    """To NetworkDriver.CreateEndpoint."""

    Interface: Interface | None = None


class InterfaceName(msgspec.Struct, frozen=True):
    """Which interface of the plugin goes into the container, and what its name begins with there."""

    SrcName: str | None = None
    DstPrefix: str | None = None


class StaticRoute(msgspec.Struct, frozen=True):
    """A route of the container."""

    Destination: str | None = None
    RouteType: int | None = None
    NextHop: str | None = None


class EndpointJoined(msgspec.Struct, frozen=True):
    """To NetworkDriver.Join."""

    InterfaceName: InterfaceName | None = None
    Gateway: str | None = None
    StaticRoutes: tuple[StaticRoute, ...] | None = None
    DisableGatewayService: bool | None = None

    @property
    def prefix(self) -> str:
        """What the interface's name begins with; "" if the container gets none."""
        name = self.InterfaceName
        return (name.DstPrefix or "eth") if name is not None and name.SrcName else ""

    def check(self) -> None:
        """Raises ValueError, in the engine's words where it has any."""
        if self.prefix and not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f'failed to set interface name: "{self.prefix[:40]}" cannot begin one')
        if self.Gateway:
            try:
                IPv4Address(self.Gateway)
            except ValueError:
                raise ValueError(f'unable to parse Gateway "{self.Gateway[:80]}"') from None
        if len(self.StaticRoutes or ()) > ROUTES_MAX:
            raise ValueError(f"more than {ROUTES_MAX} static routes")
        for route in self.StaticRoutes or ():
            _check_route(route)


def _check_route(route: StaticRoute) -> None:
    check_cidr(route.Destination or "")
    if route.RouteType not in (ROUTE_NEXT_HOP, ROUTE_CONNECTED, None):
        raise ValueError(f"failed to set static route: route type {route.RouteType} is neither 0 nor 1")
    if route.NextHop or route.RouteType != ROUTE_CONNECTED:
        try:
            IPv4Address(route.NextHop or "")
        except ValueError:
            raise ValueError(f"failed to parse nexthop IP {route.NextHop or ''}") from None


def check_cidr(text: str) -> None:
    """Raises ValueError, as Go's net.ParseCIDR words it."""
    try:
        IPv4Interface(text)
    except ValueError:
        raise ValueError(f"invalid CIDR address: {text[:80]}") from None
    if not _LENGTH.fullmatch(text.partition("/")[2]):  # Python also takes netmasks, and none at all
        raise ValueError(f"invalid CIDR address: {text[:80]}")


def check_mac(text: str) -> None:
    """Raises ValueError, as Go's net.ParseMAC words it; also for what no single interface can have."""
    try:
        mac = parse_mac(text)
    except ValueError:
        raise ValueError(f"address {text[:80]}: invalid MAC address") from None
    if is_group(mac) or not any(mac):
        raise ValueError(f"address {text}: no interface can have this MAC address")
